"""Background jobs and schedules, kept in PostgreSQL in pgqueuer's tables.

`enqueue` is part of the caller's transaction: a job exists exactly when its change was committed.
A job may run more than once (a worker can die after the work and before the note of it), so every
job is written to be repeatable. Failed jobs are tried again with a doubling pause, then held
for a person. `souk.platform.worker` runs them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from souk.platform.database import ReadConn, WriteTx

P = TypeVar("P")
SCHEMA = "jobs"
# What pgqueuer itself sends to enqueue one job, less what one job does not need. Importing pgqueuer
# costs a second and tens of megabytes, which web processes that only enqueue need not pay.
_ENQUEUE = """
WITH inserted AS (
  INSERT INTO jobs.pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, headers,
    status)
  VALUES (0, $1, $2, now() + coalesce($3::interval, interval '0'), $4, '{}', 'queued')
  ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL
  DO NOTHING RETURNING id, entrypoint, priority)
INSERT INTO jobs.pgqueuer_log (job_id, status, entrypoint, priority)
SELECT id, 'queued', entrypoint, priority FROM inserted
"""


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
    run: Callable[[Any], Awaitable[object]]


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
    await tx.execute(_ENQUEUE, name, msgspec.json.encode(payload), after, dedupe_key)


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
