"""Transactions, retries and limits of the database, on a real server."""

from __future__ import annotations

import asyncio
from typing import ClassVar
from uuid import UUID

import asyncpg
import pytest

from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform import outbox
from souk.platform.database import Busy, Database, DatabaseUnavailable, count_statements
from souk.platform.events import Event


@pytest.fixture
async def quick(db_url):
    database = await Database.connect(db_url, size=3, statement_timeout_ms=300, lock_timeout_ms=100)
    yield database
    await database.close()


@pytest.fixture
async def bucket(db):
    name = f"bucket:{uuid7()}"
    await db.transact(
        lambda tx: tx.execute(
            "INSERT INTO platform.rate_limit VALUES ($1, '2026-01-01T00:00:00Z', 0)", name
        )
    )
    return name


async def hits(db, bucket):
    async with db.read() as conn:
        return await conn.fetchval("SELECT hits FROM platform.rate_limit WHERE bucket = $1", bucket)


def add_one(tx, bucket):
    return tx.execute("UPDATE platform.rate_limit SET hits = hits + 1 WHERE bucket = $1", bucket)


async def test_serialisation_failures_are_tried_again(db, bucket):
    ready, snapshots = asyncio.Barrier(2), []

    async def work(tx):
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await tx.fetchval("SELECT hits FROM platform.rate_limit WHERE bucket = $1", bucket)
        snapshots.append(1)
        if len(snapshots) <= 2:
            await ready.wait()
        await add_one(tx, bucket)

    await asyncio.gather(db.transact(work), db.transact(work))
    assert await hits(db, bucket) == 2
    assert len(snapshots) == 3


async def test_what_never_succeeds_is_busy_after_four_tries(db, bucket):
    tries = []

    async def work(tx):
        tries.append(1)
        await add_one(tx, bucket)
        raise asyncpg.DeadlockDetectedError

    with pytest.raises(Busy):
        await db.transact(work)
    assert len(tries) == 4
    assert await hits(db, bucket) == 0


async def test_a_lock_that_does_not_come_is_busy(db, quick, bucket):
    held, done = asyncio.Event(), asyncio.Event()

    async def hold(tx):
        await add_one(tx, bucket)
        held.set()
        await done.wait()

    holder = asyncio.create_task(db.transact(hold))
    await held.wait()
    with pytest.raises(Busy):
        await quick.transact(lambda tx: add_one(tx, bucket))
    done.set()
    await holder
    assert await hits(db, bucket) == 1


async def test_a_statement_that_takes_too_long_is_ended(quick, bucket):
    async def slow(tx):
        await add_one(tx, bucket)
        await tx.execute("SELECT pg_sleep(5)")

    with pytest.raises(Busy):
        await quick.transact(slow)
    with pytest.raises(DatabaseUnavailable):
        async with quick.read() as conn:
            await conn.fetchval("SELECT pg_sleep(5)")
    assert await hits(quick, bucket) == 0


async def test_a_session_that_the_server_ends_is_a_database_out_of_reach(quick, bucket):
    async def ended(tx):
        await add_one(tx, bucket)
        await tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(DatabaseUnavailable):
        await quick.transact(ended)
    with pytest.raises(DatabaseUnavailable):
        async with quick.read() as conn:
            await conn.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await hits(quick, bucket) == 0


async def test_a_read_connection_cannot_write(db, bucket):
    async with db.read() as conn:
        assert not hasattr(conn, "execute")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.fetchval(
                "UPDATE platform.rate_limit SET hits = 9 WHERE bucket = $1 RETURNING 1", bucket
            )
    assert await hits(db, bucket) == 0


async def test_any_exception_rolls_everything_back(db, bucket):
    async def fail(tx):
        await add_one(tx, bucket)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await db.transact(fail)
    assert await hits(db, bucket) == 0


async def test_statements_are_counted_with_those_of_child_tasks(db, bucket):
    async def read():
        async with db.read() as conn:
            await conn.fetch("SELECT 1")
            await conn.fetchrow("SELECT 2")

    async with count_statements() as count:
        await asyncio.gather(read(), read())
        await db.transact(lambda tx: add_one(tx, bucket))
    assert count.total == 7
    assert count.texts[-3] == "BEGIN"
    assert count.texts[-1] == "COMMIT"
    await read()
    assert count.total == 7


async def test_one_statement_alone_is_its_own_transaction(db, bucket):
    async with count_statements() as count:
        await db.transact(lambda tx: add_one(tx, bucket), alone=True)
    assert count.total == 1
    assert await hits(db, bucket) == 1


class Rang(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "test.rang_alone.v1"
    key: ClassVar[str] = "bell"

    bell: UUID


async def test_alone_nothing_else_is_written_and_the_change_is_noted(db, bucket):
    before = db.changes.moment

    async def twice(tx):
        await add_one(tx, bucket)
        assert await tx.fetchval("SELECT 1") == 1
        await add_one(tx, bucket)

    with pytest.raises(RuntimeError, match="one statement writes here"):
        await db.transact(twice, alone=True)
    assert await hits(db, bucket) == 1
    assert db.changes.after(before, ["platform.rate_limit"])

    async def tells(tx):
        outbox.add(tx, Rang(bell=uuid7()), actor=system("test"))

    with pytest.raises(RuntimeError, match="would need another"):
        await db.transact(tells, alone=True)
