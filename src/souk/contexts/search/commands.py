"""Changes of what search keeps in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from souk.contexts.search import store
from souk.contexts.search.domain import QueryCount, StaleListing, loggable
from souk.platform.database import WriteTx

KEPT = timedelta(days=400)


async def mark_stale(tx: WriteTx, listing_ids: Sequence[UUID]) -> None:
    """Have listings indexed again, or taken out, soon after this transaction commits."""
    if listing_ids:
        await store.add_stale(tx, listing_ids)


async def mark_indexed(tx: WriteTx, done: Sequence[StaleListing]) -> None:
    """Note that the index, committed, holds these listings as they were when read."""
    await store.remove_stale(tx, done)


async def ask_for_rebuild(tx: WriteTx) -> None:
    """Have the writing process build the whole index anew."""
    await store.ask_for_rebuild(tx)


async def mark_rebuilt(tx: WriteTx, *, asked_at: datetime) -> None:
    """Note that the rebuild asked for at `asked_at` is in use; a later request stays."""
    await store.remove_rebuild_request(tx, asked_at=asked_at)


async def record_queries(tx: WriteTx, searches: Iterable[tuple[str, int]]) -> None:
    """Count searches, each its text and how much it found, in one statement."""
    counted: dict[str, tuple[int, int]] = {}
    for text, total in searches:
        query = loggable(text)
        if query is not None:
            asked, empty = counted.get(query, (0, 0))
            counted[query] = (asked + 1, empty + (total == 0))
    if counted:
        await store.add_counts(tx, [QueryCount(q, *counted[q]) for q in sorted(counted)])


async def forget_old_queries(tx: WriteTx) -> None:
    """Remove counts older than `KEPT`."""
    await store.remove_counts(tx, before=tx.clock.now().date() - KEPT)
