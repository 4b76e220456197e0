"""Tables of all that fits a filter: one way for every list, streamed, bounded, without formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from souk.contexts.orders import api as orders
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http import csv as tables
from tests.fulfilment.factories import Sold, order
from tests.web import desks
from tests.web.conftest import Visitor
from tests.web.world import World


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


async def numbers(count: int) -> AsyncGenerator[int]:
    for number in range(count):
        yield number


async def test_a_file_has_an_end_and_says_so() -> None:
    for count, expected in ((3, ["0", "1", "2"]), (4, ["0", "1", "2", "only the first 3 rows"])):
        stream = tables.table("n", ["n"], numbers(count), lambda n: [n], most=3)
        text = b"".join([part async for part in stream.iterator]).decode()
        found = [row["n"] for row in rows_of(text)]
        assert [cell[:21] for cell in found] == expected


@pytest.mark.parametrize(
    ("value", "cell"),
    [(Money(-1250, "EUR"), "-12.50"), (-3, "-3"), ("=1+1", "'=1+1"), ("@x", "'@x"), (None, "")],
)
def test_cells_are_plain_and_run_nowhere(value: object, cell: str) -> None:
    assert tables.safe_cell(value) == cell


async def test_a_seller_takes_out_all_listings_that_fit(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    titles = {f"Quince {number:03}" for number in range(103)}
    for title in sorted(titles):
        await desks.draft(db, shop, title=title)
    await desks.draft(db, shop, title="=1+1 Medlar")
    html = await visitor.page("/sell/listings?q=quince&sort=title")
    assert "/sell/listings/table.csv?q=quince&amp;sort=title" in html
    answer = await visitor.get("/sell/listings/table.csv?q=quince&sort=title")
    assert answer.headers["content-type"].startswith("text/csv")
    found = rows_of(answer.text)
    assert [row["title"] for row in found] == sorted(titles)
    assert {(row["price"], row["currency"], row["stock"]) for row in found} == {
        ("19.00", "EUR", "5")
    }
    everything = (await visitor.get("/sell/listings/table.csv")).text
    assert "'=1+1 Medlar" in everything and len(rows_of(everything)) == 104
    assert rows_of((await visitor.get("/sell/listings/table.csv?state=active")).text) == []
    await desks.seller(db, other)
    assert rows_of((await other.get("/sell/listings/table.csv")).text) == []
    ticked = await visitor.submit(
        "/sell/listings/bulk", {"act": "export", "id": await _some(db, shop.id)}
    )
    assert list(rows_of(ticked.text)[0]) == list(found[0])


async def _some(db: Database, seller_id: UUID) -> str:
    async with db.read() as conn:
        return str(
            await conn.fetchval(
                "SELECT id FROM listings.listing WHERE seller_id = $1 LIMIT 1", seller_id
            )
        )


async def test_a_seller_takes_out_all_orders_in_the_lists_order(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    for quantity in range(1, 5):
        await order(db, [Sold(shop.id, quantity=quantity)], email="b@example.com", user_id=uuid7())
    async with db.read() as conn:
        listed = (await orders.seller_orders(conn, seller_id=shop.id)).items
    newest = [row.number for row in listed]
    for sort, expected in (("newest", newest), ("oldest", newest[::-1])):
        answer = await visitor.get(f"/sell/orders/table.csv?tab=all&sort={sort}")
        assert [row["order"] for row in rows_of(answer.text)] == expected
    assert "Export all (CSV)" in await visitor.page("/sell/orders?tab=all")


@pytest.mark.parametrize(
    "url",
    ["/admin/orders", "/admin/payments", "/admin/users", "/admin/sellers?state=all",
     "/admin/listings?state=all"],
)  # fmt: skip
async def test_every_list_of_operators_says_where_all_of_it_is(
    visitor: Visitor, world: World, db: Database, url: str
) -> None:
    await desks.admin(db, visitor)
    html = await visitor.page(url)
    path, _, filters = url.partition("?")
    assert f'href="{path}.csv?{filters}' in html.replace("&amp;", "&")
    assert "Export all (CSV)" in html
