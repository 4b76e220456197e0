"""Seller accounts to and from rows."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from souk.contexts.sellers.domain import Seller, SellerKind, SellerState, Tier
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
