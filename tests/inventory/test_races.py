"""Many buyers at once."""

from __future__ import annotations

import asyncio

from souk.contexts.inventory import api as inventory
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.inventory.factories import TEN_MINUTES, Shop, broken, consume, release, reserve


async def deadlocks(db: Database) -> int:
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )


async def test_two_hundred_reservations_race_for_twenty_units(db: Database) -> None:
    shop = await Shop(db, 20).open()

    async def buy() -> bool:
        checkout = uuid7()
        try:
            await reserve(db, checkout, (shop.variants[0], 1))
        except inventory.SoldOut:
            return False
        await consume(db, checkout)
        return True

    sold = await asyncio.gather(*(buy() for _ in range(200)))
    assert sum(sold) == 20
    assert await shop.numbers() == (0, 0, 0)
    assert await broken(db) == []


async def test_variants_in_opposite_order_never_deadlock(db: Database) -> None:
    shops = [await Shop(db, 60, 60).open() for _ in range(3)]
    variants = [variant for shop in shops for variant in shop.variants]

    async def buy(turn: int) -> None:
        checkout = uuid7()
        order = variants if turn % 2 else variants[::-1]
        await reserve(db, checkout, *((variant, 1) for variant in order))
        await (consume if turn % 3 else release)(db, checkout)

    await asyncio.gather(*(buy(turn) for turn in range(60)))
    assert [await shop.numbers(index) for shop in shops for index in (0, 1)] == [(20, 0, 20)] * 6
    assert await deadlocks(db) == 0


async def test_siblings_that_run_out_together_say_so_once_and_last(db: Database) -> None:
    shop = await Shop(db, *[1] * 10).open()
    await asyncio.gather(*(reserve(db, uuid7(), (variant, 1)) for variant in shop.variants))
    told = await shop.told()
    assert [in_stock for in_stock, _, _ in told].count(False) == 1
    assert told[-1] == (False, 0, False)


async def test_the_same_request_sent_many_times_counts_once(db: Database) -> None:
    shop = await Shop(db, 10, 10).open()
    lines = [(variant, 2) for variant in shop.variants]
    checkout = uuid7()
    await asyncio.gather(*(reserve(db, checkout, *lines) for _ in range(24)))
    assert [await shop.numbers(index) for index in (0, 1)] == [(10, 2, 8)] * 2
    assert await broken(db) == []


async def test_what_another_call_reserved_meanwhile_is_replaced_too(db: Database) -> None:
    both, other = await Shop(db, 10).open(), await Shop(db, 10).open()
    shared, extra = both.variants[0], other.variants[0]
    checkout = uuid7()
    second: list[asyncio.Task[None]] = []

    async def first(tx: WriteTx) -> None:
        until = tx.clock.now() + TEN_MINUTES
        await inventory.reserve(
            tx, checkout_id=checkout, lines=[(shared, 1), (extra, 3)], expires_at=until
        )
        second.append(asyncio.create_task(reserve(db, checkout, (shared, 5))))
        await asyncio.sleep(0.2)

    await db.transact(first)
    await second[0]
    assert await both.numbers() == (10, 5, 5)
    assert await other.numbers() == (10, 0, 10)
    assert await broken(db) == []
