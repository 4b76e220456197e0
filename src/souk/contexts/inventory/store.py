"""Stock in PostgreSQL: every lock and every write of the context.

Stock rows are locked in the order of their ids, all variants of a listing together, so that what
a buyer is told about a listing is computed from numbers that nobody else is changing. Reservations
are read only after that lock, in a statement of their own that sees everything committed before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from souk.contexts.inventory.domain import Reason, StockLevel
from souk.platform.database import ReadConn, Record, WriteTx

_COLUMNS = (
    "s.variant_id, s.listing_id, s.seller_id, s.on_hand, s.reserved, s.tracked, s.low_stock_at"
)
# A UNION, not an OR, so that both ways to a listing go by an index.
# Variants that are not counted have nothing to protect: buyers of one file never wait in line.
_LOCK = f"""
WITH concerned AS MATERIALIZED (
  SELECT o.listing_id FROM inventory.stock o WHERE o.variant_id = ANY($1::uuid[])
  UNION
  SELECT o.listing_id FROM inventory.reservation r
  JOIN inventory.stock o ON o.variant_id = r.variant_id WHERE r.checkout_id = ANY($2::uuid[])),
locked AS MATERIALIZED (
  SELECT {_COLUMNS} FROM inventory.stock s
  WHERE s.tracked AND s.listing_id IN (SELECT listing_id FROM concerned)
  ORDER BY s.variant_id FOR NO KEY UPDATE)
SELECT * FROM locked
UNION ALL
SELECT {_COLUMNS} FROM inventory.stock s
WHERE NOT s.tracked AND s.listing_id IN (SELECT listing_id FROM concerned)
"""


def _levels(rows: Sequence[Record]) -> list[StockLevel]:
    return [StockLevel(*row.values()) for row in rows]


async def lock(
    tx: WriteTx, *, variant_ids: Sequence[UUID] = (), checkout_ids: Sequence[UUID] = ()
) -> list[StockLevel]:
    """Every variant of the listings that have these variants or these checkouts' reservations."""
    return _levels(await tx.fetch(_LOCK, list(variant_ids), list(checkout_ids)))


async def lock_reserved(tx: WriteTx, checkout_id: UUID) -> list[StockLevel]:
    """Only the counted variants that a checkout holds: a sale changes nothing that buyers see."""
    return _levels(
        await tx.fetch(
            f"SELECT {_COLUMNS} FROM inventory.stock s WHERE s.tracked AND s.variant_id IN"
            " (SELECT r.variant_id FROM inventory.reservation r WHERE r.checkout_id = $1)"
            " ORDER BY s.variant_id FOR NO KEY UPDATE",
            checkout_id,
        )
    )


async def lock_listings(tx: WriteTx, listing_ids: Sequence[UUID]) -> list[StockLevel]:
    return _levels(
        await tx.fetch(
            f"SELECT {_COLUMNS} FROM inventory.stock s WHERE s.listing_id = ANY($1::uuid[])"
            " ORDER BY s.variant_id FOR NO KEY UPDATE",
            list(listing_ids),
        )
    )


async def lock_own(tx: WriteTx, *, seller_id: UUID, variant_id: UUID) -> list[StockLevel]:
    """Every variant of the listing of a seller's variant; empty when it is not the seller's."""
    return _levels(
        await tx.fetch(
            f"SELECT {_COLUMNS} FROM inventory.stock s WHERE s.listing_id ="
            " (SELECT listing_id FROM inventory.stock WHERE variant_id = $2 AND seller_id = $1)"
            " ORDER BY s.variant_id FOR NO KEY UPDATE",
            seller_id,
            variant_id,
        )
    )


async def insert(tx: WriteTx, levels: Sequence[StockLevel], *, actor: str) -> set[UUID]:
    """New stock rows with their first movements; returns the ids that were not there before."""
    rows = await tx.fetch(
        "WITH made AS (INSERT INTO inventory.stock"
        " (variant_id, listing_id, seller_id, on_hand, tracked)"
        " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[])"
        " ON CONFLICT (variant_id) DO NOTHING RETURNING variant_id, on_hand),"
        " moved AS (INSERT INTO inventory.movement (variant_id, delta, balance, reason, actor, at)"
        " SELECT variant_id, on_hand, on_hand, $6, $7, $8 FROM made WHERE on_hand > 0)"
        " SELECT variant_id FROM made",
        [level.variant_id for level in levels],
        [level.listing_id for level in levels],
        [level.seller_id for level in levels],
        [level.on_hand for level in levels],
        [level.tracked for level in levels],
        Reason.INITIAL,
        actor,
        tx.clock.now(),
    )
    return {row["variant_id"] for row in rows}


async def held(tx: WriteTx, checkout_id: UUID) -> dict[UUID, int]:
    """What a checkout has reserved, expired or not."""
    rows = await tx.fetch(
        "SELECT variant_id, quantity FROM inventory.reservation WHERE checkout_id = $1",
        checkout_id,
    )
    return {row["variant_id"]: row["quantity"] for row in rows}


_SAVE_RESERVATION = """
WITH wanted AS (SELECT * FROM unnest($2::uuid[], $3::bigint[]) AS w (variant_id, quantity)),
dropped AS (
  DELETE FROM inventory.reservation WHERE checkout_id = $1 AND variant_id <> ALL($2::uuid[])),
kept AS (
  INSERT INTO inventory.reservation (checkout_id, variant_id, quantity, expires_at)
  SELECT $1, variant_id, quantity, $4 FROM wanted
  ON CONFLICT (checkout_id, variant_id)
  DO UPDATE SET quantity = excluded.quantity, expires_at = excluded.expires_at)
UPDATE inventory.stock s SET reserved = c.reserved
FROM unnest($5::uuid[], $6::bigint[]) AS c (variant_id, reserved)
WHERE s.variant_id = c.variant_id AND s.reserved <> c.reserved
"""


async def save_reservation(
    tx: WriteTx,
    *,
    checkout_id: UUID,
    wanted: Mapping[UUID, int],
    expires_at: datetime,
    levels: Sequence[StockLevel],
) -> None:
    """Replace a checkout's reservation. `levels` are the locked rows as they are to be."""
    await tx.execute(
        _SAVE_RESERVATION,
        checkout_id,
        list(wanted),
        list(wanted.values()),
        expires_at,
        [level.variant_id for level in levels],
        [level.reserved for level in levels],
    )


async def extend(tx: WriteTx, checkout_id: UUID, expires_at: datetime) -> bool:
    """Move the expiry of a reservation, never back; False if there is none."""
    tag = await tx.execute(
        "UPDATE inventory.reservation SET expires_at = greatest(expires_at, $2)"
        " WHERE checkout_id = $1",
        checkout_id,
        expires_at,
    )
    return tag != "UPDATE 0"


_CONSUME = """
WITH taken AS (
  DELETE FROM inventory.reservation WHERE checkout_id = $1 AND expires_at > $2
  RETURNING variant_id, quantity),
sold AS (
  UPDATE inventory.stock s
  SET on_hand = s.on_hand - t.quantity, reserved = s.reserved - t.quantity
  FROM taken t WHERE s.variant_id = t.variant_id AND s.tracked
  RETURNING s.variant_id, t.quantity, s.on_hand),
moved AS (
  INSERT INTO inventory.movement (variant_id, delta, balance, reason, reference, actor, at)
  SELECT variant_id, -quantity, on_hand, $3, $4, $5, $2 FROM sold)
SELECT variant_id, quantity FROM taken
"""


async def consume(tx: WriteTx, checkout_id: UUID, *, reference: str, actor: str) -> dict[UUID, int]:
    """Turn a reservation that is still good into sales; returns what was sold, empty if none."""
    rows = await tx.fetch(_CONSUME, checkout_id, tx.clock.now(), Reason.SALE, reference, actor)
    return {row["variant_id"]: row["quantity"] for row in rows}


_RELEASE = """
WITH gone AS (
  DELETE FROM inventory.reservation WHERE checkout_id = ANY($1::uuid[])
  RETURNING variant_id, quantity),
freed AS (
  UPDATE inventory.stock s SET reserved = s.reserved - g.quantity
  FROM (SELECT variant_id, sum(quantity)::bigint AS quantity FROM gone GROUP BY variant_id) g
  WHERE s.variant_id = g.variant_id AND s.tracked)
SELECT variant_id, quantity FROM gone
"""


async def release(tx: WriteTx, checkout_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """Drop the reservations of checkouts: (variant, quantity) of each."""
    rows = await tx.fetch(_RELEASE, list(checkout_ids))
    return [(row["variant_id"], row["quantity"]) for row in rows]


async def due(conn: ReadConn, now: datetime, limit: int) -> list[UUID]:
    """Checkouts whose reservations have expired, longest ago first."""
    rows = await conn.fetch(
        "SELECT checkout_id FROM inventory.reservation WHERE expires_at <= $1"
        " GROUP BY checkout_id ORDER BY min(expires_at), checkout_id LIMIT $2",
        now,
        limit,
    )
    return [row["checkout_id"] for row in rows]


async def save_on_hand(
    tx: WriteTx,
    changes: Sequence[tuple[StockLevel, StockLevel]],
    *,
    reason: Reason,
    reference: str,
    actor: str,
) -> None:
    """Write locked levels (before, after) whose stock on hand changed, each with its movement."""
    await tx.execute(
        "WITH changed AS (UPDATE inventory.stock s SET on_hand = c.on_hand"
        " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS c (variant_id, on_hand, delta)"
        " WHERE s.variant_id = c.variant_id RETURNING s.variant_id, c.delta, s.on_hand)"
        " INSERT INTO inventory.movement"
        " (variant_id, delta, balance, reason, reference, actor, at)"
        " SELECT variant_id, delta, on_hand, $4, $5, $6, $7 FROM changed",
        [after.variant_id for _, after in changes],
        [after.on_hand for _, after in changes],
        [after.on_hand - before.on_hand for before, after in changes],
        reason,
        reference,
        actor,
        tx.clock.now(),
    )


async def save_low_stock_at(tx: WriteTx, variant_id: UUID, low_stock_at: int) -> None:
    await tx.execute(
        "UPDATE inventory.stock SET low_stock_at = $2 WHERE variant_id = $1",
        variant_id,
        low_stock_at,
    )
