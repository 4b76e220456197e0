"""The seller's desk in forms alone."""

from __future__ import annotations

import io
import re

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from tests.fulfilment.factories import Sold, order
from tests.web import desks
from tests.web.conftest import Visitor, text_of
from tests.web.world import World

PAGES = [
    "/sell", "/sell/apply", "/sell/listings", "/sell/listings/new", "/sell/orders",
    "/sell/orders?tab=all", "/sell/balance", "/sell/stock", "/sell/stock?low=1",
    "/sell/storefront", "/sell/shipping", "/sell/shipping/new", "/sell/import",
]  # fmt: skip


async def test_every_page_of_a_new_shop_says_what_to_do(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.seller(db, visitor)
    for url in PAGES:
        html = await visitor.page(url)
        assert "<h1>" in html and "style=" not in html, url
    assert "No orders yet" in text_of(await visitor.page("/sell/orders"))
    assert "No listings yet" in text_of(await visitor.page("/sell/listings"))


async def test_only_sellers_come_in(visitor: Visitor, world: World) -> None:
    for url in PAGES:
        answer = await visitor.get(url)
        assert answer.status_code == 303 and "/login" in answer.headers["location"], url


async def test_application_is_asked_answered_and_shown(
    visitor: Visitor, world: World, db: Database
) -> None:
    email, actor = await desks.member(db)
    await desks.log_in(visitor, email)
    html = await visitor.page("/sell/apply")
    version = re.findall(r'name="agreement_version" value="(\d+)"', html)
    name = f"Figs {uuid7().hex[-6:]}"
    form = {"name": name, "country": "DE", "kind": "private", "bio": "Figs."}
    form |= {"agreement_version": version[0]} if version else {}
    answer = await visitor.submit("/sell/apply", form)
    assert answer.status_code == 422
    assert "accept the seller agreement" in text_of(answer.text) and name in answer.text
    answer = await visitor.submit("/sell/apply", {**form, "agreed": "1"})
    assert answer.status_code == 303, text_of(answer.text)
    assert "Your application is with us" in text_of(await visitor.page("/sell/apply"))

    async def question(tx: object) -> None:
        shop = await sellers.account(tx, user_id=actor.user_id)  # type: ignore[arg-type]
        await sellers.ask_more(
            tx,
            desks.OPERATOR,
            seller_id=shop.id,
            question="Which figs, please?",  # type: ignore[arg-type]
        )

    await db.transact(question)
    assert "Which figs, please?" in text_of(await visitor.page("/sell/apply"))
    answer = await visitor.submit("/sell/apply", {**form, "bio": "Brown ones.", "agreed": "1"})
    assert answer.status_code == 303


async def test_listing_is_written_saved_and_refused_with_reasons(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    answer = await visitor.submit("/sell/listings/new", {"kind": "goods", "title": "x"})
    assert answer.status_code == 422 and "at least 3 characters" in text_of(answer.text)
    form = {"kind": "goods", "title": "Fig tree", "price": "24,90", "stock": "4"}
    answer = await visitor.submit("/sell/listings/new", form)
    assert answer.status_code == 303, text_of(answer.text)
    url = answer.headers["location"]
    html = await visitor.page(url)
    words = text_of(html)
    assert "Before you publish" in words and "Add at least one picture." in words
    [seen] = re.findall(r'name="seen" value="([0-9a-f]+)"', html)
    [variant] = re.findall(r'name="v0.id" value="([^"]+)"', html)
    assert 'value="24.90"' in html
    edited = {
        "seen": seen, "title": "Fig tree, brown", "description": "It bears twice a year.",
        "category_id": str(world.plants.id), "v0.id": variant, "v0.price": "29.90",
        "v0.active": "1", "v0.sku": "FIG-1",
    }  # fmt: skip
    answer = await visitor.submit(url, {**edited, "v0.price": "much"})
    assert answer.status_code == 422 and 'value="much"' in answer.text
    answer = await visitor.submit(url, {**edited, "act": "publish"})
    assert answer.status_code == 422
    assert "Add at least one picture." in text_of(answer.text), "published without a picture"
    html = await visitor.page(url)
    assert "Fig tree, brown" in html and 'value="29.90"' in html, "the draft was saved"
    answer = await visitor.submit(url, edited)
    assert answer.status_code == 409, "another window saved meanwhile"
    async with db.read() as conn:
        [row] = (await listings.of_seller(conn, shop.id, search="brown")).items
        assert row.state == "draft" and row.price_min == 2_990


async def test_picture_is_added_described_and_removed(
    visitor: Visitor, world: World, db: Database
) -> None:
    import pyvips

    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    content = (pyvips.Image.black(64, 64, bands=3) + 90).cast("uchar").pngsave_buffer()
    url = f"/sell/listings/{listing.id}"
    await visitor.get(url)
    token = visitor.cookies["souk_csrf"]
    files = {"images": ("fig.png", io.BytesIO(content), "image/png")}
    answer = await visitor.post(f"{url}/images", files=files, headers={"x-csrftoken": token})
    assert answer.status_code == 201 and "<li>" in answer.text and "fig.png" in answer.text
    answer = await visitor.post(f"{url}/images", files=files, data={"_csrf": token})
    assert answer.status_code == 303, "a form without scripts"
    async with db.read() as conn:
        first, second = (await listings.own(conn, listing.id, seller_id=shop.id)).images
    await visitor.submit(f"{url}/images/{second.id}", {"act": "earlier"})
    await visitor.submit(f"{url}/images/{second.id}", {"act": "describe", "alt": "A fig"})
    assert "Remove this picture?" in await visitor.page(f"{url}/images/{first.id}/remove")
    await visitor.submit(f"{url}/images/{first.id}/remove")
    async with db.read() as conn:
        [left] = (await listings.own(conn, listing.id, seller_id=shop.id)).images
    assert left.id == second.id and left.alt == "A fig"


async def test_order_is_accepted_shipped_in_two_parcels_and_printed(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    placed = await order(db, [Sold(shop.id, quantity=2)], email="b@example.com", user_id=uuid7())
    async with db.read() as conn:
        [row] = (await orders.seller_orders(conn, seller_id=shop.id)).items
    assert row.order_id == placed.id
    url = f"/sell/orders/{row.id}"
    assert row.number in await visitor.page("/sell") and row.number in await visitor.page(
        "/sell/orders"
    )
    html = await visitor.page(url)
    [line] = re.findall(r'name="units.([0-9a-f-]+)"', html)
    assert (await visitor.submit(f"{url}/accept")).status_code == 303
    answer = await visitor.submit(f"{url}/ship", {"carrier": "pigeon"})
    assert answer.status_code == 422 and "Choose who carries it." in text_of(answer.text)
    part = {"carrier": "dhl", "tracking": "JD01", f"units.{line}": "1"}
    assert (await visitor.submit(f"{url}/ship", part)).status_code == 303
    words = text_of(await visitor.page(url))
    assert "1 of 2 sent" in words and "JD01" in words
    assert (await visitor.submit(f"{url}/ship", {"carrier": "dhl"})).status_code == 303
    assert "Shipped" in text_of(await visitor.page(url))
    assert row.number in text_of(await visitor.page(f"{url}/slip"))
    answer = await visitor.submit(f"{url}/cancel", {"reason": "too late for that"})
    assert answer.status_code == 409


async def test_somebody_elses_things_are_not_there(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await desks.seller(db, other)
    listing = await desks.draft(db, shop)
    await order(db, [Sold(shop.id)], email="b@example.com", user_id=uuid7())
    async with db.read() as conn:
        [row] = (await orders.seller_orders(conn, seller_id=shop.id)).items
    await visitor.submit(
        "/sell/shipping/new", {"name": "Parcel", "kind": "delivery", "r0.amount": "4.90"}
    )
    [method] = re.findall(
        r'href="/sell/shipping/([0-9a-f-]{36})"', await visitor.page("/sell/shipping")
    )[:1]
    urls = [
        f"/sell/listings/{listing.id}", f"/sell/listings/{listing.id}/archive",
        f"/sell/orders/{row.id}", f"/sell/orders/{row.id}/slip", f"/sell/orders/{row.id}/cancel",
        f"/sell/stock/{listing.variants[0].id}", f"/sell/shipping/{method}",
    ]  # fmt: skip
    for url in urls:
        assert (await visitor.get(url)).status_code == 200, url
        assert (await other.get(url)).status_code == 404, url
    for url in (f"/sell/orders/{row.id}/ship", f"/sell/orders/{row.id}/accept", urls[0], urls[1]):
        answer = await other.submit(url, {"carrier": "dhl", "title": "mine"})
        assert answer.status_code == 404, url


async def test_stock_is_counted_with_a_reason(visitor: Visitor, world: World, db: Database) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    url = f"/sell/stock/{listing.variants[0].id}"
    form = {"on_hand": "3", "low_stock_at": "4", "reason": "loss", "note": "frost"}
    assert (await visitor.submit(url, {**form, "on_hand": "-1"})).status_code == 422
    assert (await visitor.submit(url, {**form, "reason": "sale"})).status_code == 422
    assert (await visitor.submit(url, form)).status_code == 303
    assert "frost" in text_of(await visitor.page(url))
    assert "Fig tree" in await visitor.page("/sell/stock?low=1")
    async with db.read() as conn:
        assert (await inventory.stock_of(conn, shop.id, listing.variants[0].id)).on_hand == 3


async def test_storefront_holiday_and_delivery(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    answer = await visitor.submit("/sell/storefront", {"name": "x", "bio": "Figs only"})
    assert answer.status_code == 422 and "Figs only" in answer.text
    assert (await visitor.submit("/sell/storefront/holiday", {"act": "close"})).status_code == 303
    assert "closed for a holiday" in text_of(await visitor.page("/sell"))
    assert "until further notice" in text_of(await visitor.page("/sell/storefront"))
    await visitor.submit("/sell/storefront/holiday", {"act": "open"})
    assert "closed for a holiday" not in text_of(await visitor.page("/sell"))
    bad = {"name": "Parcel", "kind": "delivery", "r0.amount": "a lot"}
    answer = await visitor.submit("/sell/shipping/new", bad)
    assert answer.status_code == 422 and 'value="a lot"' in answer.text
    assert (await visitor.submit("/sell/shipping/new", bad | {"r0.amount": "5"})).status_code == 303
    assert "€5.00" in text_of(await visitor.page("/sell/shipping"))
    assert shop.slug in await visitor.page("/sell/storefront")


async def test_file_is_sent_for_a_preview(visitor: Visitor, world: World, db: Database) -> None:
    await desks.seller(db, visitor)
    await visitor.get("/sell/import")
    token = {"_csrf": visitor.cookies["souk_csrf"]}
    answer = await visitor.post("/sell/import", data=token, files={"other": ("a", b"x")})
    assert answer.headers["location"] == "/sell/import"
    files = {"file": ("figs.csv", b"title,price\nFig,12.00\n", "text/csv")}
    answer = await visitor.post("/sell/import", data=token, files=files)
    assert answer.headers["location"].endswith("/columns")
    words = text_of(await visitor.page(answer.headers["location"]))
    assert "What are these columns?" in words and "Fig" in words
    url = answer.headers["location"]
    sent = {"h0": "title", "c0": "title", "h1": "price", "c1": "", "act": "map"}
    answer = await visitor.submit(url, sent)
    assert answer.status_code == 422 and "which column holds the price" in text_of(answer.text)
    answer = await visitor.submit(url, sent | {"c1": "price"})
    assert answer.status_code == 303
    html = await visitor.page(answer.headers["location"])
    assert "figs.csv" in html and 'http-equiv="refresh"' in html, "renews itself while at work"


@pytest.mark.parametrize("url", ["/sell/listings", "/sell/stock", "/sell/orders", "/sell"])
async def test_lists_ask_once_for_all_rows(
    visitor: Visitor, world: World, db: Database, url: str
) -> None:
    shop = await desks.seller(db, visitor)
    await desks.draft(db, shop)
    await order(db, [Sold(shop.id)], email="b@example.com", user_id=uuid7())
    await visitor.page(url)
    async with count_statements() as one:
        await visitor.page(url)
    for n in range(19):
        await desks.draft(db, shop, title=f"Fig {n}")
        await order(db, [Sold(shop.id)], email="b@example.com", user_id=uuid7())
    async with count_statements() as twenty:
        await visitor.page(url)
    assert twenty.total <= one.total, f"{one.total} for one row, {twenty.total} for twenty"


async def test_bulk_acts_ask_before_archiving(visitor: Visitor, world: World, db: Database) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    form = {"act": "archive", "id": str(listing.id)}
    answer = await visitor.submit("/sell/listings/bulk", form)
    assert "Put these listings away?" in text_of(answer.text)
    await visitor.submit("/sell/listings/bulk", form | {"sure": "1"})
    async with db.read() as conn:
        assert (await listings.own(conn, listing.id, seller_id=shop.id)).state == "archived"
