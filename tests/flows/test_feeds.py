"""Sitemaps and the product feed, against what their specifications ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.feeds import build, google, http, sitemaps
from souk.flows.feeds.xml import element
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from souk.platform.http.wire import MoneyWire
from souk.platform.services import Services
from tests.listings import factories

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
IMAGE = "{http://www.google.com/schemas/sitemap-image/1.1}"
G = "{http://base.google.com/ns/1.0}"
REQUIRED = ("id", "title", "description", "link", "image_link", "availability", "price")
W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def client(make_client: Callable[..., Any]) -> Any:
    return make_client(http.routes)


async def put_up(db: Database, *, on_hand: int = 3, **changes: Any) -> listings.Listing:
    actor = factories.seller_actor()
    made = await factories.active(db, actor, **changes)
    await db.transact(
        lambda tx: inventory.set_up(
            tx,
            actor,
            items=[
                inventory.StockSetUp(
                    variant_id=variant.id, listing_id=made.id, seller_id=made.seller_id,
                    on_hand=on_hand,
                )
                for variant in made.variants
            ],
        )
    )  # fmt: skip
    return made


async def items(client: Any) -> list[dict[str, list[str]]]:
    """The feed's items by element, after it was parsed as XML."""
    answer = await client.get("/feeds/google.xml")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(
        "application/xml"
    )
    root = ET.fromstring(answer.content)
    assert root.tag == "rss" and root.attrib == {"version": "2.0"}
    [channel] = root
    assert [each.tag for each in channel][:3] == ["title", "link", "description"]
    found: list[dict[str, list[str]]] = []
    for item in channel.findall("item"):
        fields: dict[str, list[str]] = {}
        for each in item:
            assert each.tag.startswith(G), each.tag
            fields.setdefault(each.tag.removeprefix(G), []).append(each.text or "")
        found.append(fields)
    return found


async def test_the_feed_has_every_field_in_the_form_that_is_asked_for(
    client: Any, services: Services, db: Database
) -> None:
    shirt = await put_up(
        db,
        title="Shirt & <tie>",
        description="<p>Linen.</p><p>Cool & light.</p>",
        variants=[
            listings.VariantInput(
                price=1_990, compare_at=2_500, options={"Size": "M"}, weight_g=200
            ),
            listings.VariantInput(price=2_100, options={"Size": "L"}),
        ],
    )
    gone = await put_up(db, on_hand=0)
    await db.transact(
        lambda tx: listings.mark_sold_out(tx, factories.seller_actor(), listing_id=gone.id)
    )
    hidden = await factories.create(db, factories.seller_actor())
    await build.build(services)
    found = await items(client)
    by_id = {item["id"][0]: item for item in found}
    assert str(hidden.id) not in str(found), "drafts are nobody's business"
    for item in found:
        assert all(len(item[name]) == 1 for name in REQUIRED), item
        assert len(item["id"][0]) <= 50 and len(item["title"][0]) <= 150
        assert len(item["description"][0]) <= 5_000
        assert re.fullmatch(r"\d+\.\d\d [A-Z]{3}", item["price"][0])
        assert item["availability"][0] in {"in_stock", "out_of_stock"}
        assert item["condition"] in (["new"], ["used"])
        assert item["link"][0].startswith("http") and item["image_link"][0].startswith("http")
        assert item["identifier_exists"] == ["no"]
    medium, large = (by_id[str(variant.id)] for variant in shirt.variants)
    assert (medium["price"], medium["sale_price"]) == (["25.00 EUR"], ["19.90 EUR"])
    assert (large["price"], "sale_price" in large) == (["21.00 EUR"], False)
    assert medium["title"] == ["Shirt & <tie>, M"] and medium["description"] == [
        "Linen. Cool & light."
    ]
    assert (medium["size"], medium["shipping_weight"]) == (["M"], ["200 g"])
    assert medium["item_group_id"] == large["item_group_id"] == [str(shirt.id)]
    assert medium["availability"] == ["in_stock"]
    assert by_id[str(gone.variants[0].id)]["availability"] == ["out_of_stock"]
    assert "item_group_id" not in by_id[str(gone.variants[0].id)]


async def test_a_crawler_that_has_the_feed_gets_it_not_again(
    client: Any, services: Services, db: Database
) -> None:
    await put_up(db)
    await build.build(services)
    first = await client.get("/feeds/google.xml")
    again = await client.get("/feeds/google.xml", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    async with count_statements() as counted:
        await client.get("/feeds/google.xml")
        await client.get("/sitemap.xml")
    assert counted.total == 0, "both come from the file store"
    await build.build(services)
    fresh = await client.get("/feeds/google.xml", headers={"If-None-Match": first.headers["etag"]})
    assert fresh.status_code == 200


async def test_the_sitemap_names_every_listing_with_date_and_pictures(
    client: Any, services: Services, db: Database
) -> None:
    made = await put_up(db)
    await build.build(services)
    index = ET.fromstring((await client.get("/sitemap.xml")).content)
    assert index.tag == f"{MAP}sitemapindex"
    places = [each.text or "" for each in index.iter(f"{MAP}loc")]
    assert places[0].endswith("/sitemaps/pages.xml")
    urls: dict[str, ET.Element] = {}
    for place in places:
        answer = await client.get(place[place.index("/sitemaps/") :])
        assert len(answer.content) < 50_000_000
        for url in ET.fromstring(answer.content):
            urls[url.findtext(f"{MAP}loc") or ""] = url
    mine = next(url for place, url in urls.items() if place.endswith(f"/listing/{made.slug}"))
    assert W3C.fullmatch(mine.findtext(f"{MAP}lastmod") or "")
    [picture] = mine.iter(f"{IMAGE}loc")
    assert (picture.text or "").endswith("/full.webp")
    assert (await client.get("/sitemaps/current.json")).status_code == 404
    assert (await client.get("/sitemaps/google.xml")).status_code == 404


async def test_files_are_split_at_the_limit(db: Database) -> None:
    for _ in range(5):
        await put_up(db)
    found = [
        (part, content)
        async for part, content in sitemaps.listing_files(db, base_url="https://m.example", most=2)
    ]
    names = [part.name for part, _ in found]
    assert names == [f"listings-{n}.xml" for n in range(1, len(names) + 1)]
    counts = [len(ET.fromstring(content)) for _, content in found]
    assert max(counts) == 2 and set(counts[:-1]) == {2}
    assert all(part.changed is not None for part, _ in found)


async def test_an_old_build_stays_until_nobody_reads_it(services: Services) -> None:
    first, second, third = [await build.build(services) for _ in range(3)]
    assert await services.files.get(second.key(build.GOOGLE)), "a crawler may be in the middle"
    assert await services.files.get(third.key(build.GOOGLE))
    with pytest.raises(Exception, match="no longer here"):
        await services.files.get(first.key(build.GOOGLE))


async def test_second_hand_brand_and_codes_are_told(db: Database) -> None:
    async with db.read() as conn:
        tree = await catalog.tree(conn)
    document = listings.ListingDocument(
        id=uuid7(), slug="lamp", title="Lamp", kind="secondhand", state="active",
        seller=listings.SellerRef(uuid7(), "Shop", "shop"), price=None, price_max=None,
        description_html="", category_id=None, category_path=[], species_id=None,
        attributes={"brand": "Kaiser", "ean": "4006381333931"}, tags=[], condition="good",
        condition_note="", location="", live_plant=False, seo_title="", seo_description="",
        variants=[
            listings.VariantView(
                id=uuid7(), title="", options={}, sku="L", price=MoneyWire(900, "EUR"),
                compare_at=None, weight_g=None,
            )
        ],
        images=[listings.ImageView(uuid7(), "images/x", "", 9, 9, "/media/images/x/full.webp", "")],
        files=[], published_at=None, updated_at=datetime(2026, 1, 1, tzinfo=UTC), version=1,
    )  # fmt: skip

    [item] = google.items_of(document, tree, {}, base_url="https://m.example")
    assert "<g:condition>used</g:condition>" in item
    assert "<g:brand>Kaiser</g:brand><g:gtin>4006381333931</g:gtin>" in item
    assert "identifier_exists" not in item
    nothing = document.__class__(
        **{n: getattr(document, n) for n in document.__struct_fields__ if n != "images"}, images=[]
    )
    assert google.items_of(nothing, tree, {}, base_url="") == []


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert element("g:title", "a\x00\x0bb & c") == "<g:title>ab &amp; c</g:title>"
    assert element("g:brand", "") == ""
