"""Reports against the same figures worked out from the list of movements."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.inventory import http
from souk.contexts.inventory.api import Reason
from souk.kernel.actor import Actor, Role
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database, Record, count_statements
from tests.conftest import Client
from tests.inventory.factories import ACTOR, Shop, consume, reserve

BASE = "/api/v1/inventory/reports"


@pytest.fixture
def client(make_client: Callable[[Sequence[Any]], Client]) -> Client:
    return make_client(http.routes)


def seller(shop: Shop) -> Actor:
    return Actor(
        kind="user", user_id=uuid7(), seller_id=shop.seller_id, roles=frozenset({Role.SELLER})
    )


async def busy(db: Database, clock: SettableClock, *, days: int, variants: int = 4) -> Shop:
    """A shop that received, sold, lost and took back goods on many days."""
    chance = random.Random(days)
    shop = await Shop(db, *[chance.randint(5, 20) for _ in range(variants)], None, 3).open()
    for _ in range(days):
        clock.advance(timedelta(days=1))
        variant = chance.choice(shop.variants[:variants])
        level = (await shop.see(shop.variants.index(variant))).on_hand
        act = chance.choice(["sale", "sale", "restock", "loss", "return"])
        if act == "sale" and level:
            checkout = uuid7()
            await reserve(db, checkout, (variant, chance.randint(1, min(level, 3))))
            await consume(db, checkout, "order:T-1")
        elif act == "return":
            await db.transact(
                lambda tx, one=variant: inventory.put_back(
                    tx, ACTOR, lines=[(one, 1)], reference="order:T-1"
                )
            )
        elif act == "restock" or level:
            delta = chance.randint(1, 5) if act == "restock" else -1
            await db.transact(
                lambda tx, one=variant, delta=delta, act=act: inventory.adjust(
                    tx, ACTOR, seller_id=shop.seller_id, variant_id=one, delta=delta,
                    reason=Reason(act) if act in {"restock", "loss"} else Reason.CORRECTION,
                )
            )  # fmt: skip
    return shop


async def moved(db: Database, shop: Shop) -> list[Record]:
    async with db.read() as conn:
        return await conn.fetch(
            "SELECT variant_id, delta, reason, at FROM inventory.movement"
            " WHERE variant_id = ANY($1::uuid[]) ORDER BY id",
            shop.variants,
        )


@pytest.mark.parametrize("step", ["day", "week", "month"])
async def test_movements_by_period(db: Database, clock: SettableClock, step: str) -> None:
    shop = await busy(db, clock, days=40)
    since, until = clock.now() - timedelta(days=30), clock.now() - timedelta(days=5)
    expected: dict[tuple[Any, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in await moved(db, shop):
        if since <= row["at"] < until:
            day = row["at"].astimezone(UTC).date()
            start = {
                "day": day,
                "week": day - timedelta(days=day.weekday()),
                "month": day.replace(day=1),
            }[step]
            expected[start, row["reason"]][row["delta"] < 0] += abs(row["delta"])
    async with db.read() as conn:
        found = await inventory.movement_sums(
            conn, shop.seller_id, since=since, until=until, step=step  # type: ignore[arg-type]
        )  # fmt: skip
    got = {(row.start, row.reason): [row.pieces_in, row.pieces_out] for row in found}
    assert got == expected
    assert [row.start for row in found] == sorted(row.start for row in found)


async def test_sell_through_adds_up(db: Database, clock: SettableClock) -> None:
    shop = await busy(db, clock, days=40)
    since, until = clock.now() - timedelta(days=25), clock.now() - timedelta(days=4)
    rows = await moved(db, shop)

    def level(variant: UUID, at: datetime) -> int:
        return sum(r["delta"] for r in rows if r["variant_id"] == variant and r["at"] < at)

    async with db.read() as conn:
        found = (
            await inventory.sell_through(conn, shop.seller_id, since=since, until=until, limit=100)
        ).items
        total = await inventory.sell_through_total(conn, shop.seller_id, since=since, until=until)
    assert found, "something was there to sell"
    for row in found:
        assert row.opening == level(row.variant_id, since)
        assert row.closing == level(row.variant_id, until)
        assert row.closing == row.opening + row.received - row.sold + row.returned - row.lost
        there = row.opening + row.received
        assert row.rate_bp == max(0, row.sold - row.returned) * 10_000 // there
    assert total.sold == sum(row.sold for row in found)
    assert total.closing == sum(row.closing for row in found)
    best = [row.sold - row.returned for row in found]
    assert best == sorted(best, reverse=True)


async def test_ageing(db: Database, clock: SettableClock) -> None:
    shop = await Shop(db, 5, 5, 5, 0, None).open()
    first, second, _never, *_ = shop.variants
    clock.advance(timedelta(days=40))
    for variant, wait in ((first, 60), (second, 100)):
        checkout = uuid7()
        await reserve(db, checkout, (variant, 1))
        await consume(db, checkout, "order:T-2")
        clock.advance(timedelta(days=wait))
    async with db.read() as conn:
        page = await inventory.ageing(conn, shop.seller_id, limit=2)
        rest = await inventory.ageing(conn, shop.seller_id, cursor=page.next_cursor, limit=2)
        groups = await inventory.age_groups(conn, shop.seller_id)
    rows = [*page.items, *rest.items]
    assert [row.variant_id for row in rows] == [shop.variants[2], first, second]
    assert [row.days_since_sale for row in rows] == [None, 160, 100]
    assert {row.days_since_receipt for row in rows} == {200}
    assert [row.idle_days for row in rows] == [200, 160, 100]
    assert [(group.over, group.up_to, group.pieces) for group in groups] == [
        (0, 30, 0), (30, 90, 0), (90, 180, 8), (180, None, 5),
    ]  # fmt: skip


async def test_reports_over_the_routes(client: Client, db: Database, clock: SettableClock) -> None:
    shop = await busy(db, clock, days=20)
    other = await Shop(db, 7).open()
    client.act_as.actor = seller(shop)
    for name in ("movements", "sell-through", "ageing"):
        answer = await client.get(f"{BASE}/{name}")
        assert answer.status_code == 200, answer.text
        ids = {item.get("variant_id") for item in answer.json()["items"]}
        assert str(other.variants[0]) not in ids
    weeks = await client.get(f"{BASE}/movements", params={"step": "week"})
    assert len(weeks.json()["items"]) < 20
    for wrong in (
        {"from": "2026-03-02", "until": "2026-03-01"},
        {"from": "2001-01-01", "until": "2026-01-01"},
        {"until": "9999-12-31"},
        {"from": "0001-01-01"},
        {"step": "hour"},
    ):
        answer = await client.get(f"{BASE}/movements", params=wrong)
        assert answer.status_code in {400, 422}, (wrong, answer.text)


async def test_a_report_asks_as_much_for_fifty_variants_as_for_one(
    db: Database, clock: SettableClock
) -> None:
    one, many = await Shop(db, 5).open(), await Shop(db, *[5] * 50).open()
    counts: list[int] = []
    for shop in (one, many):
        async with db.read() as conn, count_statements() as seen:
            now = clock.now()
            await inventory.ageing(conn, shop.seller_id)
            await inventory.sell_through(
                conn, shop.seller_id, since=now - timedelta(days=30), until=now
            )
            await inventory.all_movements(conn, shop.seller_id)
        counts.append(seen.total)
    assert counts[0] == counts[1]


async def test_the_least_comes_first(db: Database) -> None:
    shop = await Shop(db, 5, 0, None, 2, 2).open()
    found: list[UUID] = []
    cursor: str | None = None
    async with db.read() as conn:
        while True:
            page = await inventory.stock(
                conn, shop.seller_id, least_first=True, cursor=cursor, limit=2
            )
            found += [row.variant_id for row in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        counts = await inventory.stock_counts(conn, shop.seller_id)
        out = await inventory.stock(conn, shop.seller_id, show="out")
        some = await inventory.stock(conn, shop.seller_id, variant_ids=shop.variants[:1])
    v = shop.variants
    assert found == [v[1], v[3], v[4], v[0], v[2]]
    assert (counts.all, counts.low, counts.out) == (5, 3, 1)
    assert [row.variant_id for row in out.items] == [v[1]]
    assert [row.variant_id for row in some.items] == [v[0]]
