"""A seller's stock over JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath, FromQuery, QueryParameter

from souk.contexts.inventory import commands, queries
from souk.contexts.inventory.domain import MAX_ON_HAND, Reason
from souk.contexts.inventory.queries import (
    Ageing,
    MovementSum,
    MovementView,
    SellThrough,
    StockView,
)
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, Forbidden, InvalidInput
from souk.kernel.page import DEFAULT_LIMIT, MAX_LIMIT
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text

LimitQuery = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
CursorQuery = Annotated[str | None, QueryParameter(max_length=1024)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_ON_HAND)]
Change = Annotated[int, msgspec.Meta(ge=-MAX_ON_HAND, le=MAX_ON_HAND)]


class AdjustStock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Give `delta` to change the number on hand, or `on_hand` to set it."""

    reason: Reason
    delta: Change | None = None
    on_hand: Count | None = None
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


class ChangeStock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`low_stock_at`: from which number on hand downwards you are warned."""

    low_stock_at: Count


def _seller(actor: Actor) -> UUID:
    if actor.seller_id is None:
        raise Forbidden("Only sellers can do this. Apply to become a seller first.")
    return actor.seller_id


@get("/api/v1/inventory/stock", access=access.SELLER)
async def list_stock(
    db: Database,
    actor: Actor,
    *,
    low_only: FromQuery[bool] = False,
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> Listed[StockView]:
    """Your stock, oldest variant first; `low_only` keeps what is at its threshold or below."""
    async with db.read() as conn:
        page = await queries.stock(
            conn, _seller(actor), low_only=low_only, cursor=cursor, limit=limit
        )
    return Listed(page.items, page.next_cursor)


@get("/api/v1/inventory/stock/{variant_id:uuid}", access=access.SELLER)
async def show_stock(db: Database, actor: Actor, variant_id: FromPath[UUID]) -> StockView:
    """The stock of one of your variants."""
    async with db.read() as conn:
        return await queries.stock_of(conn, _seller(actor), variant_id)


@patch("/api/v1/inventory/stock/{variant_id:uuid}", access=access.SELLER)
async def change_stock(
    data: ChangeStock, db: Database, actor: Actor, variant_id: FromPath[UUID]
) -> StockView:
    """Set the number from which on you are warned."""
    seller_id = _seller(actor)

    async def work(tx: WriteTx) -> StockView:
        await commands.set_low_stock_at(
            tx,
            actor,
            seller_id=seller_id,
            variant_id=variant_id,
            low_stock_at=data.low_stock_at,
        )
        return await queries.stock_of(tx, seller_id, variant_id)

    return await db.transact(work)


@post(
    "/api/v1/inventory/stock/{variant_id:uuid}/adjustments",
    access=access.SELLER,
    idempotent=True,
    rate="write",
)
async def adjust_stock(
    data: AdjustStock, db: Database, actor: Actor, variant_id: FromPath[UUID]
) -> StockView:
    """Count goods in or out, with the reason; the change is kept in the list of movements."""
    seller_id = _seller(actor)
    note = clean_text(data.note, path="note")

    async def work(tx: WriteTx) -> StockView:
        await commands.adjust(
            tx,
            actor,
            seller_id=seller_id,
            variant_id=variant_id,
            delta=data.delta,
            absolute=data.on_hand,
            reason=data.reason,
            reference=note,
        )
        return await queries.stock_of(tx, seller_id, variant_id)

    return await db.transact(work)


@get("/api/v1/inventory/stock/{variant_id:uuid}/movements", access=access.SELLER)
async def list_movements(
    db: Database,
    actor: Actor,
    variant_id: FromPath[UUID],
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> Listed[MovementView]:
    """Every change of one of your variants, newest first, with the number after it."""
    async with db.read() as conn:
        page = await queries.movements(conn, _seller(actor), variant_id, cursor=cursor, limit=limit)
    return Listed(page.items, page.next_cursor)


FromDate = Annotated[date | None, QueryParameter(name="from")]
UntilDate = Annotated[date | None, QueryParameter(name="until")]
_LONGEST = timedelta(days=1_100)
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


def _period(db: Database, start: date | None, end: date | None) -> tuple[datetime, datetime]:
    """Whole days (UTC), both included; without them, the thirty up to today. Raises InvalidInput
    for more than three years, or an end before the beginning."""
    last = end or db.clock.now().date()
    known = all(_FIRST_YEAR <= day.year <= _LAST_YEAR for day in (start or last, last))
    first = start or last - timedelta(days=29 if known else 0)
    if not known or not timedelta(0) <= last - first <= _LONGEST:
        problem = FieldProblem(
            "from", "out_of_range", "Choose at most three years, first day first."
        )
        raise InvalidInput("These days do not make a period.", problems=[problem])
    begin = datetime.combine(first, time.min, tzinfo=UTC)
    return begin, datetime.combine(last, time.min, tzinfo=UTC) + timedelta(days=1)


@get("/api/v1/inventory/reports/movements", access=access.SELLER)
async def report_movements(
    db: Database,
    actor: Actor,
    start: FromDate = None,
    end: UntilDate = None,
    step: queries.Step = "day",
) -> Listed[MovementSum]:
    """Pieces in and out by day, week or month and by reason; `from` and `until` are days (UTC)."""
    since, until = _period(db, start, end)
    async with db.read() as conn:
        found = await queries.movement_sums(
            conn, _seller(actor), since=since, until=until, step=step
        )
    return Listed(found)


@get("/api/v1/inventory/reports/ageing", access=access.SELLER)
async def report_ageing(
    db: Database, actor: Actor, cursor: CursorQuery = None, limit: LimitQuery = DEFAULT_LIMIT
) -> Listed[Ageing]:
    """What you have on hand, the longest unsold first."""
    async with db.read() as conn:
        return Listed.of(await queries.ageing(conn, _seller(actor), cursor=cursor, limit=limit))


@get("/api/v1/inventory/reports/sell-through", access=access.SELLER)
async def report_sell_through(
    db: Database,
    actor: Actor,
    *,
    start: FromDate = None,
    end: UntilDate = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> Listed[SellThrough]:
    """How much of each variant's stock was sold in a period, the best seller first."""
    since, until = _period(db, start, end)
    async with db.read() as conn:
        found = await queries.sell_through(
            conn, _seller(actor), since=since, until=until, cursor=cursor, limit=limit
        )
    return Listed.of(found)


routes: list[object] = [
    list_stock, show_stock, change_stock, adjust_stock, list_movements, report_movements,
    report_ageing, report_sell_through,
]  # fmt: skip
