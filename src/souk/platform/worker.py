"""Runs jobs and schedules with pgqueuer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import msgspec
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.models import Schedule as QueuedSchedule
from pgqueuer.domain.settings import DBSettings

from souk.platform.database import Record
from souk.platform.jobs import SCHEMA, JobType, Schedule

log = structlog.get_logger()
MAX_ATTEMPTS = 10
_LONGEST_PAUSE = timedelta(minutes=30)
# pgqueuer reads its settings from the environment each time unless it is handed built ones.
_SETTINGS = DBSettings(db_schema=SCHEMA)
_ENVIRONMENT = QueryBuilderEnvironment(_SETTINGS)
_DUE = (
    "SELECT EXISTS (SELECT FROM jobs.pgqueuer WHERE status IN ('queued', 'picked')"
    " AND execute_after <= now() AND entrypoint = ANY($1))"
)
_QUEUE = QueryQueueBuilder(_SETTINGS)
_SCHEDULES = QuerySchedulerBuilder(_SETTINGS)


def install_sql() -> str:
    """The DDL of the locked pgqueuer version; a test compares the migration with it."""
    return _ENVIRONMENT.build_install_query(create_schema=False)


class Worker:
    """Runs job types and schedules until it is stopped. `services` is handed to each of them."""

    def __init__(
        self,
        *,
        pool: asyncpg.Pool[Record],
        services: object,
        job_types: Sequence[JobType],
        schedules: Sequence[Schedule],
    ) -> None:
        self._services = services
        self._pool = pool
        queries = Queries(AsyncpgPoolDriver(pool), qbe=_ENVIRONMENT, qbq=_QUEUE, qbs=_SCHEDULES)
        self._queue = QueueManager(queries)
        self._clockwork = SchedulerManager(queries)
        for job_type in job_types:
            self._register(job_type)
        for schedule in schedules:
            self._register_schedule(schedule)

    def _register(self, job_type: JobType) -> None:
        async def run(queued: QueuedJob) -> None:
            payload = msgspec.json.decode(queued.payload or b"null", type=job_type.payload)
            try:
                await job_type.run(self._services, payload)
            except Exception as error:
                if queued.attempts + 1 >= MAX_ATTEMPTS:
                    log.exception("job_failed", job=job_type.name, attempts=queued.attempts + 1)
                    raise
                pause = min(timedelta(seconds=2) * 2**queued.attempts, _LONGEST_PAUSE)
                log.warning("job_retry", job=job_type.name, error=repr(error), pause=str(pause))
                raise RetryRequested(pause, reason=repr(error)[:500]) from error

        self._queue.entrypoint(job_type.name, accepts_context=False, on_failure="hold")(run)

    def _register_schedule(self, schedule: Schedule) -> None:
        async def run(_due: QueuedSchedule) -> None:
            await schedule.run(self._services)

        self._clockwork.schedule(
            schedule.name, schedule.cron, clean_old=True, accepts_context=False
        )(run)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what has begun."""

        async def until_stopped() -> None:
            await stop.wait()
            self._queue.shutdown.set()
            self._clockwork.shutdown.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(until_stopped())
            group.create_task(self._queue.run(dequeue_timeout=timedelta(seconds=5)))
            if self._clockwork.registry:
                group.create_task(self._clockwork.run())

    async def drain(self) -> None:
        """Run everything that is due by now, then return; for tests and the command line."""
        names = list(self._queue.entrypoint_registry)
        running = asyncio.create_task(self._queue.run(dequeue_timeout=timedelta(milliseconds=100)))
        try:
            # The table of the queue is what is waited for, and nothing announces its changes.
            while not running.done() and await self._pool.fetchval(_DUE, names):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        finally:
            self._queue.shutdown.set()
            await running
