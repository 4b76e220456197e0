"""Statements say the same whether balances were carried into months or not, and read less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger import jobs
from souk.contexts.ledger.statements import queries
from souk.kernel.clock import SettableClock
from souk.platform.database import Database
from souk.platform.services import Services
from tests.ledger.factories import Sale, end_holds, eur

DAY = timedelta(days=1)
MONTHS = 5


async def history(db: Database, clock: SettableClock) -> Any:
    """A seller's sales over some months; in the third nothing happens."""
    first = Sale(db)
    for month in range(MONTHS):
        if month != 2:
            for _ in range(2):
                sale = Sale(db, seller_id=first.seller_id)
                await sale.capture()
                await sale.release()
                await end_holds(db)
                clock.advance(3 * DAY)
            await sale.pay_out(eur("10.00"))
            if month == 3:
                await sale.refund()
        clock.advance(31 * DAY - 6 * DAY * (month != 2))
    return first.seller_id


async def told(db: Database, seller_id: Any, began: datetime) -> list[Any]:
    """Statements of every ten days, of each month, and of everything."""
    now = db.clock.now()
    days = [began + 10 * DAY * step for step in range((now - began).days // 10 + 2)]
    first = began.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = sorted({(first + 28 * DAY * step).replace(day=1) for step in range(9)})
    spans = [*pairwise(days), *pairwise(months), (began, now + DAY)]
    async with db.read() as conn:
        return [
            await ledger.statements(conn, seller_id, since=since, until=until)
            for since, until in spans
        ]


async def postings_read(db: Database, seller_id: Any, since: datetime, until: datetime) -> int:
    async with db.read() as conn:
        plan = await conn.fetchval(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + queries._STATEMENTS, seller_id, since, until
        )

    def rows(node: dict[str, Any]) -> float:
        own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        mine = own * node["Actual Loops"] if node.get("Relation Name") == "posting" else 0
        return mine + sum(rows(one) for one in node.get("Plans", []))

    found = msgspec.json.decode(plan) if isinstance(plan, str) else plan
    return round(rows(found[0]["Plan"]))


async def test_carried_balances_change_nothing_but_what_is_read(
    db: Database, clock: SettableClock, services: Services
) -> None:
    began = clock.now()
    seller_id = await history(db, clock)
    before = await told(db, seller_id, began)
    assert before[-1][0].closing != 0
    await jobs.carry_balances(services)
    async with db.read() as conn:
        carried = await conn.fetchval("SELECT count(*) FROM ledger.carried")
    assert carried > MONTHS
    assert await told(db, seller_id, began) == before
    await jobs.carry_balances(services)
    async with db.read() as conn:
        assert await conn.fetchval("SELECT count(*) FROM ledger.carried") == carried
    # What comes after the last run is there too.
    sale = Sale(db, seller_id=seller_id)
    await sale.capture()
    await sale.release()
    async with db.read() as conn:
        [now] = await ledger.statements(
            conn, seller_id, since=clock.now() - DAY, until=clock.now() + DAY
        )
    assert now.opening == before[-1][0].closing
    assert now.closing > now.opening
    assert [kind.kind for kind in now.kinds] == ["released"]


async def test_a_month_is_read_without_the_months_around_it(
    db: Database, clock: SettableClock, services: Services
) -> None:
    clock.advance(datetime(2031, 1, 2, tzinfo=UTC) - clock.now())
    seller_id = await history(db, clock)
    since, until = datetime(2031, 2, 1, tzinfo=UTC), datetime(2031, 3, 1, tzinfo=UTC)
    whole = await postings_read(db, seller_id, since, until)
    await jobs.carry_balances(services)
    assert await postings_read(db, seller_id, since, until) * 2 < whole
