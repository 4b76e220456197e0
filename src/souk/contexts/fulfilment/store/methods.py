"""Shipping methods and their rates."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.fulfilment.domain.shipping import Method
from souk.platform.database import WriteTx


async def count(tx: WriteTx, seller_id: UUID) -> int:
    """How many the seller has; the transaction is the only one that adds some."""
    await tx.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1, 13))", str(seller_id))
    return await tx.fetchval(
        "SELECT count(*) FROM fulfilment.shipping_method WHERE seller_id = $1", seller_id
    )


async def insert(tx: WriteTx, method: Method, *, seller_id: UUID) -> None:
    """Save a new method with its rates."""
    await tx.execute(
        "INSERT INTO fulfilment.shipping_method (id, seller_id, name, kind, currency, pickup_note,"
        " position, active, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        method.id,
        seller_id,
        method.name,
        method.kind,
        method.currency,
        method.pickup_note,
        method.position,
        method.active,
        tx.clock.now(),
    )
    await _insert_rates(tx, method)


async def update(tx: WriteTx, method: Method, *, seller_id: UUID) -> bool:
    """Replace a method of this seller; False when there is none with this id."""
    tag = await tx.execute(
        "UPDATE fulfilment.shipping_method SET name = $3, kind = $4, currency = $5,"
        " pickup_note = $6, position = $7, active = $8, updated_at = $9"
        " WHERE id = $1 AND seller_id = $2",
        method.id,
        seller_id,
        method.name,
        method.kind,
        method.currency,
        method.pickup_note,
        method.position,
        method.active,
        tx.clock.now(),
    )
    if tag != "UPDATE 1":
        return False
    await tx.execute("DELETE FROM fulfilment.shipping_rate WHERE method_id = $1", method.id)
    await _insert_rates(tx, method)
    return True


async def delete(tx: WriteTx, method_id: UUID, *, seller_id: UUID) -> bool:
    """Remove a method; orders keep what they copied from it."""
    tag = await tx.execute(
        "DELETE FROM fulfilment.shipping_method WHERE id = $1 AND seller_id = $2",
        method_id,
        seller_id,
    )
    return tag == "DELETE 1"


async def _insert_rates(tx: WriteTx, method: Method) -> None:
    await tx.executemany(
        "INSERT INTO fulfilment.shipping_rate (method_id, position, countries, amount, free_over,"
        " bracket_g, bracket_amount, min_days, max_days)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            (
                method.id,
                position,
                rate.countries,
                rate.amount,
                rate.free_over,
                [bracket.up_to_g for bracket in rate.brackets],
                [bracket.amount for bracket in rate.brackets],
                rate.min_days,
                rate.max_days,
            )
            for position, rate in enumerate(method.rates)
        ],
    )
