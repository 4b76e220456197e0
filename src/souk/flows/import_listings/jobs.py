"""Imports go on in the background, and after a crash."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from souk.contexts.listings.api import importing
from souk.flows.import_listings.work import work
from souk.platform import jobs
from souk.platform.database import WriteTx
from souk.platform.jobs import JobType, Schedule, job
from souk.platform.services import Services

_SILENCE = timedelta(minutes=2)
_AT_ONCE = 20


class WorkOff(msgspec.Struct, frozen=True):
    """Which run to carry on."""

    run_id: UUID


async def enqueue(tx: WriteTx, run_id: UUID) -> None:
    """Carry the run on after this transaction; a run that is queued already is queued once."""
    await jobs.enqueue(
        tx, "listings.import", WorkOff(run_id), dedupe_key=f"listings.import:{run_id}"
    )


async def _work_off(services: Services, payload: WorkOff) -> None:
    await work(services, payload.run_id)


async def resume(services: Services) -> None:
    """Queue runs again of which nothing was heard for a while: their worker was killed."""
    before = services.clock.now() - _SILENCE
    async with services.db.read() as conn:
        stale = await importing.stale_runs(conn, before=before, limit=_AT_ONCE)

    async def queue(tx: WriteTx) -> None:
        for run_id in stale:
            await jobs.enqueue(
                tx,
                "listings.import",
                WorkOff(run_id),
                dedupe_key=f"listings.import:{run_id}:{before:%Y%m%d%H%M}",
            )

    if stale:
        await services.db.transact(queue)


job_types: list[JobType] = [job("listings.import", WorkOff, _work_off)]
schedules: list[Schedule] = [Schedule("listings.import_resume", "* * * * *", resume)]
