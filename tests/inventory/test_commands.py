"""Inventory on a real database: what is written, what is refused, what others are told."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.inventory.api import Reason
from souk.kernel.clock import SettableClock
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx, count_statements
from tests.inventory.factories import (
    ACTOR,
    TEN_MINUTES,
    Shop,
    broken,
    consume,
    release,
    reserve,
)


async def test_stock_goes_from_shelf_to_reservation_to_sale(db: Database) -> None:
    shop = await Shop(db, 10).open()
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 4))
    assert await shop.numbers() == (10, 4, 6)
    await consume(db, checkout, "ORDER-9")
    assert await shop.numbers() == (6, 0, 6)
    async with db.read() as conn:
        page = await inventory.movements(conn, shop.seller_id, shop.variants[0])
    assert [(m.delta, m.balance, m.reason, m.reference, m.actor) for m in page.items] == [
        (-4, 6, "sale", "ORDER-9", "system:test"),
        (10, 10, "initial", "", "system:test"),
    ]
    assert await broken(db) == []


async def test_every_call_costs_few_statements(db: Database) -> None:
    shop = await Shop(db, 10, 10, None).open()
    checkout = uuid7()
    lines = [(variant, 2) for variant in shop.variants]
    until = db.clock.now() + TEN_MINUTES

    async def whole(tx: WriteTx) -> list[int]:
        costs: list[int] = []
        async with count_statements() as count:
            await inventory.reserve(tx, checkout_id=checkout, lines=lines, expires_at=until)
            costs.append(count.total)
            await inventory.extend(tx, checkout, until + TEN_MINUTES)
            costs.append(count.total)
            await inventory.consume(tx, ACTOR, checkout_id=checkout, reference="A")
            costs.append(count.total)
            await inventory.availability(tx, shop.variants)
            costs.append(count.total)
        return costs

    assert await db.transact(whole) == [3, 4, 6, 7]


async def test_lines_that_share_stock_are_summed(db: Database) -> None:
    shop = await Shop(db, 5).open()
    only = shop.variants[0]
    with pytest.raises(inventory.SoldOut) as refused:
        await reserve(db, uuid7(), (only, 3), (only, 3))
    assert refused.value.fields == {"lines": [{"variant_id": str(only), "wanted": 6, "left": 5}]}
    await reserve(db, uuid7(), (only, 3), (only, 2))
    assert await shop.numbers() == (5, 5, 0)


async def test_sold_out_names_every_short_variant_and_changes_nothing(db: Database) -> None:
    shop = await Shop(db, 5, 1, 0, None).open()
    stranger = uuid7()
    plenty, one, none, file = shop.variants
    with pytest.raises(inventory.SoldOut) as refused:
        await reserve(db, uuid7(), (plenty, 5), (one, 2), (none, 1), (file, 99), (stranger, 1))
    assert {(s.variant_id, s.wanted, s.left) for s in refused.value.shortages} == {
        (one, 2, 1),
        (none, 1, 0),
        (stranger, 1, 0),
    }
    assert await shop.numbers(0) == (5, 0, 5)


async def test_a_caught_refusal_leaves_the_transaction_usable(db: Database) -> None:
    shop = await Shop(db, 2).open()
    first, second = uuid7(), uuid7()
    await reserve(db, first, (shop.variants[0], 2))

    async def work(tx: WriteTx) -> None:
        until = tx.clock.now() + TEN_MINUTES
        with pytest.raises(inventory.SoldOut):
            await inventory.reserve(
                tx, checkout_id=second, lines=[(shop.variants[0], 1)], expires_at=until
            )
        await inventory.release(tx, first)

    await db.transact(work)
    assert await shop.numbers() == (2, 0, 2)


async def test_reserving_again_replaces_what_the_checkout_held(db: Database) -> None:
    shop = await Shop(db, 5, 5).open()
    first, second = shop.variants
    checkout = uuid7()
    await reserve(db, checkout, (first, 4))
    await reserve(db, checkout, (first, 4))
    assert await shop.numbers(0) == (5, 4, 1)
    await reserve(db, checkout, (first, 5))
    await reserve(db, checkout, (second, 1))
    assert await shop.numbers(0) == (5, 0, 5)
    assert await shop.numbers(1) == (5, 1, 4)
    await reserve(db, checkout)
    assert await shop.numbers(1) == (5, 0, 5)
    assert await broken(db) == []


async def test_release_puts_back_and_may_be_repeated(db: Database) -> None:
    shop = await Shop(db, 5).open()
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 4))
    await release(db, checkout)
    await release(db, checkout)
    assert await shop.numbers() == (5, 0, 5)


async def test_a_reservation_is_consumed_once(db: Database) -> None:
    shop = await Shop(db, 5).open()
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 2))
    await consume(db, checkout)
    with pytest.raises(inventory.ReservationGone):
        await consume(db, checkout)
    assert await shop.numbers() == (3, 0, 3)


async def test_a_variant_without_a_count_never_runs_out(db: Database) -> None:
    shop = await Shop(db, None).open()
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 1_000))
    assert await shop.numbers() == (0, 0, inventory.UNLIMITED)
    await consume(db, checkout)
    with pytest.raises(inventory.ReservationGone):
        await consume(db, checkout)
    await db.transact(
        lambda tx: inventory.put_back(tx, ACTOR, lines=[(shop.variants[0], 9)], reference="R")
    )
    assert await shop.numbers() == (0, 0, inventory.UNLIMITED)
    with pytest.raises(inventory.StockNotCounted):
        await shop.adjust(delta=1)
    assert await broken(db) == []


async def test_goods_come_back_to_the_shelf_as_a_movement(db: Database) -> None:
    shop = await Shop(db, 5, 1).open()
    first, second = shop.variants
    lines = [(first, 1), (second, 2), (first, 1), (uuid7(), 3)]
    await db.transact(lambda tx: inventory.put_back(tx, ACTOR, lines=lines, reference="C-1"))
    assert await shop.numbers(0) == (7, 0, 7)
    assert await shop.numbers(1) == (3, 0, 3)
    async with db.read() as conn:
        page = await inventory.movements(conn, shop.seller_id, first)
    newest = page.items[0]
    assert (newest.delta, newest.reason, newest.reference) == (2, "return", "C-1")


@pytest.mark.parametrize("quantity", [0, -1])
async def test_a_quantity_below_one_is_refused(db: Database, quantity: int) -> None:
    shop = await Shop(db, 5).open()
    lines = [(shop.variants[0], quantity)]
    with pytest.raises(InvalidInput):
        await reserve(db, uuid7(), *lines)
    with pytest.raises(InvalidInput):
        await db.transact(lambda tx: inventory.put_back(tx, ACTOR, lines=lines, reference="R"))


async def test_setting_up_twice_keeps_the_first_count(db: Database) -> None:
    shop = await Shop(db, 5).open()
    shop.stocks = (9,)
    await shop.open()
    assert await shop.numbers() == (5, 0, 5)
    assert await broken(db) == []


async def test_set_up_refuses_impossible_numbers(db: Database) -> None:
    with pytest.raises(InvalidInput):
        await Shop(db, -1).open()


async def test_adjusting(db: Database) -> None:
    shop = await Shop(db, 5).open()
    assert await shop.adjust(delta=3) == 8
    assert await shop.adjust(absolute=4) == 4
    assert await shop.adjust(absolute=4) == 4
    await reserve(db, uuid7(), (shop.variants[0], 3))
    with pytest.raises(inventory.StockTooLow) as refused:
        await shop.adjust(delta=-2)
    assert refused.value.fields == {"on_hand": 4, "reserved": 3}
    assert await shop.adjust(delta=-1) == 3
    async with db.read() as conn:
        page = await inventory.movements(conn, shop.seller_id, shop.variants[0], limit=2)
        rest = await inventory.movements(
            conn, shop.seller_id, shop.variants[0], limit=2, cursor=page.next_cursor
        )
    assert [(m.delta, m.balance) for m in page.items] == [(-1, 3), (-4, 4)]
    assert [(m.delta, m.balance) for m in rest.items] == [(3, 8), (5, 5)]
    assert rest.next_cursor is None


async def test_another_sellers_stock_is_not_found(db: Database) -> None:
    mine, theirs = await Shop(db, 5).open(), await Shop(db, 5).open()
    theirs.seller_id = mine.seller_id
    with pytest.raises(NotFound):
        await theirs.adjust(delta=1)
    async with db.read() as conn:
        with pytest.raises(NotFound):
            await inventory.movements(conn, mine.seller_id, theirs.variants[0])


@pytest.mark.parametrize("reason", [Reason.SALE, Reason.INITIAL])
async def test_a_seller_cannot_write_the_programs_reasons(db: Database, reason: Reason) -> None:
    shop = await Shop(db, 5).open()
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: inventory.adjust(
                tx,
                ACTOR,
                seller_id=shop.seller_id,
                variant_id=shop.variants[0],
                delta=1,
                reason=reason,
            )
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory.movement SET delta = 1",
        "DELETE FROM inventory.movement",
        "TRUNCATE inventory.movement",
    ],
)
async def test_the_database_refuses_to_change_movements(db: Database, statement: str) -> None:
    await Shop(db, 5).open()
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.transact(lambda tx: tx.execute(statement))


@pytest.mark.parametrize(
    "change", ["on_hand = -1", "reserved = 6", "reserved = -1", "tracked = false"]
)
async def test_the_database_refuses_impossible_stock(db: Database, change: str) -> None:
    shop = await Shop(db, 5).open()
    with pytest.raises(asyncpg.CheckViolationError):
        await db.transact(
            lambda tx: tx.execute(
                f"UPDATE inventory.stock SET {change} WHERE variant_id = $1", shop.variants[0]
            )
        )


async def past_hold(db: Database) -> list[UUID]:
    async with db.read() as conn:
        return await inventory.checkouts_past_hold(conn, limit=1_000)


async def test_expiry(db: Database, clock: SettableClock) -> None:
    shop = await Shop(db, 10).open()
    late, extended, fresh = uuid7(), uuid7(), uuid7()
    await reserve(db, late, (shop.variants[0], 1))
    await reserve(db, extended, (shop.variants[0], 2))
    await reserve(db, fresh, (shop.variants[0], 3), hold=TEN_MINUTES * 3)
    until = clock.now() + TEN_MINUTES * 2
    await db.transact(lambda tx: inventory.extend(tx, extended, until))
    await db.transact(lambda tx: inventory.extend(tx, extended, until - TEN_MINUTES))
    clock.advance(TEN_MINUTES)
    with pytest.raises(inventory.ReservationGone):
        await consume(db, late)
    assert late in await past_hold(db)
    assert extended not in await past_hold(db)
    # Time alone releases nothing: until somebody does, the hold can be extended.
    assert await shop.numbers() == (10, 6, 4)
    await db.transact(lambda tx: inventory.extend(tx, late, until))
    assert late not in await past_hold(db)
    clock.advance(TEN_MINUTES)
    held = await past_hold(db)
    assert {late, extended} <= set(held)
    await db.transact(lambda tx: inventory.release_all(tx, held))
    assert await shop.numbers() == (10, 3, 7)
    with pytest.raises(inventory.ReservationGone):
        await db.transact(lambda tx: inventory.extend(tx, late, until))
    await consume(db, fresh)
    assert await shop.numbers() == (7, 0, 7)


async def test_a_forgotten_reservation_is_a_violation(db: Database, clock: SettableClock) -> None:
    shop = await Shop(db, 1).open()
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 1))

    async def named() -> list[str]:
        return [row.invariant for row in await broken(db) if row.subject == str(checkout)]

    clock.advance(TEN_MINUTES * 2)
    assert await named() == []
    clock.advance(timedelta(seconds=1))
    assert await named() == ["inventory.expired"]
    await release(db, checkout)
    assert await named() == []


async def test_verify_finds_tampering(db: Database) -> None:
    shop = await Shop(db, 7).open()

    async def after(change: str) -> list[str]:
        await db.transact(
            lambda tx: tx.execute(
                f"UPDATE inventory.stock SET {change} WHERE variant_id = $1", shop.variants[0]
            )
        )
        return [row.invariant for row in await broken(db) if row.subject == str(shop.variants[0])]

    assert await after("on_hand = 8") == ["inventory.on_hand"]
    assert await after("on_hand = 7, reserved = 2") == ["inventory.reserved"]
    assert await after("reserved = 0") == []


async def test_others_hear_only_of_what_buyers_see(db: Database) -> None:
    shop = await Shop(db, 10, 0).open()
    assert await shop.told() == [(True, 10, False)]
    first, second, third = uuid7(), uuid7(), uuid7()
    await reserve(db, first, (shop.variants[0], 6))
    assert len(await shop.told()) == 1
    await reserve(db, second, (shop.variants[0], 1))
    assert (await shop.told())[1:] == [(True, 3, True)]
    await reserve(db, third, (shop.variants[0], 3))
    assert (await shop.told())[2:] == [(False, 0, False)]
    await consume(db, third)
    assert len(await shop.told()) == 3
    await release(db, first)
    assert (await shop.told())[3:] == [(True, 6, False)]
    await shop.adjust(1, delta=2)
    assert (await shop.told())[4:] == [(True, 8, True)]


async def test_an_empty_listing_is_news_only_when_it_fills(db: Database) -> None:
    shop = await Shop(db, 0).open()
    assert await shop.told() == []
    await shop.adjust(delta=10)
    assert await shop.told() == [(True, 10, False)]
    files = await Shop(db, None, 0).open()
    assert [(e["unlimited"], e["in_stock"]) for _, e in await files.events()] == [(True, True)]


async def test_the_seller_is_warned_when_the_shelf_reaches_the_threshold(db: Database) -> None:
    shop = await Shop(db, 5).open()
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 2))
    assert [name for name, _ in await shop.events()] == ["stock_changed", "stock_changed"]
    await consume(db, checkout)
    name, event = (await shop.events())[-1]
    assert name == "low_stock"
    assert event == {
        "listing_id": str(shop.listing_id),
        "variant_id": str(shop.variants[0]),
        "seller_id": str(shop.seller_id),
        "on_hand": 3,
        "low_stock_at": 3,
    }
    await shop.adjust(delta=-1)
    assert [name for name, _ in await shop.events()].count("low_stock") == 1
