"""Accounts as operators look for them and count them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from souk.contexts.identity import store
from souk.contexts.identity.queries import UserView
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

SORTS = {
    "-created_at": Sort("a.created_at", "time", down=True, id="a.id"),
    "created_at": Sort("a.created_at", "time", id="a.id"),
    "email": Sort("a.email", "text", id="a.id"),
    "-email": Sort("a.email", "text", down=True, id="a.id"),
}


class UserFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search` is the start of the address or the name; `role` a staff role, `seller`, or
    `customer` for those who are nothing else."""

    search: str = ""
    state: str = ""
    role: str = ""


async def listed(
    conn: ReadConn,
    wanted: UserFilter,
    *,
    sort: str = "-created_at",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[UserView]:
    """Every account that fits, in one statement. An unknown `sort` is the newest first."""
    by = SORTS.get(sort, SORTS["-created_at"])
    value, key = by.place(cursor)
    words = wanted.search.lower().strip()
    prefix = words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    rows = await conn.fetch(
        f"SELECT {store.USER_COLUMNS} FROM {store.USER_FROM}"
        " WHERE ($1 = '%' OR a.email LIKE $1 OR lower(a.display_name) LIKE $1)"
        " AND ($2 = '' OR a.state = $2)"
        " AND CASE $3 WHEN '' THEN true"
        "   WHEN 'customer' THEN cardinality(a.staff_roles) = 0 AND NOT EXISTS ("
        "     SELECT FROM identity.membership n WHERE n.user_id = a.id)"
        "   WHEN 'seller' THEN EXISTS ("
        "     SELECT FROM identity.membership n WHERE n.user_id = a.id)"
        "   ELSE a.staff_roles @> ARRAY[$3] END"
        f" AND {by.after(4, 5)} ORDER BY {by.order} LIMIT $6",
        prefix,
        wanted.state,
        wanted.role,
        value,
        key,
        limit + 1,
    )

    def at(row: UserView) -> tuple[datetime | str, UUID]:
        return (row.created_at if by.kind == "time" else row.email), row.id

    return by.page([UserView.of(store.user_of(row)) for row in rows], limit=limit, at=at)


async def joined_by_day(conn: ReadConn, *, since: datetime, until: datetime) -> dict[date, int]:
    """How many accounts were opened on each day (UTC); days without are absent."""
    rows = await conn.fetch(
        "SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n"
        " FROM identity.account WHERE created_at >= $1 AND created_at < $2 GROUP BY 1",
        since,
        until,
    )
    return {row["day"]: row["n"] for row in rows}
