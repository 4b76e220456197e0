"""Reporting a listing, and closing what was reported."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.listings.errors import listing_not_found
from souk.contexts.listings.queries import cards
from souk.contexts.listings.reports import store
from souk.contexts.listings.reports.domain import MAX_NOTE, Reason, Report
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import FieldProblem, Forbidden, InvalidInput
from souk.kernel.ids import uuid7
from souk.platform import audit
from souk.platform.database import WriteTx


async def report(
    tx: WriteTx,
    actor: Actor,
    *,
    listing_id: UUID,
    reporter: str,
    reason: Reason,
    note: str,
    email: str = "",
) -> bool:
    """Report a visible listing; False when the same person's report is open already.

    `reporter` names who reports, as a holder's label. Raises NotFound, InvalidInput.
    """
    if len(note) > MAX_NOTE:
        message = f"Shorten this to {MAX_NOTE} characters."
        raise InvalidInput(message, problems=[FieldProblem("note", "too_long", message)])
    if not await cards(tx, [listing_id]):
        raise listing_not_found()
    made = Report(
        id=uuid7(),
        listing_id=listing_id,
        reason=reason,
        note=note,
        reporter=reporter,
        reporter_email=email,
        reported_at=tx.clock.now(),
    )
    kept = await store.add(tx, made)
    if kept:
        subject = f"listing:{listing_id}"
        await audit.record(tx, actor, "listings.reported", subject, reason=reason.value)
    return kept


async def close_reports(tx: WriteTx, actor: Actor, *, listing_id: UUID, outcome: str) -> int:
    """Close every open report of a listing, saying what came of it. Raises Forbidden."""
    if not actor.may(Permission.LISTINGS_REVIEW):
        raise Forbidden("Your account may not do this. Ask an administrator for the right.")
    closed = await store.close(tx, listing_id, by=actor.name, outcome=outcome)
    if closed:
        subject = f"listing:{listing_id}"
        await audit.record(
            tx, actor, "listings.reports_closed", subject, reports=closed, outcome=outcome
        )
    return closed
