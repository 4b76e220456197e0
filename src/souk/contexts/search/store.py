"""The notes of stale listings and the query log. Lock order: by listing id; by query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from souk.contexts.search.domain import QueryCount, StaleListing
from souk.platform.database import ReadConn, WriteTx


async def add_stale(tx: WriteTx, listing_ids: Sequence[UUID]) -> None:
    """Note listings as out of date, those noted already anew."""
    await tx.execute(
        "INSERT INTO search.stale_listing (listing_id, seq, noted_at)"
        " SELECT id, nextval('search.stale_seq'), $2 FROM unnest($1::uuid[]) AS given (id)"
        " ORDER BY id"
        " ON CONFLICT (listing_id) DO UPDATE SET seq = excluded.seq, noted_at = excluded.noted_at",
        sorted(set(listing_ids)),
        tx.clock.now(),
    )


async def stale(conn: ReadConn, *, limit: int) -> list[StaleListing]:
    """The listings that have waited longest."""
    rows = await conn.fetch(
        "SELECT listing_id, seq FROM search.stale_listing ORDER BY seq LIMIT $1", limit
    )
    return [StaleListing(row["listing_id"], row["seq"]) for row in rows]


async def remove_stale(tx: WriteTx, done: Sequence[StaleListing]) -> None:
    """Take away the notes that have not been made anew since they were read."""
    await tx.execute(
        "DELETE FROM search.stale_listing s USING unnest($1::uuid[], $2::bigint[])"
        " AS done (id, seq) WHERE s.listing_id = done.id AND s.seq = done.seq",
        [one.listing_id for one in done],
        [one.seq for one in done],
    )


async def ask_for_rebuild(tx: WriteTx) -> None:
    await tx.execute(
        "INSERT INTO search.rebuild_request (asked_at) VALUES ($1)"
        " ON CONFLICT (only_one) DO UPDATE SET asked_at = excluded.asked_at",
        tx.clock.now(),
    )


async def rebuild_asked(conn: ReadConn) -> datetime | None:
    """When a rebuild was last asked for that has not been made yet."""
    return await conn.fetchval("SELECT asked_at FROM search.rebuild_request")


async def remove_rebuild_request(tx: WriteTx, *, asked_at: datetime) -> None:
    await tx.execute("DELETE FROM search.rebuild_request WHERE asked_at <= $1", asked_at)


async def add_counts(tx: WriteTx, counts: Sequence[QueryCount]) -> None:
    """Add to today's row of each query, in one order so that two writers never block each other."""
    await tx.execute(
        "INSERT INTO search.query_log AS log (day, query, searches, without_results)"
        " SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])"
        " ON CONFLICT (day, query) DO UPDATE SET searches = log.searches + excluded.searches,"
        " without_results = log.without_results + excluded.without_results",
        tx.clock.now().date(),
        [one.query for one in counts],
        [one.searches for one in counts],
        [one.without_results for one in counts],
    )


async def remove_counts(tx: WriteTx, *, before: date) -> None:
    await tx.execute("DELETE FROM search.query_log WHERE day < $1", before)
