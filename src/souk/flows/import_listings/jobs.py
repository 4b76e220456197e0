"""Imports go on in the background, and after a crash."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec

from souk.contexts.listings.api import importing
from souk.flows.import_listings import pictures
from souk.flows.import_listings.work import work
from souk.platform import jobs
from souk.platform.database import WriteTx
from souk.platform.jobs import JobType, Schedule, job
from souk.platform.services import Services

_SILENCE = timedelta(minutes=2)
_PATIENCE = timedelta(hours=6)
_AT_ONCE = 20
_GIVEN_UP = (
    "The import stopped and could not be carried on. Upload the file again: what has landed is "
    "recognised and not doubled."
)


class WorkOff(msgspec.Struct, frozen=True):
    """Which run to carry on."""

    run_id: UUID


async def enqueue(tx: WriteTx, run: importing.Run) -> None:
    """Carry the run on after this transaction; a phase that is queued already is queued once."""
    await jobs.enqueue(
        tx, "listings.import", WorkOff(run.id), dedupe_key=f"listings.import:{run.id}:{run.state}"
    )


async def _work_off(services: Services, payload: WorkOff) -> None:
    await work(services, payload.run_id)
    await services.db.transact(partial(enqueue_pictures, run_id=payload.run_id))


async def enqueue_pictures(tx: WriteTx, *, run_id: UUID) -> None:
    """Fetch the pictures of a finished import after this transaction."""
    await jobs.enqueue(
        tx, "listings.import_pictures", WorkOff(run_id), dedupe_key=f"listings.pictures:{run_id}"
    )


async def _fetch_pictures(services: Services, payload: WorkOff) -> None:
    await pictures.complete(services, payload.run_id)


async def resume(services: Services) -> None:
    """Queue runs again of which nothing was heard for a while: their worker was killed.

    A run that stays silent for hours whatever is tried is given up, so that it does not stand in
    the way of its seller's next one.
    """
    now = services.clock.now()
    async with services.db.read() as conn:
        stale = await importing.stale_runs(conn, before=now - _SILENCE, limit=_AT_ONCE)
        hopeless = await importing.stale_runs(conn, before=now - _PATIENCE, limit=_AT_ONCE)
    # The dead worker's job may still be marked as taken: a new key every ten minutes passes it by.
    again = f"{now:%Y%m%d%H}{now.minute // 10}"

    async def queue(tx: WriteTx) -> None:
        for run_id in sorted(set(stale) - set(hopeless)):
            await jobs.enqueue(
                tx,
                "listings.import",
                WorkOff(run_id),
                dedupe_key=f"listings.import:{run_id}:{again}",
            )
        for run_id in hopeless:
            await importing.fail(tx, run_id=run_id, reason=_GIVEN_UP)

    if stale:
        await services.db.transact(queue)


job_types: list[JobType] = [
    job("listings.import", WorkOff, _work_off),
    job("listings.import_pictures", WorkOff, _fetch_pictures),
]
schedules: list[Schedule] = [Schedule("listings.import_resume", "* * * * *", resume)]
