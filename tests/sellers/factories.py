"""Seller accounts for tests, made by the real commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from souk.contexts.sellers import api
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import uuid7
from souk.platform.database import Database

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.SELLERS_REVIEW}))


def person(**fields: Any) -> Actor:
    return Actor(**{"kind": "user", "user_id": uuid7(), "email_verified": True} | fields)


def application(**fields: Any) -> api.Application:
    return api.Application(**{"name": f"Shop {uuid7().hex[-10:]}", "country": "DE"} | fields)


async def applied(db: Database, actor: Actor | None = None, **fields: Any) -> api.Seller:
    made = application(**fields)
    return await db.transact(lambda tx: api.apply(tx, actor or person(), application=made))


async def approved(db: Database, actor: Actor | None = None, **fields: Any) -> api.Seller:
    seller = await applied(db, actor, **fields)
    return await db.transact(lambda tx: api.approve(tx, OPERATOR, seller_id=seller.id))


async def events_of(db: Database, aggregate_id: UUID) -> list[str]:
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT name FROM platform.event WHERE aggregate_id = $1 ORDER BY seq", aggregate_id
        )
    return [row["name"] for row in rows]
