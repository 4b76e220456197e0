"""Reviews without the orders behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from souk.contexts.reviews import api
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import uuid7
from souk.platform.database import Database

MODERATOR = Actor(
    kind="user", user_id=uuid7(), permissions=frozenset({Permission.REVIEWS_MODERATE})
)


def person(**changes: Any) -> Actor:
    return replace(Actor(kind="user", user_id=uuid7()), **changes)


def purchase(author: Actor, **changes: Any) -> api.Purchase:
    made = api.Purchase(
        kind=api.Kind.LISTING,
        subject_id=uuid7(),
        seller_id=uuid7(),
        order_id=uuid7(),
        seller_order_id=uuid7(),
        order_line_id=uuid7(),
        author_id=author.user_id,
        guest=None,
        display_name="Ada Lovelace",
        account_age=timedelta(days=30),
        title="Fern",
        detail="12 cm",
        slug="fern",
        returned=False,
    )
    return msgspec.structs.replace(made, **changes)


async def written(
    db: Database, author: Actor, *, stars: int = 4, text: str = "A good fern.", **changes: Any
) -> api.Review:
    bought = purchase(author, **changes)
    return await db.transact(
        lambda tx: api.write(tx, author, purchase=bought, stars=stars, text=text)
    )


async def rating(db: Database, subject_id: UUID) -> tuple[int, int]:
    """Sum and count."""
    async with db.read() as conn:
        found = await api.rating(conn, subject_id)
    return found.sum, found.count
