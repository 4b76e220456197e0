"""Reporting a listing, and closing what was reported."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.listings.commands import flag
from souk.contexts.listings.errors import listing_not_found
from souk.contexts.listings.importing.text import clean_text
from souk.contexts.listings.queries import cards
from souk.contexts.listings.reports import store
from souk.contexts.listings.reports.domain import MAX_NOTE, MAX_OUTCOME, Reason, Report
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
    """Close every open report of a listing, saying what came of it; how many that were.

    Raises Forbidden, and InvalidInput without an outcome.
    """
    _require_operator(actor)
    said = _outcome(outcome)
    closed = await store.close(tx, listing_id, by=actor.label(), outcome=said)
    if closed:
        subject = f"listing:{listing_id}"
        await audit.record(
            tx, actor, "listings.reports_closed", subject, reports=closed, outcome=said
        )
    return closed


async def take_down(tx: WriteTx, actor: Actor, *, listing_id: UUID, reason: str) -> int:
    """Take a listing out of sight, with a reason to its seller, and close what was reported about
    it; how many reports that were.

    Raises Forbidden, NotFound, InvalidInput, and IllegalTransition for one that nobody sees.
    """
    _require_operator(actor)
    listing = await flag(tx, actor, listing_id=listing_id, reason=reason)
    outcome = f"Taken out of sight. {listing.review_note}"
    return await close_reports(tx, actor, listing_id=listing_id, outcome=outcome)


def _require_operator(actor: Actor) -> None:
    if not actor.may(Permission.LISTINGS_REVIEW):
        raise Forbidden("Your account may not do this. Ask an administrator for the right.")


def _outcome(outcome: str) -> str:
    text = clean_text(outcome)
    if not 3 <= len(text) <= MAX_OUTCOME:
        message = f"Say in 3 to {MAX_OUTCOME} characters what came of it."
        raise InvalidInput(message, problems=[FieldProblem("reason", "length", message)])
    return text
