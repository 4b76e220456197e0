"""What operators see of reports: listings that wait, and what was looked into."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings.reports.domain import Reason, Report
from souk.contexts.listings.reports.store import REPORT
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

SHOWN = 3
"""How many reports of one listing a row of the queue holds; the listing's page has them all."""

SORTS = {
    "since": Sort("o.since", "time", id="o.listing_id"),
    "-since": Sort("o.since", "time", down=True, id="o.listing_id"),
    "-reports": Sort("o.reports", "number", down=True, id="o.listing_id"),
}
_CLOSED = Sort("r.closed_at", "time", down=True, id="r.id")


class ReportedListing(msgspec.Struct, frozen=True, kw_only=True):
    """A listing with open reports. `reports` counts them, `since` is when the first one came;
    `newest` are the last few."""

    id: UUID
    title: str
    slug: str
    state: str
    image_key: str | None
    seller_id: UUID
    seller_name: str
    reports: int
    since: datetime
    newest: list[Report] = msgspec.field(default_factory=list[Report])


class ClosedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was looked into, with the title that the listing has now."""

    report: Report
    title: str


async def queue(
    conn: ReadConn,
    *,
    search: str = "",
    reason: Reason | None = None,
    sort: str = "since",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[ReportedListing]:
    """Listings with open reports in two statements, the longest wait first unless sorted.

    `search` is a part of the title; with `reason` only those that somebody reported for it.
    Raises BadCursor.
    """
    by = SORTS.get(sort, SORTS["since"])
    value, key = by.place(cursor)
    rows = await conn.fetch(
        "SELECT o.listing_id AS id, l.title, l.slug, l.state, l.image_key, l.seller_id,"
        " coalesce(s.name, '') AS seller_name, o.reports, o.since FROM (SELECT listing_id,"
        "   count(*) AS reports, min(reported_at) AS since FROM listings.report"
        "   WHERE closed_at IS NULL GROUP BY listing_id"
        "   HAVING $1 = '' OR bool_or(reason = $1)) o"
        " JOIN listings.listing l ON l.id = o.listing_id"
        " LEFT JOIN listings.seller s ON s.id = l.seller_id"
        " WHERE ($2 = '' OR strpos(lower(l.title), lower($2)) > 0)"
        f" AND {by.after(3, 4)} ORDER BY {by.order} LIMIT $5",
        reason or "",
        search.strip(),
        value,
        key,
        limit + 1,
    )
    newest = await _newest(conn, [row["id"] for row in rows])
    found = [ReportedListing(**dict(row), newest=newest.get(row["id"], [])) for row in rows]

    def at(row: ReportedListing) -> tuple[datetime | int, UUID]:
        return (row.reports if by.kind == "number" else row.since), row.id

    return by.page(found, limit=limit, at=at)


async def _newest(conn: ReadConn, listing_ids: Sequence[UUID]) -> dict[UUID, list[Report]]:
    """The last few open reports of each listing."""
    rows = await conn.fetch(
        f"SELECT n.* FROM unnest($1::uuid[]) asked(id) CROSS JOIN LATERAL ({REPORT}"
        " WHERE r.listing_id = asked.id AND r.closed_at IS NULL"
        " ORDER BY r.reported_at DESC, r.id DESC LIMIT $2) n",
        list(listing_ids),
        SHOWN,
    )
    found: dict[UUID, list[Report]] = {}
    for row in rows:
        found.setdefault(row["listing_id"], []).append(msgspec.convert(dict(row), Report))
    return found


async def waiting(conn: ReadConn) -> int:
    """How many listings have open reports."""
    return await conn.fetchval(
        "SELECT count(DISTINCT listing_id) FROM listings.report WHERE closed_at IS NULL"
    )


async def closed(
    conn: ReadConn, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[ClosedReport]:
    """Reports that were looked into, the last first. Raises BadCursor."""
    value, key = _CLOSED.place(cursor)
    rows = await conn.fetch(
        f"SELECT r.*, l.title FROM ({REPORT} WHERE r.closed_at IS NOT NULL"
        f"   AND {_CLOSED.after(1, 2)} ORDER BY {_CLOSED.order} LIMIT $3) r"
        f" JOIN listings.listing l ON l.id = r.listing_id ORDER BY {_CLOSED.order}",
        value,
        key,
        limit + 1,
    )
    found = [
        ClosedReport(report=msgspec.convert(dict(row), Report), title=row["title"]) for row in rows
    ]

    def at(row: ClosedReport) -> tuple[datetime, UUID]:
        assert row.report.closed_at is not None
        return row.report.closed_at, row.report.id

    return _CLOSED.page(found, limit=limit, at=at)
