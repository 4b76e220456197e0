"""Shops as operators look for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.sellers.queries import SellerRow
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

SORTS = {
    "applied_at": Sort("applied_at", "time"),
    "-applied_at": Sort("applied_at", "time", down=True),
    "name": Sort("lower(name)", "text"),
    "-name": Sort("lower(name)", "text", down=True),
}


class SellerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search` is a part of the name, or the whole address of the shop."""

    search: str = ""
    states: Sequence[str] = ()
    tier: str = ""


async def listed(
    conn: ReadConn,
    wanted: SellerFilter,
    *,
    sort: str = "applied_at",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[SellerRow]:
    """Every shop that fits, in one statement. An unknown `sort` is the longest wait first."""
    by = SORTS.get(sort, SORTS["applied_at"])
    value, key = by.place(cursor)
    rows = await conn.fetch(
        "SELECT id, user_id, slug, name, kind, country, state, tier, applied_at"
        " FROM sellers.seller WHERE ($1 = '' OR strpos(lower(name), lower($1)) > 0 OR slug = $1)"
        " AND (cardinality($2::text[]) = 0 OR state = ANY($2))"
        f" AND ($3 = '' OR tier = $3) AND {by.after(4, 5)} ORDER BY {by.order} LIMIT $6",
        wanted.search.strip(),
        list(wanted.states),
        wanted.tier,
        value,
        key,
        limit + 1,
    )

    def at(row: SellerRow) -> tuple[datetime | str, UUID]:
        return (row.applied_at if by.kind == "time" else row.name.lower()), row.id

    return by.page([SellerRow(*row.values()) for row in rows], limit=limit, at=at)


async def next_waiting(conn: ReadConn, after: UUID) -> tuple[UUID | None, UUID | None]:
    """The applications before and after one in the queue of those that wait."""
    row = await conn.fetchrow(
        "WITH here AS (SELECT applied_at, id FROM sellers.seller WHERE id = $1)"
        " SELECT (SELECT s.id FROM sellers.seller s, here h WHERE s.state = 'applied'"
        "   AND (s.applied_at, s.id) < (h.applied_at, h.id)"
        "   ORDER BY s.applied_at DESC, s.id DESC LIMIT 1) AS before,"
        " (SELECT s.id FROM sellers.seller s, here h WHERE s.state = 'applied'"
        "   AND (s.applied_at, s.id) > (h.applied_at, h.id)"
        "   ORDER BY s.applied_at, s.id LIMIT 1) AS after",
        after,
    )
    assert row is not None
    return row["before"], row["after"]


async def named(conn: ReadConn, words: str) -> UUID | None:
    """The shop with this name or address, None when there is none or more than one."""
    rows = await conn.fetch(
        "SELECT id FROM sellers.seller WHERE lower(name) = lower($1) OR slug = $1 LIMIT 2", words
    )
    return rows[0]["id"] if len(rows) == 1 else None
