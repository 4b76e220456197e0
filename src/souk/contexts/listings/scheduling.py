"""Publishing a draft at a time that its seller chose."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from souk.contexts.listings import schedule_store
from souk.contexts.listings.commands import owned
from souk.contexts.listings.domain import State
from souk.contexts.listings.schedule_store import Planned, due, planned
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput
from souk.platform import audit
from souk.platform.database import WriteTx

AT_MOST = timedelta(days=366)
__all__ = ["Planned", "cancel", "due", "fail", "plan", "planned", "take_due"]


async def plan(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, at: datetime
) -> None:
    """Publish the draft at `at`, instead of at another time that was chosen before.

    Raises NotFound, IllegalTransition unless it is a draft, InvalidInput for a time that is past or
    more than a year ahead.
    """
    listing, _ = await owned(tx, listing_id, seller_id)
    if listing.state is not State.DRAFT:
        raise IllegalTransition(subject="listing", current=listing.state, wanted="scheduled")
    now = tx.clock.now()
    if not now < at <= now + AT_MOST:
        message = "Choose a time that is still to come, within a year."
        raise InvalidInput(message, problems=[FieldProblem("publish_at", "out_of_range", message)])
    await schedule_store.save(tx, listing_id, seller_id, at)
    await audit.record(tx, actor, "listings.scheduled", f"listing:{listing_id}", at=at.isoformat())


async def cancel(tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID) -> None:
    """The draft stays one. Does nothing without a plan. Raises NotFound."""
    await owned(tx, listing_id, seller_id)
    await schedule_store.remove(tx, listing_id)
    await audit.record(tx, actor, "listings.schedule_cancelled", f"listing:{listing_id}")


async def take_due(tx: WriteTx, *, listing_id: UUID) -> Planned | None:
    """The plan whose time has come, which is over with this; None when there is none any more."""
    found = await schedule_store.lock_due(tx, listing_id)
    if found is not None:
        await schedule_store.remove(tx, listing_id)
    return found


async def fail(tx: WriteTx, *, listing_id: UUID, reason: str) -> None:
    """Keep why it could not be published; it is not tried again before a new time is chosen."""
    await schedule_store.note_failure(tx, listing_id, reason[:1_000])
