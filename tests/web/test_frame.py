"""What stands around every page: the figures of the desks, and the shop around an error."""

from __future__ import annotations

import pytest

from souk.platform.database import Database
from souk.platform.services import Services
from souk.web.admin.frame import queues
from souk.web.composition import page_options
from souk.web.page import TEMPLATES, Pages
from souk.web.sell.frame import desk_counts
from tests.web import desks
from tests.web.conftest import Member, Visitor
from tests.web.test_sell_desk import sold
from tests.web.world import World

SELL = [
    "/sell/orders", "/sell/listings", "/sell/listings/new", "/sell/stock", "/sell/stock/movements",
    "/sell/balance", "/sell/storefront", "/sell/reviews", "/sell/import", "/sell/shipping",
    "/sell/shipping/new", "/sell/settings",
]  # fmt: skip


async def test_every_page_of_the_sellers_desk_shows_what_waits(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await sold(db, shop)
    for path in SELL:
        html = await visitor.page(path)
        desk = html[html.index('id="desk-nav"') : html.index("</nav>", html.index('id="desk-nav"'))]
        orders = desk[desk.index('href="/sell/orders"') :]
        assert '<span class="count">1</span>' in orders[: orders.index("</a>")], path


def test_every_template_of_a_desk_is_counted_for(services: Services, world: World) -> None:
    pages = page_options(services)["state"]["pages"]
    assert isinstance(pages, Pages)
    wanted = {"layouts/sell.html": desk_counts, "layouts/admin.html": queues}
    for layout, count in wanted.items():
        found = [
            path.relative_to(TEMPLATES).as_posix()
            for path in TEMPLATES.rglob("*.html")
            if f"{{% extends '{layout}' %}}" in path.read_text()
        ]
        assert len(found) > 10
        assert {pages.desks.count_for(name) for name in found} == {count}
    assert pages.desks.count_for("storefront/home.html") is None


async def test_an_error_looks_like_the_shop(
    visitor: Visitor, other: Visitor, world: World, join: Member
) -> None:
    root = f'<a href="/c/{world.plants.slug}"'
    for path in ("/nothing-here", "/listing/none", "/no/such/place"):
        html = await visitor.page(path, status=404)
        assert html.count(root) == 2, path
        assert 'href="/login"' in html
    await join(other)
    html = await other.page("/nothing-here", status=404)
    assert html.count(root) == 2
    assert "Anna Buyer" in html
    assert 'action="/logout"' in html
    answer = await other.get("/admin")
    assert answer.status_code == 403
    assert answer.text.count(root) == 2
    assert "Anna Buyer" in answer.text
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("broken", ["compliance.document", "carts.cart"])
async def test_an_error_of_ours_keeps_what_it_can_of_the_shop(
    visitor: Visitor, world: World, db: Database, join: Member, broken: str
) -> None:
    """The second table is one that the frame itself asks for."""
    await join(visitor)
    await visitor.page("/help")
    schema, table = broken.split(".")
    await db.transact(lambda tx: tx.execute(f"ALTER TABLE {broken} RENAME TO away"))
    try:
        answer = await visitor.get("/legal/terms")
    finally:
        await db.transact(lambda tx: tx.execute(f"ALTER TABLE {schema}.away RENAME TO {table}"))
    assert answer.status_code == 500
    assert f'<a href="/c/{world.plants.slug}"' in answer.text
    assert "Anna Buyer" in answer.text
    assert "Something broke on our side" in answer.text


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nope", "/api/v1/nope", "/api/v1/nope/more", "/api/v2/listings"]
)
async def test_below_api_even_a_browser_gets_a_problem(
    visitor: Visitor, world: World, path: str
) -> None:
    for method in ("GET", "HEAD", "DELETE"):
        answer = await visitor.request(method, path, headers={"accept": "text/html"})
        assert answer.status_code == 404, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert method == "HEAD" or answer.json()["code"] == "not_found"
    document = await visitor.get("/api/v1/openapi.json", headers={"accept": "text/html"})
    assert document.status_code == 200
    assert document.json()["openapi"].startswith("3.")
