"""Parts that nobody speaks of any more arrive, and past their return window complete, by
themselves."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import system
from souk.kernel.errors import DomainError
from souk.platform.database import STATEMENT_ERRORS, WriteTx
from souk.platform.jobs import Schedule
from souk.platform.services import Services

log = structlog.get_logger()
_ACTOR = system("orders.complete")
_BATCH = 50


async def complete_due(services: Services) -> int:
    """Complete delivered parts whose return window is over; returns how many.

    Each in a transaction of its own: locks of several sellers' accounts are never held together,
    and one part that cannot be completed keeps nobody else from being paid.
    """
    done, failed = 0, list[UUID]()
    while True:
        async with services.db.read() as conn:
            due = await orders.due_for_completion(conn, limit=_BATCH, without=failed)
        if not due:
            return done
        for seller_order_id in due:
            try:
                done += await services.db.transact(partial(_complete, seller_order_id))
            except (DomainError, *STATEMENT_ERRORS) as error:
                failed.append(seller_order_id)
                log.warning("order_not_completed", part=str(seller_order_id), error=repr(error))


async def _complete(seller_order_id: UUID, tx: WriteTx) -> int:
    part = await orders.lock_part(tx, seller_order_id=seller_order_id)
    if not await orders.window_is_over(tx, part):
        return 0
    await steps.complete(tx, _ACTOR, part=part, reason="The return window is over.")
    return 1


async def arrive_overdue(services: Services) -> int:
    """Count parts as delivered of whose parcels nobody has said anything for so long that they must
    have arrived, so that a buyer's silence keeps no seller from being paid; returns how many. The
    buyer is told and can still ask to send them back."""
    done, failed = 0, list[UUID]()
    while True:
        async with services.db.read() as conn:
            due = await orders.long_on_the_way(conn, limit=_BATCH, without=failed)
        if not due:
            return done
        for seller_order_id in due:
            try:
                await services.db.transact(partial(_arrive, seller_order_id))
                done += 1
            except (DomainError, *STATEMENT_ERRORS) as error:
                failed.append(seller_order_id)
                log.warning("order_not_arrived", part=str(seller_order_id), error=repr(error))


async def _arrive(seller_order_id: UUID, tx: WriteTx) -> None:
    part = await orders.lock_part(tx, seller_order_id=seller_order_id)
    if part.state is orders.SellerOrderState.SHIPPED:
        await steps.arrive(tx, _ACTOR, part=part, reason="It was sent weeks ago. It must be there.")


async def tick(services: Services) -> None:
    """Work off everything that is due."""
    await complete_due(services)


schedules: list[Schedule] = [
    Schedule("orders.complete", "*/5 * * * *", tick),
    Schedule("orders.arrive", "25 * * * *", arrive_overdue),
]
