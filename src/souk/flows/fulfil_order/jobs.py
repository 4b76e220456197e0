"""Parts that nobody speaks of any more arrive, and past their return window complete, by
themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol
from uuid import UUID

import structlog

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import system
from souk.kernel.errors import DomainError
from souk.platform.database import STATEMENT_ERRORS, ReadConn, WriteTx
from souk.platform.jobs import Schedule
from souk.platform.services import Services

log = structlog.get_logger()
_ACTOR = system("orders.complete")
_BATCH = 50


async def complete_due(services: Services) -> None:
    """Complete delivered parts whose return window is over."""
    await _work_off(services, orders.due_for_completion, _complete, failed="order_not_completed")


async def arrive_overdue(services: Services) -> None:
    """Count parts as delivered of whose parcels nobody has said anything for so long that they must
    have arrived, so that a buyer's silence keeps no seller from being paid. The buyer is told and
    can still ask to send them back."""
    await _work_off(services, orders.long_on_the_way, _arrive, failed="order_not_arrived")


class _Due(Protocol):
    """What finds parts that are due, `without` some of them."""

    async def __call__(
        self, conn: ReadConn, *, limit: int, without: Sequence[UUID]
    ) -> list[UUID]: ...


async def _work_off(
    services: Services,
    due: _Due,
    act: Callable[[UUID, WriteTx], Awaitable[None]],
    *,
    failed: str,
) -> None:
    """Each part in a transaction of its own: locks of several sellers' accounts are never held
    together, and one part that fails, which is logged as `failed`, keeps nobody else waiting."""
    aside: list[UUID] = []
    while True:
        async with services.db.read() as conn:
            parts = await due(conn, limit=_BATCH, without=aside)
        if not parts:
            return
        for seller_order_id in parts:
            try:
                await services.db.transact(partial(act, seller_order_id))
            except (DomainError, *STATEMENT_ERRORS) as error:
                aside.append(seller_order_id)
                log.warning(failed, part=str(seller_order_id), error=repr(error))


async def _complete(seller_order_id: UUID, tx: WriteTx) -> None:
    part = await orders.lock_part(tx, seller_order_id=seller_order_id)
    if await orders.window_is_over(tx, part):
        await steps.complete(tx, _ACTOR, part=part, reason="The return window is over.")


async def _arrive(seller_order_id: UUID, tx: WriteTx) -> None:
    part = await orders.lock_part(tx, seller_order_id=seller_order_id)
    if part.state is orders.SellerOrderState.SHIPPED:
        await steps.arrive(tx, _ACTOR, part=part, reason="It was sent weeks ago. It must be there.")


schedules: list[Schedule] = [
    Schedule("orders.complete", "*/5 * * * *", complete_due),
    Schedule("orders.arrive", "25 * * * *", arrive_overdue),
]
