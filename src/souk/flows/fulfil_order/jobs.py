"""Parts that are delivered and past their return window complete by themselves."""

from __future__ import annotations

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import system
from souk.platform.database import WriteTx
from souk.platform.jobs import Schedule
from souk.platform.services import Services

_ACTOR = system("orders.complete")
_BATCH = 50


async def complete_due(services: Services) -> int:
    """Complete delivered parts whose return window is over; returns how many."""

    async def complete(tx: WriteTx) -> int:
        due = await orders.due_for_completion(tx, limit=_BATCH)
        for seller_order_id in sorted(due):
            part = await orders.lock_part(tx, seller_order_id=seller_order_id)
            await steps.complete(tx, _ACTOR, part=part, reason="The return window is over.")
        return len(due)

    return await services.db.transact(complete)


async def tick(services: Services) -> None:
    """Work off everything that is due, batch by batch."""
    while await complete_due(services) == _BATCH:
        continue


schedules: list[Schedule] = [Schedule("orders.complete", "*/5 * * * *", tick)]
