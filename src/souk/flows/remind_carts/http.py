"""`/api/v1/admin/carts`: what stands in carts, and what the reminders brought."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from souk.contexts.carts import api as carts
from souk.kernel.actor import Permission
from souk.platform.database import Database
from souk.platform.http import access


class Abandoned(msgspec.Struct, frozen=True):
    """One row per currency; `days` is how far back reminders are counted."""

    items: list[carts.Abandonment]
    days: int


@get("/api/v1/admin/carts/abandoned", access=access.operator(Permission.ORDERS_VIEW))
async def abandoned_carts(
    db: Database, days: Annotated[int, QueryParameter(ge=1, le=366)] = 30
) -> Abandoned:
    """Carts idle for hours with goods in them, and reminders of the last `days`."""
    now = db.clock.now()
    async with db.read() as conn:
        found = await carts.abandonment(conn, since=now - timedelta(days=days), until=now)
    return Abandoned(found, days)


routes: list[Any] = [abandoned_carts]
