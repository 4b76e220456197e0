"""Figures and invariants of orders, for `souk verify`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn
from souk.platform.verify import Violation

_CHECKS = {
    "order total = items - discount + delivery + tax = sum of its seller orders": """
SELECT p.number AS subject, format('order %s, parts %s', p.total, sum(so.total)) AS detail
FROM orders.purchase p JOIN orders.seller_order so ON so.order_id = p.id GROUP BY p.id
HAVING p.total <> sum(so.total) OR p.total <> p.items - p.discount + p.delivery + p.tax
""",
    "seller order = sum of its lines + delivery": """
SELECT so.id::text AS subject, format('part %s, lines %s', so.total, sum(l.total)) AS detail
FROM orders.seller_order so JOIN orders.line l ON l.seller_order_id = so.id GROUP BY so.id
HAVING so.total <> sum(l.total) + so.delivery + so.delivery_tax
  OR so.commission <> sum(l.commission) OR so.commission_tax <> sum(l.commission_tax)
""",
    "a completed checkout has one order": """
SELECT c.id::text AS subject, 'no order' AS detail FROM orders.checkout c
LEFT JOIN orders.purchase p ON p.checkout_id = c.id
WHERE c.state = 'completed' AND p.id IS DISTINCT FROM c.order_id
""",
}


async def violations(conn: ReadConn) -> list[Violation]:
    """Rows of this context that break an invariant."""
    found: list[Violation] = []
    for invariant, sql in _CHECKS.items():
        rows = await conn.fetch(sql)
        found.extend(Violation(invariant, row["subject"], row["detail"]) for row in rows)
    return found


class SellerOrderMoney(msgspec.Struct, frozen=True):
    """A part as `souk verify` compares it with the ledger and the payment. Minor units."""

    id: UUID
    order_id: UUID
    payment_id: UUID
    seller_id: UUID
    currency: str
    state: str
    total: int
    tax: int
    commission: int
    commission_tax: int
    released: bool
    refunded: int
    given_up_tax: int


# The share of an amount that the cancelled pieces of a line carry, as `cancellation` has it.
_GONE = "sum((l.{0} / l.quantity) * l.cancelled + least(l.cancelled, l.{0} % l.quantity))"


async def money_of_all(conn: ReadConn) -> list[SellerOrderMoney]:
    """Every seller order's figures, for `souk verify`. Commission and its tax are those that are
    due: what was frozen at purchase, less the share of what was cancelled."""
    rows = await conn.fetch(
        "SELECT so.id, so.order_id, p.payment_id, so.seller_id, so.currency, so.state, so.total,"
        " so.tax, so.commission - gone.commission, so.commission_tax - gone.commission_tax,"
        " so.released, so.refunded,"
        " gone.tax + CASE WHEN gone.unsent THEN so.delivery_tax ELSE 0 END"
        " FROM orders.seller_order so"
        " JOIN orders.purchase p ON p.id = so.order_id CROSS JOIN LATERAL ("
        f"  SELECT {_GONE.format('commission')}::bigint AS commission,"
        f"   {_GONE.format('commission_tax')}::bigint AS commission_tax,"
        f"   {_GONE.format('tax')}::bigint AS tax,"
        "   coalesce(bool_and(l.cancelled = l.quantity) FILTER (WHERE l.kind <> 'digital'), false)"
        "     AS unsent"
        "  FROM orders.line l WHERE l.seller_order_id = so.id) gone"
    )
    return [SellerOrderMoney(*row.values()) for row in rows]


async def ordered_listings(conn: ReadConn, listing_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of these listings that any order names, whatever became of it."""
    rows = await conn.fetch(
        "SELECT DISTINCT listing_id FROM orders.line WHERE listing_id = ANY($1::uuid[])",
        list(listing_ids),
    )
    return frozenset(row["listing_id"] for row in rows)


async def paying(conn: ReadConn, *, user_id: UUID | None, guest: bytes | None) -> UUID | None:
    """The holder's newest checkout whose payment is under way, to go on with it."""
    column, key = ("user_id", user_id) if user_id else ("guest", guest)
    return await conn.fetchval(
        f"SELECT id FROM orders.checkout WHERE {column} = $1 AND state = 'awaiting_payment'"
        " AND expires_at > $2 ORDER BY id DESC LIMIT 1",
        key,
        conn.clock.now(),
    )
