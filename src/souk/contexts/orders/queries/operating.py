"""Orders as operators look for them and count them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.orders.queries.reading import (
    ORDER_LIST,
    DaySales,
    OrderRow,
    order_rows,
)
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

SORTS = {
    "-placed_at": Sort("p.placed_at", "time", down=True, id="p.id"),
    "placed_at": Sort("p.placed_at", "time", id="p.id"),
    "-total": Sort("p.total", "number", down=True, id="p.id"),
    "total": Sort("p.total", "number", id="p.id"),
}


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search` is a number or an e-mail address; `state` that of any part of the order."""

    search: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def listed(
    conn: ReadConn,
    wanted: OrderFilter,
    *,
    sort: str = "-placed_at",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[OrderRow]:
    """Every order that fits, in one statement. An unknown `sort` is the newest first."""
    by = SORTS.get(sort, SORTS["-placed_at"])
    value, key = by.place(cursor)
    rows = await conn.fetch(
        f"{ORDER_LIST} WHERE ($1 = '' OR p.number = upper($1) OR lower(p.email) = lower($1))"
        " AND ($2 = '' OR EXISTS (SELECT FROM orders.seller_order f"
        "   WHERE f.order_id = p.id AND f.state = $2))"
        " AND ($3::timestamptz IS NULL OR p.placed_at >= $3)"
        " AND ($4::timestamptz IS NULL OR p.placed_at <= $4)"
        f" AND {by.after(5, 6)} ORDER BY {by.order} LIMIT $7",
        wanted.search.strip(),
        wanted.state,
        wanted.since,
        wanted.until,
        value,
        key,
        limit + 1,
    )

    def at(row: OrderRow) -> tuple[datetime | int, UUID]:
        return (row.total if by.kind == "number" else row.placed_at), row.id

    return by.page(order_rows(rows), limit=limit, at=at)


async def sales_between(conn: ReadConn, *, since: datetime, until: datetime) -> list[DaySales]:
    """Sales of a span by day (UTC) and currency, the oldest first; days without are absent."""
    rows = await conn.fetch(
        "SELECT (placed_at AT TIME ZONE 'UTC')::date AS day, currency, count(*) AS orders,"
        " sum(total)::bigint AS total, sum(commission)::bigint AS commission"
        " FROM orders.seller_order WHERE placed_at >= $1 AND placed_at < $2"
        " AND state <> 'cancelled' GROUP BY 1, 2 ORDER BY 1, 2",
        since,
        until,
    )
    return [DaySales(*row.values()) for row in rows]


async def states_between(conn: ReadConn, *, since: datetime, until: datetime) -> dict[str, int]:
    """How many seller orders of a span are in each state now."""
    rows = await conn.fetch(
        "SELECT state, count(*) AS n FROM orders.seller_order"
        " WHERE placed_at >= $1 AND placed_at < $2 GROUP BY state ORDER BY n DESC, state",
        since,
        until,
    )
    return {row["state"]: row["n"] for row in rows}


async def placed_between(
    conn: ReadConn, *, since: datetime, middle: datetime, until: datetime
) -> tuple[int, int]:
    """How many orders were placed before and after the middle of a span."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE placed_at < $2) AS before,"
        " count(*) FILTER (WHERE placed_at >= $2) AS after"
        " FROM orders.purchase WHERE placed_at >= $1 AND placed_at < $3",
        since,
        middle,
        until,
    )
    assert row is not None
    return row["before"], row["after"]


class OrderRef(msgspec.Struct, frozen=True):
    """An order by its id, and the number that people know."""

    id: UUID
    number: str


async def for_payments(conn: ReadConn, payment_ids: Sequence[UUID]) -> dict[UUID, OrderRef]:
    """The order behind each payment that has one."""
    rows = await conn.fetch(
        "SELECT payment_id, id, number FROM orders.purchase WHERE payment_id = ANY($1::uuid[])",
        list(payment_ids),
    )
    return {row["payment_id"]: OrderRef(row["id"], row["number"]) for row in rows}


class OrderKeys(msgspec.Struct, frozen=True):
    """What the books and the gateway know an order by."""

    id: UUID
    checkout_id: UUID
    payment_id: UUID
    parts: list[UUID]


async def find_number(conn: ReadConn, number: str) -> OrderKeys | None:
    """What an order's number stands for, None when there is none."""
    row = await conn.fetchrow(
        "SELECT p.id, p.checkout_id, p.payment_id,"
        " ARRAY(SELECT so.id FROM orders.seller_order so WHERE so.order_id = p.id) AS parts"
        " FROM orders.purchase p WHERE p.number = upper($1)",
        number.strip(),
    )
    return (
        OrderKeys(row["id"], row["checkout_id"], row["payment_id"], row["parts"]) if row else None
    )


async def numbers_of(conn: ReadConn, ids: Sequence[UUID]) -> dict[UUID, OrderRef]:
    """The orders behind these ids of orders, checkouts or parts; unknown ones are absent."""
    rows = await conn.fetch(
        "SELECT p.id AS asked, p.id, p.number FROM orders.purchase p WHERE p.id = ANY($1::uuid[])"
        " UNION ALL SELECT p.checkout_id, p.id, p.number FROM orders.purchase p"
        " WHERE p.checkout_id = ANY($1::uuid[])"
        " UNION ALL SELECT so.id, p.id, p.number FROM orders.seller_order so"
        " JOIN orders.purchase p ON p.id = so.order_id WHERE so.id = ANY($1::uuid[])",
        list(ids),
    )
    return {row["asked"]: OrderRef(row["id"], row["number"]) for row in rows}
