from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import msgspec
import pytest

from souk.platform import jobs, worker
from souk.platform.jobs import JobType, job

ROOT = Path(__file__).resolve().parents[2]


class Payload(msgspec.Struct):
    number: int


@pytest.fixture
async def pool(db_url):
    made = await asyncpg.create_pool(db_url, min_size=1, max_size=4)
    yield made
    await made.close()


def make_worker(pool, *types: JobType) -> worker.Worker:
    return worker.Worker(pool=pool, services="services", job_types=types, schedules=[])


def test_the_migration_is_the_schema_of_the_locked_pgqueuer():
    migration = (ROOT / "migrations/sql/0001_jobs.sql").read_text()
    assert re.sub(r"\s+", " ", worker.install_sql()).strip() in re.sub(r"\s+", " ", migration)


async def test_a_job_runs_with_its_payload_once(db, pool):
    seen = []

    async def run(services, payload):
        seen.append((services, payload.number))

    await db.transact(lambda tx: jobs.enqueue(tx, "count", Payload(7)))
    await make_worker(pool, job("count", Payload, run)).drain()
    await make_worker(pool, job("count", Payload, run)).drain()
    assert seen == [("services", 7)]


async def test_a_rolled_back_job_never_was(db, pool):
    async def fail(tx):
        await jobs.enqueue(tx, "never", Payload(1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.transact(fail)
    async with db.read() as conn:
        count = "SELECT count(*) FROM jobs.pgqueuer WHERE entrypoint = 'never'"
        assert await conn.fetchval(count) == 0


async def test_a_waiting_job_with_the_same_key_is_not_queued_again(db):
    for _ in range(3):
        await db.transact(lambda tx: jobs.enqueue(tx, "keyed", Payload(1), dedupe_key="k"))
    async with db.read() as conn:
        count = "SELECT count(*) FROM jobs.pgqueuer WHERE entrypoint = 'keyed'"
        assert await conn.fetchval(count) == 1


async def test_a_failing_job_is_tried_again_later(db, pool):
    tries = []

    async def run(_services, payload):
        tries.append(payload.number)
        raise RuntimeError("not now")

    await db.transact(lambda tx: jobs.enqueue(tx, "flaky", Payload(1)))
    await make_worker(pool, job("flaky", Payload, run)).drain()
    async with db.read() as conn:
        row = await conn.fetchrow(
            "SELECT status::text, attempts, execute_after > now() AS later"
            " FROM jobs.pgqueuer WHERE entrypoint = 'flaky'"
        )
    assert tries == [1]
    assert (row["status"], row["attempts"], row["later"]) == ("queued", 1, True)


async def test_a_job_that_keeps_failing_is_held_for_a_person(db, pool, monkeypatch):
    monkeypatch.setattr(worker, "MAX_ATTEMPTS", 1)

    async def run(_services, _payload):
        raise RuntimeError("never")

    await db.transact(lambda tx: jobs.enqueue(tx, "broken", Payload(1)))
    await make_worker(pool, job("broken", Payload, run)).drain()
    async with db.read() as conn:
        held = await jobs.held_jobs(conn)
    assert [one.name for one in held] == ["broken"]
