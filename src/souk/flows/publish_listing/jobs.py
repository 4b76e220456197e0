"""Drafts whose time has come are published."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog

from souk.contexts.listings import api as listings
from souk.flows.publish_listing import flow
from souk.kernel.actor import system
from souk.kernel.errors import DomainError, InvalidInput
from souk.platform.database import WriteTx
from souk.platform.jobs import Schedule
from souk.platform.services import Services

log = structlog.get_logger()
_ACTOR = system("listings.schedule")
_AT_ONCE = 200


async def publish_due(services: Services) -> int:
    """Publish each in a transaction of its own; returns how many were tried.

    One that is refused stays a draft, with the reason for its seller.
    """
    async with services.db.read() as conn:
        waiting = await listings.scheduling.due(conn, limit=_AT_ONCE)
    for listing_id in waiting:
        try:
            await services.db.transact(partial(_publish, listing_id=listing_id))
        except DomainError as error:
            words = [error.message]
            if isinstance(error, InvalidInput):
                words = [problem.message for problem in error.problems] or words
            reason = " ".join(dict.fromkeys(words))
            log.info("scheduled_publication_refused", listing=str(listing_id), code=error.code)
            await services.db.transact(
                partial(listings.scheduling.fail, listing_id=listing_id, reason=reason)
            )
    return len(waiting)


async def _publish(tx: WriteTx, *, listing_id: UUID) -> None:
    plan = await listings.scheduling.take_due(tx, listing_id=listing_id)
    if plan is not None:
        await flow.submit(tx, _ACTOR, seller_id=plan.seller_id, listing_id=listing_id)


schedules: list[Schedule] = [Schedule("listings.publish_due", "* * * * *", publish_due)]
