"""Invariants of stock, and the figures that others compare with theirs, for `souk verify`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from souk.platform.database import ReadConn
from souk.platform.verify import Violation

_EXPIRY_GRACE = timedelta(minutes=10)

_VIOLATIONS = """
SELECT 'inventory.on_hand' AS invariant, s.variant_id::text AS subject,
       format('on hand is %s, the movements add up to %s', s.on_hand, coalesce(m.total, 0))
         AS detail
FROM inventory.stock s
LEFT JOIN (SELECT variant_id, sum(delta) AS total FROM inventory.movement GROUP BY variant_id) m
  USING (variant_id)
WHERE s.on_hand <> coalesce(m.total, 0)
UNION ALL
SELECT 'inventory.reserved', s.variant_id::text,
       format('reserved is %s, the open reservations add up to %s', s.reserved,
              coalesce(r.total, 0))
FROM inventory.stock s
LEFT JOIN (SELECT variant_id, sum(quantity) AS total FROM inventory.reservation
           GROUP BY variant_id) r USING (variant_id)
WHERE s.tracked AND s.reserved <> coalesce(r.total, 0)
UNION ALL
SELECT 'inventory.available', variant_id::text,
       format('%s are on hand and %s are reserved', on_hand, reserved)
FROM inventory.stock WHERE on_hand < reserved OR reserved < 0
UNION ALL
SELECT 'inventory.expired', checkout_id::text,
       format('a reservation of variant %s expired at %s', variant_id, expires_at)
FROM inventory.reservation WHERE expires_at < $1
UNION ALL
SELECT 'inventory.movements', variant_id::text,
       format('movement %s leaves %s, and the one before it %s', id, balance, before)
FROM (SELECT id, variant_id, delta, balance,
             lag(balance, 1, 0::bigint) OVER (PARTITION BY variant_id ORDER BY id) AS before
      FROM inventory.movement) m
WHERE balance <> before + delta
ORDER BY 1, 2
"""


async def violations(conn: ReadConn) -> list[Violation]:
    """Rows that break an invariant of stock; none on a sound database."""
    rows = await conn.fetch(_VIOLATIONS, conn.clock.now() - _EXPIRY_GRACE)
    return [Violation(*row.values()) for row in rows]


async def checkouts_with_stock(conn: ReadConn) -> list[UUID]:
    """The checkouts that hold stock, whatever their reservations' time."""
    rows = await conn.fetch(
        "SELECT DISTINCT checkout_id FROM inventory.reservation ORDER BY checkout_id"
    )
    return [row["checkout_id"] for row in rows]


class Turnover(msgspec.Struct, frozen=True):
    """Units of a counted variant that left through checkouts, and that came back from orders."""

    sold: int
    put_back: int


async def turnover(conn: ReadConn) -> dict[UUID, Turnover]:
    """What the movements of every counted variant say of its sales."""
    rows = await conn.fetch(
        "SELECT s.variant_id,"
        " coalesce(-sum(m.delta) FILTER (WHERE m.reason = 'sale'"
        "   AND starts_with(m.reference, 'checkout:')), 0)::bigint AS sold,"
        " coalesce(sum(m.delta) FILTER (WHERE m.reason = 'return'"
        "   AND starts_with(m.reference, 'order:')), 0)::bigint AS put_back"
        " FROM inventory.stock s LEFT JOIN inventory.movement m USING (variant_id)"
        " WHERE s.tracked GROUP BY s.variant_id"
    )
    return {row["variant_id"]: Turnover(row["sold"], row["put_back"]) for row in rows}
