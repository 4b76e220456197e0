"""Work that no request waits for. Each may run more than once."""

from __future__ import annotations

import asyncio

from souk.contexts.listings import pictures, projections
from souk.contexts.listings.uploads import MakeRenditions, RemoveObjects
from souk.kernel.actor import system
from souk.kernel.errors import NotFound
from souk.platform.database import WriteTx
from souk.platform.jobs import JobType, job
from souk.platform.services import Services

_ACTOR = system("listings")


async def make_renditions(services: Services, payload: MakeRenditions) -> None:
    """Store the smaller sizes of a picture. One that was removed meanwhile needs none."""
    try:
        content = await services.files.get(f"{payload.key}/full.webp")
    except NotFound:
        return
    made = await asyncio.to_thread(pictures.renditions, content, width=payload.width)
    for width, encoded in made.items():
        await services.files.put(f"{payload.key}/{width}.webp", encoded)


async def remove_objects(services: Services, payload: RemoveObjects) -> None:
    """Remove objects from the file store; absent ones are fine."""
    await services.files.delete(*payload.keys)


async def follow_seller(services: Services, payload: projections.FollowSeller) -> None:
    """A shop was renamed, suspended or let in again: its listings follow."""

    async def batch(tx: WriteTx) -> None:
        await projections.follow_seller(
            tx, _ACTOR, seller_id=payload.seller_id, after=payload.after
        )

    await services.db.transact(batch)


async def follow_category(services: Services, payload: projections.FollowCategory) -> None:
    """A category was moved or merged: its listings follow."""

    async def batch(tx: WriteTx) -> None:
        await projections.follow_category(tx, _ACTOR, category_id=payload.category_id)

    await services.db.transact(batch)


job_types: list[JobType] = [
    job(projections.FOLLOW_SELLER, projections.FollowSeller, follow_seller),
    job(projections.FOLLOW_CATEGORY, projections.FollowCategory, follow_category),
    job("listings.make_renditions", MakeRenditions, make_renditions),
    job("listings.remove_objects", RemoveObjects, remove_objects),
]
