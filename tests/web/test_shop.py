"""Pages of the shop, as visitors without an account and without scripts see them."""

from __future__ import annotations

import json
import re

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.search.api import SearchEngine
from souk.flows.browse.search import query_log
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from souk.platform.services import Services
from tests.web.conftest import Visitor, text_of
from tests.web.world import OPERATOR, World, index, open_shop, put_up


async def test_home_shows_fresh_listings(visitor: Visitor, world: World) -> None:
    html = await visitor.page("/")
    assert f'href="/listing/{world.olive.slug}"' in html
    assert f'href="/c/{world.plants.slug}"' in html


async def test_listing_page(visitor: Visitor, world: World) -> None:
    html = await visitor.page(f"/listing/{world.olive.slug}")
    words = text_of(html)
    assert "Olive tree" in words
    assert world.nursery.name in words
    assert "12 cm, €24.90" in words
    assert "18 cm, €39.90" in words
    assert "Light" in words
    assert "sun" in words
    assert "In stock" in words
    [found] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    product = json.loads(found)
    assert product["name"] == "Olive tree"
    assert [offer["price"] for offer in product["offers"]] == ["24.90", "39.90"]


async def test_category_page(visitor: Visitor, world: World) -> None:
    html = await visitor.page(f"/c/{world.plants.slug}")
    assert world.olive.slug in html
    assert world.lavender.slug in html
    assert world.guide.slug not in html


async def test_search(visitor: Visitor, world: World) -> None:
    html = await visitor.page("/search?q=olive")
    assert world.olive.slug in html
    assert world.guide.slug in html
    html = await visitor.page("/search?q=olive&kind=digital")
    assert world.olive.slug not in html
    assert world.guide.slug in html


async def test_cart_and_back(visitor: Visitor, world: World) -> None:
    await visitor.page(f"/listing/{world.olive.slug}")
    for variant in (world.olive.variants[0], world.guide.variants[0]):
        answer = await visitor.submit(
            "/cart/items", {"variant_id": str(variant.id), "quantity": "1"}
        )
        assert answer.status_code == 303
        assert answer.headers["location"] == "/cart"
    html = await visitor.page("/cart")
    assert "€33.90" in text_of(html)


async def test_sellers(visitor: Visitor, world: World) -> None:
    assert world.nursery.name in await visitor.page("/sellers")
    assert world.olive.slug in await visitor.page(f"/s/{world.nursery.slug}")
    assert world.olive.slug in await visitor.page(f"/s/{world.nursery.slug}?q=olive")


@pytest.mark.parametrize("path", ["/", "category", "/search", "shop", "/sellers"])
async def test_statements_do_not_grow_with_rows(
    visitor: Visitor, world: World, services: Services, path: str
) -> None:
    """As many statements for one row as for many; the first visit fills the caches."""
    db, files = services.db, services.files
    shop = await open_shop(db, "Tiny stall")
    path = {"category": f"/c/{world.files.slug}", "shop": f"/s/{shop.slug}"}.get(path, path)
    await put_up(db, files, shop, world.files, title="Extra seed 0")
    await index(db, services.get(SearchEngine))
    few = await _statements(visitor, path)
    for n in range(1, 50):
        await put_up(db, files, shop, world.files, title=f"Extra seed {n}")
    await open_shop(db, "Another stall")
    await index(db, services.get(SearchEngine))
    assert await _statements(visitor, path) <= few


async def _statements(visitor: Visitor, path: str) -> int:
    await visitor.page(path)
    async with count_statements() as count:
        await visitor.page(path)
    return count.total


async def test_listing_page_is_cheap(visitor: Visitor, world: World) -> None:
    """Listing, stock, and the version of the categories; the page itself is drawn once."""
    path = f"/listing/{world.lavender.slug}"
    html = await visitor.page(path)
    assert len(html.encode()) < 100_000
    async with count_statements() as count:
        await visitor.page(path)
    assert count.total == 3, count.texts


async def test_drawn_page_carries_the_visitors_own_token(
    visitor: Visitor, other: Visitor, world: World
) -> None:
    path = f"/listing/{world.lavender.slug}"
    for one in (visitor, other, visitor):
        html = await one.page(path)
        tokens = set(re.findall(r'name="_csrf" value="([^"]+)"', html))
        assert tokens == {one.cookies["souk_csrf"]}


async def test_stock_shows_at_once(visitor: Visitor, world: World, services: Services) -> None:
    path = f"/listing/{world.lamp.slug}"
    assert "still here" in text_of(await visitor.page(path))
    variant = world.lamp.variants[0].id

    async def change(delta: int) -> None:
        await services.db.transact(
            lambda tx: inventory.adjust(
                tx, OPERATOR, seller_id=world.press.id, variant_id=variant, delta=delta,
                reason=inventory.Reason.CORRECTION,
            )
        )  # fmt: skip

    await change(-1)
    html = await visitor.page(path)
    assert "Sold out." in text_of(html)
    assert 'action="/cart/items"' not in html
    await change(1)
    assert 'action="/cart/items"' in await visitor.page(path)


async def test_facets_chips_and_sorting(visitor: Visitor, world: World) -> None:
    html = await visitor.page(f"/c/{world.plants.slug}?sort=price_asc")
    assert html.index(world.lavender.slug) < html.index(world.olive.slug)
    [name] = set(re.findall(r'name="(a\.light_\w+)"', html))
    html = await visitor.page(f"/c/{world.plants.slug}?{name}=sun&price_max=30")
    assert world.olive.slug in html
    assert f"/listing/{world.lavender.slug}" not in html
    removals = re.findall(r'class="chip" href="([^"]+)"', html)
    assert len(removals) == 2
    html = await visitor.page(f"/c/{world.plants.slug}?{name}=sun&price_min=9999")
    assert "Nothing with these filters" in text_of(html)


async def test_strange_parameters_are_left_out(visitor: Visitor, world: World) -> None:
    await visitor.page(f"/c/{world.plants.slug}?page=x&sort=y&price_min=z&rating=a&seller=1&kind=k")
    await visitor.page("/search?q=olive&page=99999&a.x=y&r.z_min=nan&price_max=1e99")


async def test_did_you_mean_and_nothing_found(visitor: Visitor, world: World) -> None:
    words = text_of(await visitor.page("/search?q=lavendr"))
    assert "Lavender" in words
    assert "Nothing found" in text_of(await visitor.page("/search?q=xylophonequartz"))


async def test_suggestions(visitor: Visitor, world: World) -> None:
    html = await visitor.page("/search/suggest?q=oli")
    assert 'role="option"' in html
    assert "<html" not in html
    assert f"/listing/{world.olive.slug}" in html
    assert "option" not in await visitor.page("/search/suggest?q=o")


async def test_pictures_and_nothing_else_are_served(
    visitor: Visitor, world: World, services: Services
) -> None:
    key = world.olive.images[0].key if world.olive.images else ""
    answer = await visitor.get(f"/media/{key}/320.webp")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"].startswith("public, max-age=")
    await services.files.put("files/secret.webp", b"for sale")
    for path in ("files/secret.webp", f"{key}/../../files/secret.webp", "images/x/320.webp"):
        assert (await visitor.get(f"/media/{path}")).status_code == 404


async def test_unknown_things_are_not_found(visitor: Visitor, world: World) -> None:
    for path in ("/listing/none", "/c/none", "/s/none", "/legal/none", "/dev/mail/none"):
        answer = await visitor.get(path)
        assert answer.status_code == 404, path
        assert "This stall is empty" in answer.text


async def test_reading_pages(visitor: Visitor, world: World) -> None:
    for path in ("/legal/terms", "/legal/seller-agreement", "/help", "/help/selling", "/design"):
        assert "<h1" in await visitor.page(path)
    robots = (await visitor.page("/robots.txt")).splitlines()
    assert "Disallow: /account" in robots
    # A rule holds for everything that begins like it, and /sellers is for everybody.
    assert "Disallow: /sell" not in robots
    assert "/sitemaps/listings-1.xml</loc>" in await visitor.page("/sitemap.xml")
    assert "/static/" in await visitor.page("/")


async def test_descriptions_cannot_run_scripts(
    visitor: Visitor, world: World, services: Services
) -> None:
    title = "</script><script>alert(1)</script>"
    made = await put_up(services.db, services.files, world.nursery, world.plants, title=title)
    html = await visitor.page(f"/listing/{made.slug}")
    assert "<script>alert" not in html


async def test_every_form_has_a_token(visitor: Visitor, world: World) -> None:
    for path in ("/", f"/listing/{world.olive.slug}", "/login", "/register", "/forgot", "/cart"):
        html = await visitor.page(path)
        forms = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
        assert all('name="_csrf"' in form for form in forms), path


async def test_searches_on_the_page_are_counted(
    visitor: Visitor, world: World, db: Database
) -> None:
    # Letters alone: a query with many digits may be somebody's number and is not kept.
    word = "lavender " + uuid7().hex[-6:].translate(str.maketrans("0123456789", "ghijklmnop"))
    before = await _written(db)
    await visitor.page(f"/search?q={word}")
    await visitor.page(f"/search?q={word}&page=2")
    assert await _written(db) == before
    await query_log.flush(db)
    async with db.read() as conn:
        assert (
            await conn.fetchval("SELECT searches FROM search.query_log WHERE query = $1", word) == 1
        )


async def _written(db: Database) -> int:
    async with db.read() as conn:
        return await conn.fetchval("SELECT coalesce(sum(searches), 0) FROM search.query_log")
