"""What buyers have received, and how sellers carry orders out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn


class ReceivedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a buyer's order; `received_at` is null until it is delivered or downloadable."""

    order_id: UUID
    number: str
    seller_order_id: UUID
    seller_id: UUID
    state: str
    line_id: UUID
    listing_id: UUID
    kind: str
    title: str
    variant_title: str
    slug: str
    image_key: str | None
    received_at: datetime | None


_LINES = """
SELECT so.order_id, p.number, so.id AS seller_order_id, so.seller_id, so.state, l.id AS line_id,
  l.listing_id, l.kind, l.title, l.variant_title, l.slug, l.image_key,
  CASE WHEN so.state = 'cancelled' OR l.cancelled = l.quantity THEN NULL
    WHEN so.delivered_at IS NOT NULL THEN so.delivered_at
    WHEN l.kind = 'digital' AND l.fulfilled > 0 THEN so.placed_at END AS received_at
FROM orders.line l JOIN orders.seller_order so ON so.id = l.seller_order_id
JOIN orders.purchase p ON p.id = so.order_id
"""


async def received_lines(
    conn: ReadConn,
    *,
    user_id: UUID | None,
    guest: bytes | None,
    order_id: UUID | None = None,
    seller_order_id: UUID | None = None,
    line_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[ReceivedLine]:
    """The lines of a buyer's orders, newest order first: of one order, part or line if it is named.

    With `since`, only what was received from then on.
    """
    rows = await conn.fetch(
        f"SELECT * FROM ({_LINES} WHERE (p.user_id = $1 OR p.guest = $2)"
        " AND ($3::uuid IS NULL OR so.order_id = $3) AND ($4::uuid IS NULL OR so.id = $4)"
        " AND ($5::uuid IS NULL OR l.id = $5) ORDER BY so.id DESC, l.position) found"
        " WHERE $6::timestamptz IS NULL OR received_at >= $6 LIMIT $7",
        user_id,
        None if user_id else guest,
        order_id,
        seller_order_id,
        line_id,
        since,
        limit,
    )
    return [ReceivedLine(**dict(row)) for row in rows]


class DeliveredPart(msgspec.Struct, frozen=True):
    """A seller order that arrived; `buyer_id` is None for guests, `titles` of its first lines."""

    id: UUID
    order_id: UUID
    number: str
    seller_id: UUID
    buyer_id: UUID | None
    email: str
    titles: list[str]


async def delivered_parts(
    conn: ReadConn, *, since: datetime, until: datetime, after: UUID, limit: int
) -> list[DeliveredPart]:
    """What arrived between two instants and was kept, by id from after `after`."""
    rows = await conn.fetch(
        "SELECT so.id, so.order_id, p.number, so.seller_id, so.buyer_id, p.email,"
        " ARRAY(SELECT l.title FROM orders.line l WHERE l.seller_order_id = so.id"
        " ORDER BY l.position LIMIT 3) AS titles"
        " FROM orders.seller_order so JOIN orders.purchase p ON p.id = so.order_id"
        " WHERE so.delivered_at >= $1 AND so.delivered_at < $2"
        " AND (so.buyer_id IS NOT NULL OR p.guest IS NOT NULL)"
        " AND so.state IN ('delivered', 'completed') AND so.id > $3 ORDER BY so.id LIMIT $4",
        since,
        until,
        after,
        limit,
    )
    return [DeliveredPart(*row.values()) for row in rows]


async def guest_of(conn: ReadConn, order_id: UUID) -> bytes | None:
    """The fingerprint of the guest who placed an order; None for a member's or an unknown one."""
    return await conn.fetchval(
        "SELECT guest FROM orders.purchase WHERE id = $1 AND user_id IS NULL", order_id
    )


_RECORD = """
SELECT count(*) FILTER (WHERE sent IS NOT NULL OR open AND placed_at < $4) AS due,
  count(*) FILTER (WHERE sent <= placed_at + $5) AS on_time,
  count(*) FILTER (WHERE dropped) AS cancelled
FROM (
  SELECT so.placed_at, so.state IN ('confirmed', 'processing') AS open,
    min(t.at) FILTER (WHERE t.state = 'shipped') AS sent,
    coalesce(bool_or(t.state = 'cancelled' AND t.actor = ANY($3)), false) AS dropped
  FROM orders.seller_order so JOIN orders.transition t ON t.seller_order_id = so.id
  WHERE so.seller_id = $1 AND so.placed_at >= $2
    AND EXISTS (SELECT FROM orders.line l WHERE l.seller_order_id = so.id AND l.kind <> 'digital')
  GROUP BY so.id) parts
"""


async def service_record(
    conn: ReadConn,
    seller_id: UUID,
    *,
    people: Sequence[UUID],
    since: datetime,
    handling: timedelta,
) -> tuple[int, int, int]:
    """A seller's orders of goods since then: those that were sent or should have been, those that
    were sent within `handling`, those that the shop's own `people` cancelled."""
    row = await conn.fetchrow(
        _RECORD,
        seller_id,
        since,
        [f"user:{person}" for person in people],
        conn.clock.now() - handling,
        handling,
    )
    assert row is not None
    return row["due"], row["on_time"], row["cancelled"]
