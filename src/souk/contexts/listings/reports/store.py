"""Reports in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.listings.reports.domain import Report
from souk.platform.database import ReadConn, WriteTx

REPORT = (
    "SELECT r.id, r.listing_id, r.reason, r.note, r.reporter, r.reporter_email, r.reported_at,"
    " r.closed_at, r.closed_by, r.outcome FROM listings.report r"
)


async def add(tx: WriteTx, report: Report) -> bool:
    """Keep a report; False when the same person has one open about the same listing."""
    made = await tx.fetchval(
        "INSERT INTO listings.report"
        " (id, listing_id, reason, note, reporter, reporter_email, reported_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING true",
        report.id,
        report.listing_id,
        report.reason,
        report.note,
        report.reporter,
        report.reporter_email,
        report.reported_at,
    )
    return bool(made)


async def of_listing(conn: ReadConn, listing_id: UUID, *, limit: int = 50) -> list[Report]:
    """Reports of a listing, open ones first, then the newest."""
    rows = await conn.fetch(
        f"{REPORT} WHERE r.listing_id = $1"
        " ORDER BY r.closed_at IS NOT NULL, r.reported_at DESC LIMIT $2",
        listing_id,
        limit,
    )
    return [msgspec.convert(dict(row), Report) for row in rows]


async def close(tx: WriteTx, listing_id: UUID, *, by: str, outcome: str) -> int:
    """Close what is open about a listing; how many that were."""
    return await tx.fetchval(
        "WITH done AS (UPDATE listings.report SET closed_at = $2, closed_by = $3, outcome = $4"
        " WHERE listing_id = $1 AND closed_at IS NULL RETURNING 1) SELECT count(*) FROM done",
        listing_id,
        tx.clock.now(),
        by,
        outcome,
    )
