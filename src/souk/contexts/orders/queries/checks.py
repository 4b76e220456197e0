"""Figures and invariants of orders, for `souk verify`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn
from souk.platform.verify import Violation, broken

_CHECKS = {
    "order total = items - discount + delivery + tax = sum of its seller orders": """
SELECT p.number AS subject, format('order %s, parts %s, figures %s of %s, %s', p.total,
  coalesce(sum(so.total), 0), coalesce(sum(so.items), 0), p.items,
  CASE WHEN bool_and(so.currency = p.currency) THEN p.currency ELSE 'other currencies' END)
  AS detail
FROM orders.purchase p LEFT JOIN orders.seller_order so ON so.order_id = p.id GROUP BY p.id
HAVING p.total <> p.items - p.discount + p.delivery + p.tax
  OR (p.items, p.discount, p.delivery, p.tax, p.total) IS DISTINCT FROM
    (sum(so.items), sum(so.discount), sum(so.delivery), sum(so.tax), sum(so.total))
  OR bool_or(so.currency <> p.currency)
""",
    "seller order = sum of its lines + delivery": """
SELECT so.id::text AS subject, format('part %s, lines %s', so.total, sum(l.total)) AS detail
FROM orders.seller_order so LEFT JOIN orders.line l ON l.seller_order_id = so.id GROUP BY so.id
HAVING so.total IS DISTINCT FROM sum(l.total) + so.delivery + so.delivery_tax
  OR so.total <> so.items - so.discount + so.delivery + so.tax
  OR so.items IS DISTINCT FROM sum(l.unit_price * l.quantity)
  OR so.discount IS DISTINCT FROM sum(l.discount)
  OR so.tax IS DISTINCT FROM sum(l.tax) + so.delivery_tax
  OR so.commission IS DISTINCT FROM sum(l.commission)
  OR so.commission_tax IS DISTINCT FROM sum(l.commission_tax)
""",
    "a line = price x quantity - discount + tax": """
SELECT id::text AS subject, format('%s for %s at %s', total, quantity, unit_price) AS detail
FROM orders.line WHERE total <> unit_price * quantity - discount + tax
  OR least(unit_price, discount, tax, commission, commission_tax) < 0 OR quantity < 1
""",
    "nothing is refunded beyond what was paid": """
SELECT so.id::text AS subject, format('%s refunded of %s, %s by its lines', so.refunded, so.total,
  sum(l.refunded)) AS detail
FROM orders.seller_order so JOIN orders.line l ON l.seller_order_id = so.id GROUP BY so.id
HAVING so.refunded NOT BETWEEN sum(l.refunded)
    AND sum(l.refunded) + so.delivery + so.delivery_tax
  OR so.refunded > so.total OR bool_or(l.refunded NOT BETWEEN 0 AND l.total)
""",
    "pieces are sent, cancelled or returned once": """
SELECT l.id::text AS subject, format('%s sent, %s cancelled, %s returned of %s in state %s',
  l.fulfilled, l.cancelled, l.returned, l.quantity, so.state) AS detail
FROM orders.line l JOIN orders.seller_order so ON so.id = l.seller_order_id
WHERE least(l.fulfilled, l.cancelled, l.returned) < 0 OR l.fulfilled + l.cancelled > l.quantity
  OR (so.state = 'cancelled' AND l.cancelled <> l.quantity)
  OR l.returned <> CASE WHEN so.state = 'returned' THEN l.fulfilled ELSE 0 END
  OR (so.state IN ('shipped', 'delivered', 'completed', 'return_requested', 'returned')
    AND l.fulfilled + l.cancelled <> l.quantity)
""",
    "a completed checkout has one order": """
SELECT c.id::text AS subject, 'no order' AS detail FROM orders.checkout c
LEFT JOIN orders.purchase p ON p.checkout_id = c.id
WHERE (c.state = 'completed' OR p.id IS NOT NULL)
  AND (p.id IS DISTINCT FROM c.order_id OR p.payment_id IS DISTINCT FROM c.payment_id
    OR c.state <> 'completed')
""",
    "every step of a seller order is written down": """
SELECT so.id::text AS subject, format('No step led to %s.', so.state) AS detail
FROM orders.seller_order so WHERE NOT EXISTS (
  SELECT FROM orders.transition t WHERE t.seller_order_id = so.id AND t.state = so.state)
""",
    "a seller has earned what is completed, and nothing else": """
SELECT id::text AS subject, format('released: %s, in state %s', released, state) AS detail
FROM orders.seller_order WHERE released <> (state = 'completed')
""",
}


async def violations(conn: ReadConn) -> list[Violation]:
    """Rows of this context that break an invariant."""
    return await broken(conn, _CHECKS)


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
_GONE = (
    "coalesce(sum((l.{0} / l.quantity) * l.cancelled + least(l.cancelled, l.{0} % l.quantity)), 0)"
)


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


class FrozenCommission(msgspec.Struct, frozen=True):
    """Commission as it stands on order lines that are alike in it. Minor units; `line_id` is one of
    them, `base` what it was computed on."""

    line_id: UUID
    rule_id: UUID | None
    currency: str
    base: int
    commission: int
    commission_tax: int


async def commissions_of_all(conn: ReadConn) -> list[FrozenCommission]:
    """Every rule, base and commission that order lines name together, each once."""
    rows = await conn.fetch(
        "SELECT (array_agg(l.id))[1], l.commission_rule_id, so.currency, l.unit_price * l.quantity,"
        " l.commission, l.commission_tax FROM orders.line l"
        " JOIN orders.seller_order so ON so.id = l.seller_order_id"
        " GROUP BY l.commission_rule_id, so.currency, l.unit_price * l.quantity, l.commission,"
        " l.commission_tax"
    )
    return [FrozenCommission(*row.values()) for row in rows]


class Units(msgspec.Struct, frozen=True):
    """Units of a variant that were bought, and that were cancelled or came back."""

    bought: int
    given_back: int


async def units_of_variants(conn: ReadConn) -> dict[UUID, Units]:
    """What all orders say of each variant."""
    rows = await conn.fetch(
        "SELECT variant_id, sum(quantity)::bigint, sum(cancelled + returned)::bigint"
        " FROM orders.line GROUP BY variant_id"
    )
    return {row["variant_id"]: Units(*tuple(row.values())[1:]) for row in rows}


async def not_being_paid(conn: ReadConn, checkout_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these checkouts that may hold no stock: absent, or with no payment under way."""
    rows = await conn.fetch(
        "SELECT w.id FROM unnest($1::uuid[]) AS w (id) WHERE NOT EXISTS (SELECT FROM"
        " orders.checkout c WHERE c.id = w.id AND c.state = 'awaiting_payment')",
        list(checkout_ids),
    )
    return [row["id"] for row in rows]


async def lines_given_back(conn: ReadConn) -> list[UUID]:
    """Lines with downloads of which nothing is left to their buyer: cancelled or sent back."""
    rows = await conn.fetch(
        "SELECT l.id FROM orders.line l JOIN orders.seller_order so ON so.id = l.seller_order_id"
        " WHERE l.kind = 'digital' AND (so.state IN ('cancelled', 'returned')"
        "   OR l.cancelled + l.returned >= l.quantity)"
    )
    return [row["id"] for row in rows]


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
