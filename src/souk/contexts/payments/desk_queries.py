"""Payments as operators look for them and count them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.payments import store
from souk.contexts.payments.queries import PaymentView, view_of
from souk.kernel.ids import parse_uuid
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

SORTS = {
    "-created_at": Sort("created_at", "time", down=True),
    "created_at": Sort("created_at", "time"),
    "-amount": Sort("amount", "number", down=True),
    "amount": Sort("amount", "number"),
}


class PaymentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`search` is the id of a payment or a checkout, or the gateway's own name for a payment.

    `status` is a state, or `refunded` for captured ones of which anything went back.
    """

    search: str = ""
    status: str = ""
    gateway: str = ""
    since: datetime | None = None
    until: datetime | None = None
    ids: Sequence[UUID] | None = None


async def listed(
    conn: ReadConn,
    wanted: PaymentFilter,
    *,
    sort: str = "-created_at",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[PaymentView]:
    """Every payment that fits, in one statement. An unknown `sort` is the newest first."""
    by = SORTS.get(sort, SORTS["-created_at"])
    value, key = by.place(cursor)
    words = wanted.search.strip()
    rows = await conn.fetch(
        f"SELECT {store.COLUMNS} FROM payments.payment"
        " WHERE ($1 = '' OR gateway_ref = $1 OR id = $2 OR checkout_id = $2 OR id = ANY($3))"
        " AND CASE $4 WHEN '' THEN true WHEN 'refunded' THEN refunded > 0 ELSE state = $4 END"
        " AND ($5 = '' OR gateway = $5) AND ($6::timestamptz IS NULL OR created_at >= $6)"
        " AND ($7::timestamptz IS NULL OR created_at <= $7)"
        f" AND {by.after(8, 9)} ORDER BY {by.order} LIMIT $10",
        words,
        parse_uuid(words),
        list(wanted.ids or ()),
        wanted.status,
        wanted.gateway,
        wanted.since,
        wanted.until,
        value,
        key,
        limit + 1,
    )

    def at(row: PaymentView) -> tuple[datetime | int, UUID]:
        return (row.created_at if by.kind == "time" else row.amount), row.id

    return by.page([view_of(store.payment_of(row)) for row in rows], limit=limit, at=at)


class RefundFigures(msgspec.Struct, frozen=True):
    """What went back in one currency, in minor units, before and after the middle of a span."""

    currency: str
    before: int
    after: int


async def refunded_between(
    conn: ReadConn, *, since: datetime, middle: datetime, until: datetime
) -> list[RefundFigures]:
    """Refunds that reached their buyers, by the moment at which they were asked for."""
    rows = await conn.fetch(
        "SELECT currency, coalesce(sum(amount) FILTER (WHERE created_at < $2), 0)::bigint,"
        " coalesce(sum(amount) FILTER (WHERE created_at >= $2), 0)::bigint FROM payments.refund"
        " WHERE state = 'succeeded' AND created_at >= $1 AND created_at < $3 GROUP BY currency",
        since,
        middle,
        until,
    )
    return [RefundFigures(*row.values()) for row in rows]


async def webhook_bodies(conn: ReadConn, payment_id: UUID) -> dict[UUID, str]:
    """What the gateway sent about a payment, as text, by the webhook's id."""
    rows = await conn.fetch(
        "SELECT id, payload FROM payments.webhook_inbox WHERE payment_id = $1", payment_id
    )
    return {row["id"]: row["payload"].decode("utf-8", "replace") for row in rows}
