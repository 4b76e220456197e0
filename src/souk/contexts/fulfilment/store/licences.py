"""Pools of licence keys and what buyers are owed from them."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.downloads import DigitalLine
from souk.kernel.ids import uuid7
from souk.platform.database import WriteTx


class Assigned(msgspec.Struct, frozen=True):
    """What became of a claim; `lacking` keys are still owed."""

    seller_order_id: UUID
    seller_id: UUID
    lacking: int


async def add_keys(tx: WriteTx, *, seller_id: UUID, variant_id: UUID, contents: list[str]) -> int:
    """Add keys that the pool does not have yet; answers how many were new."""
    rows = await tx.fetch(
        "INSERT INTO fulfilment.licence_key (id, seller_id, variant_id, content, added_at)"
        " SELECT k.id, $1, $2, k.content, $3 FROM unnest($4::uuid[], $5::text[])"
        " AS k (id, content) ON CONFLICT (seller_id, variant_id, content) DO NOTHING RETURNING id",
        seller_id,
        variant_id,
        tx.clock.now(),
        sorted(uuid7() for _ in contents),
        contents,
    )
    return len(rows)


async def claim(tx: WriteTx, lines: list[DigitalLine]) -> list[UUID]:
    """Note what is owed for lines whose variant has a pool of keys; answers the new claims."""
    rows = await tx.fetch(
        "INSERT INTO fulfilment.licence_claim"
        " (order_line_id, seller_order_id, seller_id, variant_id, quantity, claimed_at)"
        " SELECT c.*, $6 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[])"
        " AS c (line, seller_order, seller, variant, quantity)"
        " WHERE EXISTS (SELECT FROM fulfilment.licence_key k"
        "   WHERE k.seller_id = c.seller AND k.variant_id = c.variant)"
        " ON CONFLICT (order_line_id) DO NOTHING RETURNING order_line_id",
        [line.order_line_id for line in lines],
        [line.seller_order_id for line in lines],
        [line.seller_id for line in lines],
        [line.variant_id for line in lines],
        [line.quantity for line in lines],
        tx.clock.now(),
    )
    return [row["order_line_id"] for row in rows]


async def waiting(tx: WriteTx, *, seller_id: UUID, variant_id: UUID) -> list[UUID]:
    """Order lines that are still owed keys of this pool, oldest first."""
    rows = await tx.fetch(
        "SELECT order_line_id FROM fulfilment.licence_claim WHERE seller_id = $1"
        " AND variant_id = $2 AND assigned < quantity AND revoked_at IS NULL"
        " ORDER BY claimed_at, order_line_id",
        seller_id,
        variant_id,
    )
    return [row["order_line_id"] for row in rows]


async def assign(tx: WriteTx, order_line_id: UUID) -> Assigned | None:
    """Give the line the keys that it is owed, as far as there are any; None when it is owed none.

    SKIP LOCKED: two buyers at once take different keys and neither waits for the other.
    """
    claimed = await tx.fetchrow(
        "SELECT seller_order_id, seller_id, variant_id, quantity - assigned AS owed"
        " FROM fulfilment.licence_claim WHERE order_line_id = $1 AND revoked_at IS NULL FOR UPDATE",
        order_line_id,
    )
    if claimed is None or not claimed["owed"]:
        return None
    given: int = await tx.fetchval(
        "WITH free AS (SELECT id FROM fulfilment.licence_key WHERE seller_id = $2"
        "   AND variant_id = $3 AND order_line_id IS NULL ORDER BY id LIMIT $4"
        "   FOR UPDATE SKIP LOCKED),"
        " taken AS (UPDATE fulfilment.licence_key k SET order_line_id = $1, assigned_at = $5"
        "   FROM free WHERE k.id = free.id RETURNING k.id),"
        " counted AS (UPDATE fulfilment.licence_claim SET assigned = assigned"
        "   + (SELECT count(*) FROM taken) WHERE order_line_id = $1)"
        " SELECT count(*) FROM taken",
        order_line_id,
        claimed["seller_id"],
        claimed["variant_id"],
        claimed["owed"],
        tx.clock.now(),
    )
    return Assigned(claimed["seller_order_id"], claimed["seller_id"], claimed["owed"] - given)


async def lines_that_can_be_served(tx: WriteTx, *, limit: int) -> list[UUID]:
    """Order lines that are owed keys while their pool has free ones, oldest first."""
    rows = await tx.fetch(
        "SELECT c.order_line_id FROM fulfilment.licence_claim c WHERE c.assigned < c.quantity"
        " AND c.revoked_at IS NULL AND EXISTS (SELECT FROM fulfilment.licence_key k"
        "   WHERE k.seller_id = c.seller_id AND k.variant_id = c.variant_id"
        "   AND k.order_line_id IS NULL)"
        " ORDER BY c.claimed_at, c.order_line_id LIMIT $1",
        limit,
    )
    return [row["order_line_id"] for row in rows]


async def remove_unused(tx: WriteTx, *, seller_id: UUID, variant_id: UUID) -> int:
    """Take the unassigned keys out of the pool; answers how many."""
    return await tx.fetchval(
        "WITH gone AS (DELETE FROM fulfilment.licence_key WHERE seller_id = $1"
        " AND variant_id = $2 AND order_line_id IS NULL RETURNING 1) SELECT count(*) FROM gone",
        seller_id,
        variant_id,
    )
