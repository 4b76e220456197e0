"""Listings as operators look for them and count them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings.own_queries import LISTING_ROW, SellerListingRow
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

SORTS = {
    "updated_at": Sort("l.updated_at", "time", id="l.id"),
    "-updated_at": Sort("l.updated_at", "time", down=True, id="l.id"),
}


class ListingFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search` is a part of the title, or a whole SKU; `changed`: those on sale that were changed
    since somebody looked at them."""

    search: str = ""
    states: Sequence[str] = ()
    kind: str = ""
    seller_id: UUID | None = None
    changed: bool = False


async def listed(
    conn: ReadConn,
    wanted: ListingFilter,
    *,
    sort: str = "updated_at",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[SellerListingRow]:
    """Every listing that fits, in one statement. An unknown `sort` is the longest wait first."""
    by = SORTS.get(sort, SORTS["updated_at"])
    value, key = by.place(cursor)
    rows = await conn.fetch(
        f"{LISTING_ROW} WHERE ($1 = '' OR strpos(lower(l.title), lower($1)) > 0 OR EXISTS (SELECT"
        "   FROM listings.variant w WHERE w.listing_id = l.id AND w.sku = $1))"
        " AND (cardinality($2::text[]) = 0 OR l.state = ANY($2))"
        " AND ($3 = '' OR l.kind = $3) AND ($4::uuid IS NULL OR l.seller_id = $4)"
        " AND (NOT $8 OR (l.relook_at IS NOT NULL AND l.state IN ('active', 'sold_out')))"
        f" AND {by.after(5, 6)} ORDER BY {by.order} LIMIT $7",
        wanted.search.strip(),
        list(wanted.states),
        wanted.kind,
        wanted.seller_id,
        value,
        key,
        limit + 1,
        wanted.changed,
    )
    found = [SellerListingRow(**dict(row)) for row in rows]
    return by.page(found, limit=limit, at=lambda row: (row.updated_at, row.id))


async def counts(conn: ReadConn) -> dict[str, int]:
    """How many listings are in each state, and under `changed` those to look at again."""
    rows = await conn.fetch(
        "SELECT state, count(*) AS n FROM listings.listing GROUP BY state"
        " UNION ALL SELECT 'changed', count(*) FROM listings.listing"
        " WHERE relook_at IS NOT NULL AND state IN ('active', 'sold_out')"
    )
    return {row["state"]: row["n"] for row in rows}


async def published_between(
    conn: ReadConn, *, since: datetime, middle: datetime, until: datetime
) -> tuple[int, int]:
    """How many listings came on sale before and after the middle of a span."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE published_at < $2) AS before,"
        " count(*) FILTER (WHERE published_at >= $2) AS after FROM listings.listing"
        " WHERE state = 'active' AND published_at >= $1 AND published_at < $3",
        since,
        middle,
        until,
    )
    assert row is not None
    return row["before"], row["after"]


async def next_waiting(conn: ReadConn, here: UUID) -> tuple[UUID | None, UUID | None]:
    """The listings before and after one in the queue of those that wait for a look."""
    row = await conn.fetchrow(
        "WITH here AS (SELECT updated_at, id FROM listings.listing WHERE id = $1)"
        " SELECT (SELECT l.id FROM listings.listing l, here h WHERE l.state = 'in_review'"
        "   AND (l.updated_at, l.id) < (h.updated_at, h.id)"
        "   ORDER BY l.updated_at DESC, l.id DESC LIMIT 1) AS before,"
        " (SELECT l.id FROM listings.listing l, here h WHERE l.state = 'in_review'"
        "   AND (l.updated_at, l.id) > (h.updated_at, h.id)"
        "   ORDER BY l.updated_at, l.id LIMIT 1) AS after",
        here,
    )
    assert row is not None
    return row["before"], row["after"]


async def titles(conn: ReadConn, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The titles of those of these listings that are there, in the order of `ids`."""
    rows = await conn.fetch(
        "SELECT id, title FROM listings.listing WHERE id = ANY($1::uuid[])", list(ids)
    )
    found = {row["id"]: row["title"] for row in rows}
    return {each: found[each] for each in ids if each in found}
