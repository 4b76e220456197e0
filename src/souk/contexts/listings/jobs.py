"""Work on files that no request waits for. Each may run more than once."""

from __future__ import annotations

import asyncio

from souk.contexts.listings import pictures
from souk.contexts.listings.uploads import MakeRenditions, RemoveObjects
from souk.kernel.errors import NotFound
from souk.platform.jobs import JobType, job
from souk.platform.services import Services


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


job_types: list[JobType] = [
    job("listings.make_renditions", MakeRenditions, make_renditions),
    job("listings.remove_objects", RemoveObjects, remove_objects),
]
