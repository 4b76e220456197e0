"""Seller accounts to and from rows."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from souk.contexts.sellers.domain import (
    Record as OrderRecord,
)
from souk.contexts.sellers.domain import (
    Seller,
    SellerKind,
    SellerState,
    Tier,
    standing,
)
from souk.contexts.sellers.errors import AlreadyApplied, ShopNameTaken
from souk.kernel.ids import uuid7
from souk.platform.database import Record, WriteTx

_FIELDS = Seller.__struct_fields__
COLUMNS = ", ".join(_FIELDS)


def seller_of(row: Record) -> Seller:
    """The entity in one row."""
    values = {name: row[name] for name in _FIELDS}
    values |= {
        "kind": SellerKind(row["kind"]),
        "state": SellerState(row["state"]),
        "tier": Tier(row["tier"]),
    }
    return Seller(**values)


async def insert(tx: WriteTx, seller: Seller) -> None:
    """Raises ShopNameTaken, AlreadyApplied when the person's other request came first."""
    places = ", ".join(f"${index}" for index in range(1, len(_FIELDS) + 1))
    made = await tx.fetchval(
        f"INSERT INTO sellers.seller ({COLUMNS}) VALUES ({places})"
        " ON CONFLICT DO NOTHING RETURNING id",
        *(getattr(seller, name) for name in _FIELDS),
    )
    if made is None:
        state = await tx.fetchval(
            "SELECT state FROM sellers.seller WHERE user_id = $1", seller.user_id
        )
        if state is not None:
            raise AlreadyApplied(state=state)
        raise ShopNameTaken(slug=seller.slug)


async def save(tx: WriteTx, seller: Seller) -> None:
    """Raises ShopNameTaken."""
    seller.version += 1
    changes = ", ".join(f"{name} = ${index}" for index, name in enumerate(_FIELDS[1:], start=2))
    try:
        await tx.execute(
            f"UPDATE sellers.seller SET {changes} WHERE id = $1",
            *(getattr(seller, name) for name in _FIELDS),
        )
    except asyncpg.UniqueViolationError as error:
        raise ShopNameTaken(slug=seller.slug) from error


async def lock(tx: WriteTx, seller_id: UUID) -> Seller | None:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM sellers.seller WHERE id = $1 FOR UPDATE", seller_id
    )
    return seller_of(row) if row else None


async def lock_of_user(tx: WriteTx, user_id: UUID) -> Seller | None:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM sellers.seller WHERE user_id = $1 FOR UPDATE", user_id
    )
    return seller_of(row) if row else None


async def lock_figures(tx: WriteTx, seller_id: UUID) -> tuple[int, int, OrderRecord] | None:
    """Sum and number of the shop's reviews, and how it carries orders out; locked."""
    row = await tx.fetchrow(
        "SELECT rating_sum, rating_count, orders_due, orders_on_time, orders_cancelled"
        " FROM sellers.seller WHERE id = $1 FOR UPDATE",
        seller_id,
    )
    if row is None:
        return None
    stars, reviews, *record = row.values()
    return stars, reviews, OrderRecord(*record)


async def save_figures(
    tx: WriteTx, seller_id: UUID, *, stars: int, reviews: int, record: OrderRecord
) -> None:
    """Keep the figures and the standing that follows from them."""
    await tx.execute(
        "UPDATE sellers.seller SET rating_sum = $2, rating_count = $3, orders_due = $4,"
        " orders_on_time = $5, orders_cancelled = $6, standing = $7 WHERE id = $1",
        seller_id,
        stars,
        reviews,
        record.due,
        record.on_time,
        record.cancelled,
        standing(stars=stars, reviews=reviews, record=record),
    )


async def add_step(tx: WriteTx, seller: Seller, *, actor: str, reason: str) -> None:
    await tx.execute(
        "INSERT INTO sellers.step (id, seller_id, at, actor, state, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        uuid7(),
        seller.id,
        tx.clock.now(),
        actor,
        seller.state,
        reason,
    )
