"""Orders, stock, storefront and money at the seller's desk, in forms alone."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from uuid import UUID

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database, WriteTx, count_statements
from souk.web.csv import csv_of
from souk.web.sell.periods import Period
from tests.fulfilment.factories import Sold, order
from tests.web import desks
from tests.web.conftest import Visitor, text_of
from tests.web.world import World

LISTS = [
    "/sell", "/sell?days=365", "/sell/orders?tab=all", "/sell/stock", "/sell/stock/movements",
    "/sell/stock/reports/value", "/sell/stock/reports/movements", "/sell/stock/reports/ageing",
    "/sell/stock/reports/sell-through", "/sell/balance", "/sell/storefront", "/sell/settings",
]  # fmt: skip


async def sold(db: Database, shop: sellers.Seller, **more: int) -> UUID:
    """A paid order of the shop; answers the seller's part."""
    await order(db, [Sold(shop.id, **more)], email="b@example.com", user_id=uuid7())
    async with db.read() as conn:
        return (await orders.seller_orders(conn, seller_id=shop.id)).items[0].id


async def earn(db: Database, shop: sellers.Seller, part_id: UUID, amount: int) -> None:
    """Money of an order comes into the shop's balance and waits for three days."""

    async def work(tx: WriteTx) -> None:
        share = ledger.OrderShare(part_id, Money(amount, "EUR"), {})
        await ledger.post(
            tx,
            desks.OPERATOR,
            ledger.draft.captured(
                payment_id=uuid7(), gateway="sandbox", order_number="T-1", currency="EUR",
                shares=[share], cause="test",
            ),
        )  # fmt: skip
        await ledger.release_escrow(
            tx, desks.OPERATOR, seller_order_id=part_id, seller_id=shop.id, order_number="T-1",
            amount=Money(amount, "EUR"),
            commission=ledger.CommissionShare(
                Money(100, "EUR"), Money(0, "EUR"), jurisdiction="operator"
            ),
            release_at=tx.clock.now() + timedelta(days=3), cause=f"seller_order:{part_id}",
        )  # fmt: skip

    await db.transact(work)


@pytest.mark.parametrize("url", LISTS)
async def test_pages_ask_as_much_for_fifty_rows_as_for_one(
    visitor: Visitor, world: World, db: Database, url: str
) -> None:
    shop = await desks.seller(db, visitor)
    await desks.draft(db, shop)
    await earn(db, shop, await sold(db, shop), 1_000)
    await visitor.page(url)
    async with count_statements() as one:
        await visitor.page(url)
    for n in range(49):
        await desks.draft(db, shop, title=f"Fig {n}")
        await sold(db, shop)
    async with db.read() as conn:
        parts = (await orders.seller_orders(conn, seller_id=shop.id, limit=50)).items
    for part in parts[:20]:
        await earn(db, shop, part.id, 1_000)
    async with count_statements() as many:
        html = await visitor.page(url)
    assert many.total <= one.total, f"{one.total} for one row, {many.total} for fifty"
    assert "style=" not in html


async def test_a_new_seller_is_led_to_the_first_order(
    visitor: Visitor, world: World, db: Database
) -> None:
    await desks.seller(db, visitor)
    words = text_of(await visitor.page("/sell"))
    assert "1 of 5 done" in words and "Say how you deliver and what it costs" in words
    await visitor.submit("/sell/storefront", {"name": "Figs and more", "bio": "Only figs."})
    assert "2 of 5 done" in text_of(await visitor.page("/sell"))


async def test_today_names_what_waits_and_until_when(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    await sold(db, shop, quantity=2)
    form = {"on_hand": "0", "low_stock_at": "4", "reason": "loss"}
    await visitor.submit(f"/sell/stock/{listing.variants[0].id}", form)

    async def send_back(tx: WriteTx) -> None:
        await tx.execute(
            "UPDATE listings.listing SET review_note = 'Show the roots, please.' WHERE id = $1",
            listing.id,
        )

    await db.transact(send_back)
    words = text_of(await visitor.page("/sell"))
    assert "accept by" in words and "just now" in words
    assert "Sold out" in words and "Fig tree" in words
    assert "Sent back" in words and "Show the roots, please." in words
    assert "€24.90" in words, "two pieces and the delivery are the sales of the period"
    assert "nothing in the period before" in words


async def test_orders_are_found_filtered_and_taken_along(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    ids = [await sold(db, shop) for _ in range(3)]
    async with db.read() as conn:
        rows = (await orders.seller_orders(conn, seller_id=shop.id)).items
    number = rows[0].number
    html = await visitor.page(f"/sell/orders?tab=all&q={number[2:8]}")
    assert number in html and rows[1].number not in html
    assert "No order fits" in await visitor.page("/sell/orders?q=nothing-like-it")
    assert "No order fits" in await visitor.page("/sell/orders?end=2001-01-01")
    answer = await visitor.get("/sell/orders?start=tomorrow")
    assert answer.status_code == 303
    await visitor.submit("/sell/orders/bulk", {"act": "accept", "id": str(ids[0])})
    await visitor.submit(f"/sell/orders/{ids[1]}/pack")
    words = text_of(await visitor.page("/sell/orders"))
    assert "To accept 1" in words and "To pack 1" in words and "To hand over 1" in words
    assert "The parcel is packed." in text_of(await visitor.page(f"/sell/orders/{ids[1]}"))
    answer = await visitor.submit("/sell/orders/bulk", {"act": "slips", "id": str(ids[2])})
    assert answer.status_code == 200 and "Packing slip" in answer.text
    async with db.read() as conn:
        page = await orders.desk_orders(
            conn, seller_id=shop.id, only=orders.DeskFilter(oldest_first=True), limit=2
        )
        rest = await orders.desk_orders(
            conn, seller_id=shop.id, only=orders.DeskFilter(oldest_first=True),
            cursor=page.next_cursor,
        )  # fmt: skip
        assert [row.id for row in [*page.items, *rest.items]] == ids
        beside = await orders.neighbours(
            conn, seller_id=shop.id, seller_order_id=ids[1], states=("confirmed", "processing")
        )
    assert (beside.before, beside.after) == (ids[0], ids[2])


async def test_tables_for_spreadsheets(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await desks.seller(db, other)
    await desks.draft(db, shop, title="=1+1")
    part = await sold(db, shop)
    await earn(db, shop, part, 1_000)
    async with db.read() as conn:
        number = (await orders.seller_order(conn, part)).number
    reports = ("value", "movements", "ageing", "sell-through")
    expected = {
        "/sell/orders/table.csv": number,
        "/sell/stock/table.csv": "'=1+1",
        "/sell/balance/statement.csv": "9.00",
        **{f"/sell/stock/reports/{name}.csv": "" for name in reports},
    }
    for url, content in expected.items():
        answer = await visitor.get(url)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
        assert content in answer.text, url
        assert number not in (await other.get(url)).text
        assert "1+1" not in (await other.get(url)).text
    assert csv_of(["a"], [["@x"], [-5], [None]]) == '\ufeffa\r\n\'@x\r\n-5\r\n""\r\n'


async def test_many_counts_are_saved_at_once(visitor: Visitor, world: World, db: Database) -> None:
    shop = await desks.seller(db, visitor)
    first, second = [await desks.draft(db, shop, title=title) for title in ("Fig", "Vine")]
    a, b = first.variants[0].id, second.variants[0].id
    form = {
        f"on_hand.{a}": "9", f"was.{a}": "5", f"on_hand.{b}": "5", f"was.{b}": "5",
        "reason": "restock", "note": "from the field",
    }  # fmt: skip
    assert (
        await visitor.submit("/sell/stock", {**form, f"on_hand.{a}": "many"})
    ).status_code == 422
    assert (await visitor.submit("/sell/stock", {**form, "reason": ""})).status_code == 422
    assert (await visitor.submit("/sell/stock", {**form, f"on_hand.{a}": "5"})).status_code == 422
    assert (await visitor.submit("/sell/stock", form)).status_code == 303
    async with db.read() as conn:
        assert (await inventory.stock_of(conn, shop.id, a)).on_hand == 9
        moves = (await inventory.all_movements(conn, shop.id)).items
    assert [(move.variant_id, move.delta, move.reference) for move in moves[:1]] == [
        (a, 4, "from the field")
    ]
    assert sum(move.variant_id == b for move in moves) == 1, "what was not changed is not moved"
    words = text_of(await visitor.page("/sell/stock?q=vine"))
    assert "Vine" in words and "Fig" not in words
    assert "from the field" in text_of(await visitor.page("/sell/stock/movements?reason=restock"))
    assert "Nothing of that name" in await visitor.page("/sell/stock?q=oak")


async def test_nobody_counts_anothers_stock(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await desks.seller(db, other)
    variant = (await desks.draft(db, shop)).variants[0].id
    form = {f"on_hand.{variant}": "0", f"was.{variant}": "5", "reason": "loss"}
    answer = await other.submit("/sell/stock", form)
    assert answer.status_code == 303
    async with db.read() as conn:
        assert (await inventory.stock_of(conn, shop.id, variant)).on_hand == 5
    part = await sold(db, shop)
    for url in (f"/sell/orders/{part}/pack", f"/sell/orders/{part}/cancel-lines"):
        answer = await other.submit(url, {"reason": "not mine"})
        assert answer.status_code == 404, url
    assert (await other.get(f"/sell/orders/{part}/cancel-lines")).status_code == 404
    assert (await other.get(f"/sell/orders/slips?id={part}")).status_code == 303


async def test_every_posting_is_explained(visitor: Visitor, world: World, db: Database) -> None:
    shop = await desks.seller(db, visitor)
    part = await sold(db, shop)
    await earn(db, shop, part, 1_000)
    html = await visitor.page("/sell/balance")
    words = text_of(html)
    assert "You earned an order" in words and f'href="/sell/orders/{part}"' in html
    assert "Can be paid out on" in words and "€9.00" in words
    assert "Yours in the end" in words and "Earned from orders, after commission" in words
    async with db.read() as conn:
        now = conn.clock.now()
        [before] = await ledger.statements(
            conn, shop.id, since=now + timedelta(days=1), until=now + timedelta(days=2)
        )
        [during] = await ledger.statements(
            conn, shop.id, since=now - timedelta(days=1), until=now + timedelta(days=1)
        )
    assert (before.opening, before.closing, before.kinds) == (900, 900, [])
    assert (during.opening, during.closing) == (0, 900)
    assert sum(kind.amount for kind in during.kinds) == 900
    assert "Nothing moved in these days" in await visitor.page(
        "/sell/balance?start=2001-01-01&end=2001-01-02"
    )
    assert (await visitor.get("/sell/balance?start=2026-02-02&end=2026-02-01")).status_code == 303


async def test_both_sides_of_a_move_are_explained_once_each(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await earn(db, shop, await sold(db, shop), 1_000)
    later = db.clock.now() + timedelta(days=4)
    while await db.transact(lambda tx: ledger.release_due(tx, later)):
        continue
    words = text_of(await visitor.page("/sell/balance"))
    assert words.count("hold period is over") == 1, words
    assert words.count("Free to be paid out, after its hold period") == 1
    assert "−€9.00" in words and "+€9.00" in words


def picture(width: int, height: int) -> bytes:
    import pyvips

    return (pyvips.Image.black(width, height, bands=3) + 90).cast("uchar").pngsave_buffer()


async def test_logo_banner_texts_and_a_preview(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    await visitor.get("/sell/storefront")
    token = {"_csrf": visitor.cookies["souk_csrf"]}
    for what, size in (("logo", (400, 400)), ("banner", (1_600, 400))):
        files = {what: (f"{what}.png", io.BytesIO(picture(*size)), "image/png")}
        url = f"/sell/storefront/pictures/{what}"
        answer = await visitor.post(url, data=token, files=files)
        assert answer.status_code == 303, answer.text
    bad = {"logo": ("logo.png", io.BytesIO(b"<svg onload=alert(1)>"), "image/png")}
    await visitor.post("/sell/storefront/pictures/logo", data=token, files=bad)
    assert "not a picture" in await visitor.page("/sell/storefront")
    async with db.read() as conn:
        before = await sellers.account(conn, seller_id=shop.id)
    assert before.logo_key and before.banner_key
    form = {
        "name": "Figs and more", "announcement": "New figs on Friday", "bio": "Only figs.",
        "links": "https://figs.example\nhttps://www.instagram.com/figs",
    }  # fmt: skip
    seen = await visitor.submit("/sell/storefront/preview", form)
    assert "This is a preview" in seen.text and "New figs on Friday" in seen.text
    assert "New figs on Friday" not in await visitor.page(f"/s/{shop.slug}")
    wrong = await visitor.submit("/sell/storefront", {**form, "links": "javascript:alert(1)"})
    assert wrong.status_code == 422 and "Write the whole address" in wrong.text
    assert (await visitor.submit("/sell/storefront", form)).status_code == 303
    await visitor.submit("/sell/settings", {"contact_email": "figs@example.org"})
    bad_mail = await visitor.submit("/sell/settings", {"contact_email": "figs"})
    assert bad_mail.status_code == 422 and "name@example.org" in bad_mail.text
    shown = await visitor.page(f"/s/{shop.slug}")
    for text in ("New figs on Friday", "instagram.com/figs", "figs@example.org", before.banner_key):
        assert text in shown, text
    assert "Take the banner away?" in await visitor.page("/sell/storefront/pictures/banner/remove")
    await visitor.submit("/sell/storefront/pictures/banner/remove")
    assert before.banner_key not in await visitor.page(f"/s/{shop.slug}")
    assert (await visitor.get("/sell/storefront/pictures/hat/remove")).status_code == 404


async def test_reports_show_what_lies_and_what_it_is_worth(
    visitor: Visitor, world: World, db: Database
) -> None:
    shop = await desks.seller(db, visitor)
    listing = await desks.draft(db, shop)
    words = text_of(await visitor.page("/sell/stock/reports"))
    assert "€95.00" in words, "five pieces at 19.00"
    answer = await visitor.get(
        "/api/v1/inventory/reports/value", headers={"accept": "application/json"}
    )
    assert answer.json()["totals"] == [
        {"currency": "EUR", "variants": 1, "pieces": 5, "value": 9_500}
    ]
    assert answer.json()["items"][0]["listing_id"] == str(listing.id)
    assert "never" in text_of(await visitor.page("/sell/stock/reports/ageing"))
    assert "0 %" in text_of(await visitor.page("/sell/stock/reports/sell-through?days=90"))
    assert "First stock" in text_of(await visitor.page("/sell/stock/reports/movements?days=365"))
    assert (await visitor.get("/sell/stock/reports/weather")).status_code == 404


def test_periods_lie_over_each_other() -> None:
    from datetime import UTC, date, datetime

    now = datetime(2026, 3, 31, 15, tzinfo=UTC)
    for days in (7, 30, 90, 365):
        period = Period.of(now, days)
        before = period.before()
        assert (period.until - period.since).days == days
        assert before.until == period.since
        each = [(day, 1) for day in period.each_day()]
        assert sum(period.sums(each)) == sum(period.blocks(each)) == days
        assert len(period.blocks(each)) == len(before.blocks([])) == len(period.block_starts())
        assert sum(before.blocks(each)) == 0
    assert Period.of(now, 365).step == "month"
    assert Period.of(now, 7).each_day()[-1] == date(2026, 3, 31)
    assert Period.of(now, 365).starts()[0] == date(2025, 4, 1)


async def test_variants_are_named_for_their_seller_alone(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    shop, stranger = await desks.seller(db, visitor), await desks.seller(db, other)
    variant = (await desks.draft(db, shop, title="Medlar")).variants[0].id
    async with db.read() as conn:
        assert (await listings.variant_names(conn, shop.id, [variant]))[variant].name == "Medlar"
        assert await listings.variant_names(conn, stranger.id, [variant]) == {}
        assert await listings.variants_like(conn, shop.id, "medl") == [variant]
        assert await listings.variants_like(conn, stranger.id, "medl") == []
    assert re.search("Medlar", await visitor.page("/sell/stock"))
