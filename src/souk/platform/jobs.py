"""Background jobs and schedules, kept in PostgreSQL by pgqueuer.

`enqueue` is part of the caller's transaction: a job exists exactly when its change was committed.
A job may run more than once (a worker can die after the work and before the note of it), so every
job is written to be repeatable. Failed jobs are tried again with a doubling pause, then held
for a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import msgspec
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
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
from pgqueuer.domain.types import QueueExecutionMode

from souk.platform.database import ReadConn, Record, WriteTx

log = structlog.get_logger()
P = TypeVar("P")
MAX_ATTEMPTS = 10
_LONGEST_PAUSE = timedelta(minutes=30)


# pgqueuer reads its settings from the environment each time unless it is handed built ones.
_SETTINGS = DBSettings(db_schema="jobs")
_ENVIRONMENT = QueryBuilderEnvironment(_SETTINGS)
_QUEUE = QueryQueueBuilder(_SETTINGS)
_SCHEDULES = QuerySchedulerBuilder(_SETTINGS)


def install_sql() -> str:
    """The DDL of the locked pgqueuer version; a test compares the migrated schema with it."""
    return _ENVIRONMENT.build_install_query(create_schema=False)


@dataclass(frozen=True, slots=True)
class JobType:
    """A kind of job: its stable name, its payload's type, what runs it."""

    name: str
    payload: type[Any]
    run: Callable[[Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that runs by the clock (`cron` in UTC), on one worker at a time."""

    name: str
    cron: str
    run: Callable[[Any], Awaitable[None]]


def job(name: str, payload: type[P], run: Callable[[Any, P], Awaitable[None]]) -> JobType:
    """A job type whose function `run(services, payload)` is checked against its payload."""
    return JobType(name, payload, run)


async def enqueue(
    tx: WriteTx,
    name: str,
    payload: msgspec.Struct,
    *,
    after: timedelta | None = None,
    dedupe_key: str | None = None,
) -> None:
    """Queue a job with this transaction. A second job with a queued `dedupe_key` is dropped."""
    queries = Queries(
        AsyncpgDriver(tx.driver_connection()), qbe=_ENVIRONMENT, qbq=_QUEUE, qbs=_SCHEDULES
    )
    await queries.enqueue(
        name,
        msgspec.json.encode(payload),
        execute_after=after,
        dedupe_key=dedupe_key,
        on_conflict="skip",
    )


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
        """Run everything that is due, then return; for tests and the command line."""
        await self._queue.run(mode=QueueExecutionMode.drain, dequeue_timeout=timedelta(seconds=0))


class HeldJob(msgspec.Struct, frozen=True):
    """A job that failed for good and waits for a person."""

    id: int
    name: str
    attempts: int
    created_at: str


async def held_jobs(conn: ReadConn, *, limit: int = 100) -> list[HeldJob]:
    """The held jobs, newest first."""
    rows = await conn.fetch(
        "SELECT id, entrypoint, attempts, created::text FROM jobs.pgqueuer"
        " WHERE status = 'failed' ORDER BY id DESC LIMIT $1",
        limit,
    )
    return [HeldJob(*row.values()) for row in rows]
