"""How the house is: what operators look at on the dashboard and beside events and jobs."""

from __future__ import annotations

import shutil
import time
from datetime import datetime
from pathlib import Path

import msgspec

from souk.kernel.actor import Actor
from souk.kernel.errors import NotFound
from souk.platform import audit
from souk.platform.database import ReadConn, WriteTx


class DatabaseHealth(msgspec.Struct, frozen=True):
    """`round_trip_ms` is one statement there and back; sizes in bytes."""

    round_trip_ms: float
    version: str
    size: int
    connections: int
    most_connections: int


class QueueHealth(msgspec.Struct, frozen=True):
    """Jobs that are due, how long the oldest has been due in seconds, those held, and the last sign
    of life of a worker."""

    due: int
    oldest_seconds: float
    held: int
    last_beat: datetime | None


class ScheduleView(msgspec.Struct, frozen=True):
    """Something that runs by the clock; `cron` in UTC."""

    name: str
    cron: str
    last_run: datetime | None
    next_run: datetime


class Disk(msgspec.Struct, frozen=True):
    """Bytes of the volume that holds the data folder."""

    total: int
    free: int


async def database_health(conn: ReadConn) -> DatabaseHealth:
    """One statement, and how long it took."""
    started = time.perf_counter()
    row = await conn.fetchrow(
        "SELECT current_setting('server_version') AS version,"
        " pg_database_size(current_database()) AS size,"
        " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS open,"
        " current_setting('max_connections')::integer AS most"
    )
    assert row is not None
    took = (time.perf_counter() - started) * 1_000
    return DatabaseHealth(took, row["version"], row["size"], row["open"], row["most"])


async def queue_health(conn: ReadConn) -> QueueHealth:
    """One statement. A worker leaves a sign of life with every schedule, so once a minute."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,"
        " coalesce(extract(epoch FROM now() - min(execute_after)"
        "   FILTER (WHERE status = 'queued' AND execute_after <= now())), 0) AS oldest,"
        " count(*) FILTER (WHERE status = 'failed') AS held,"
        " (SELECT max(greatest(last_run, heartbeat)) FROM jobs.pgqueuer_schedules) AS beat"
        " FROM jobs.pgqueuer WHERE status IN ('queued', 'failed')"
    )
    assert row is not None
    return QueueHealth(row["due"], float(row["oldest"]), row["held"], row["beat"])


async def schedules(conn: ReadConn) -> list[ScheduleView]:
    """Everything that runs by the clock, the next first."""
    rows = await conn.fetch(
        "SELECT entrypoint, expression, last_run, next_run FROM jobs.pgqueuer_schedules"
        " ORDER BY next_run, entrypoint"
    )
    return [ScheduleView(*row.values()) for row in rows]


def disk(folder: Path) -> Disk:
    """The volume of the data folder, or of the nearest folder above it that is there."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    usage = shutil.disk_usage(there)
    return Disk(usage.total, usage.free)


class HeldDetail(msgspec.Struct, frozen=True):
    """A job that failed for good: what it was to do, and the last error."""

    id: int
    name: str
    attempts: int
    created_at: datetime
    payload: str
    error: str


async def held(conn: ReadConn, *, limit: int = 50) -> list[HeldDetail]:
    """The held jobs with their payload and last error, newest first; one statement."""
    rows = await conn.fetch(
        "SELECT q.id, q.entrypoint, q.attempts, q.created,"
        " coalesce(convert_from(q.payload, 'UTF8'), '') AS payload,"
        " coalesce((SELECT l.traceback ->> 'exception_message' FROM jobs.pgqueuer_log l"
        "   WHERE l.job_id = q.id AND l.traceback IS NOT NULL ORDER BY l.id DESC LIMIT 1), '')"
        "   AS error"
        " FROM jobs.pgqueuer q WHERE q.status = 'failed' ORDER BY q.id DESC LIMIT $1",
        limit,
    )
    return [HeldDetail(*row.values()) for row in rows]


async def retry_held(tx: WriteTx, actor: Actor, *, job_id: int | None = None) -> int:
    """Queue held jobs again, one or all, with all their attempts anew; audited.

    Returns how many. Raises NotFound when the one is not held (any more).
    """
    tag = await tx.execute(
        "UPDATE jobs.pgqueuer SET status = 'queued', attempts = 0, execute_after = now(),"
        " updated = now(), queue_manager_id = NULL WHERE status = 'failed'"
        " AND ($1::bigint IS NULL OR id = $1)",
        job_id,
    )
    count = int(tag.rsplit(" ", 1)[1])
    if not count and job_id is not None:
        raise NotFound("This job is not held any more. Look at the list.")
    await audit.record(tx, actor, "jobs.retried", f"job:{job_id or 'all'}", count=count)
    return count


async def drop_held(tx: WriteTx, actor: Actor, *, job_id: int, reason: str) -> None:
    """Give a held job up: it is not done, ever; audited with what it was to do.

    Raises NotFound when it is not held (any more).
    """
    row = await tx.fetchrow(
        "DELETE FROM jobs.pgqueuer WHERE id = $1 AND status = 'failed'"
        " RETURNING entrypoint, coalesce(convert_from(payload, 'UTF8'), '') AS payload",
        job_id,
    )
    if row is None:
        raise NotFound("This job is not held any more. Look at the list.")
    await audit.record(
        tx,
        actor,
        "jobs.dropped",
        f"job:{job_id}",
        name=row["entrypoint"],
        payload=row["payload"],
        reason=reason,
    )
