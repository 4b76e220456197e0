"""The value of stock over JSON."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import Parameter

from souk.flows.stock_reports.flow import StockValue, stock_value
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access

Most = Annotated[int, Parameter(ge=1, le=1_000)]


@get("/api/v1/inventory/reports/value", access=access.SELLER)
async def report_value(db: Database, actor: Actor, limit: Most = 100) -> StockValue:
    """What your stock is worth at its present selling prices; `items` holds the `limit` most
    valuable variants, the totals all of them."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        found = await stock_value(conn, actor.seller_id)
    return StockValue(totals=found.totals, items=found.items[:limit], unpriced=found.unpriced)


routes: list[object] = [report_value]
