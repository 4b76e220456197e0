"""The pictures of imported listings, fetched after the rows have landed; then publication.

A picture that cannot be had costs a sentence at its product and never the import. A listing that
has pictures already keeps them.
"""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

import structlog

from souk.contexts.listings import api as listings
from souk.contexts.listings.api import importing
from souk.flows.import_listings.fetch import FetchError, fetch
from souk.flows.publish_listing import flow as publishing
from souk.kernel.actor import system
from souk.kernel.errors import DomainError
from souk.platform.database import WriteTx
from souk.platform.services import Services

log = structlog.get_logger()
_ACTOR = system("listings.import")
_BATCH = 20
_LANES = asyncio.Semaphore(4)
"""Most servers of other shops take four requests at a time kindly."""


async def complete(services: Services, run_id: UUID) -> None:
    """Fetch what the products of a finished run still lack. Safe to call again."""
    async with services.db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=None)
    after = -1
    while run.state is importing.RunState.DONE:
        async with services.db.read() as conn:
            batch = await importing.unfinished(conn, run_id=run_id, after=after, limit=_BATCH)
        if not batch:
            return
        after = batch[-1].position
        async with asyncio.TaskGroup() as group:
            for product in batch:
                group.create_task(_complete_one(services, run, product, _LANES))
        async with services.db.read() as conn:
            run = await importing.run(conn, run_id=run_id, seller_id=None)


async def _complete_one(
    services: Services,
    run: importing.Run,
    product: importing.Unfinished,
    lanes: asyncio.Semaphore,
) -> None:
    async with lanes:
        problems = await _problems(services, run, product)
    await services.db.transact(
        partial(
            importing.note_completed, run_id=run.id, position=product.position, problems=problems
        )
    )


async def _problems(
    services: Services, run: importing.Run, product: importing.Unfinished
) -> list[importing.RowProblem]:
    """Complete a product as far as it goes; what it lacks then."""
    problems: list[importing.RowProblem] = []
    row = product.draft.rows[0] if product.draft.rows else product.rows[0]
    if not product.has_pictures:
        for image in product.draft.images:
            problem = await _add(services, run, product.listing_id, image)
            if problem:
                message = f"The picture {image.source[:200]} is missing: {problem}"
                problems.append(
                    importing.RowProblem(
                        row, "", "image_missing", message, importing.Severity.WARNING
                    )
                )
    if product.draft.publish:
        problem = await _publish(services, run, product.listing_id)
        if problem:
            problems.append(
                importing.RowProblem(row, "", "not_published", problem, importing.Severity.WARNING)
            )
    return problems


async def _add(
    services: Services, run: importing.Run, listing_id: UUID, image: importing.ImageRef
) -> str:
    """Fetch, check and attach one picture; returns what is wrong, or an empty string."""
    if not image.source.startswith(("http://", "https://")):
        return "Upload it on the listing's page."
    try:
        content = await fetch(image.source)
        stored = await listings.store_image(services.files, content)
        await services.db.transact(
            partial(
                listings.add_image,
                actor=_ACTOR,
                seller_id=run.seller_id,
                listing_id=listing_id,
                image=stored,
                alt=image.alt[:300],
            )
        )
    except FetchError as error:
        return str(error)
    except DomainError as refusal:
        return refusal.message
    return ""


async def _publish(services: Services, run: importing.Run, listing_id: UUID) -> str:
    """Publish a draft that the file wants on sale; returns what still stands in the way."""

    async def submit(tx: WriteTx) -> None:
        await publishing.submit(tx, _ACTOR, seller_id=run.seller_id, listing_id=listing_id)

    try:
        await services.db.transact(submit)
    except DomainError as refusal:
        log.info("import_not_published", listing=str(listing_id), code=refusal.code)
        wanted = [str(p.message) for p in getattr(refusal, "problems", [])]
        return " ".join(["It stays a draft.", *(wanted or [refusal.message])])
    return ""
