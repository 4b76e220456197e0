"""A value that is asked for once a second, and never older than what this process wrote."""

from __future__ import annotations

import asyncio

import pytest

from souk.kernel.ids import uuid7
from souk.platform.changes import statements_read
from souk.platform.database import Database, count_statements
from souk.platform.glance import Glance, Glances

SQL = "SELECT count(*) FROM platform.rate_limit"


async def add(database):
    await database.transact(
        lambda tx: tx.execute(
            "INSERT INTO platform.rate_limit VALUES ($1, '2026-01-01T00:00:00Z', 0)", str(uuid7())
        )
    )


async def value(glance, database):
    async with database.read() as conn:
        return await glance.value(conn)


@pytest.fixture
async def other(db_url):
    """Another process, as far as the database can tell."""
    made = await Database.connect(db_url, size=2)
    yield made
    await made.close()


async def test_it_is_asked_for_once(db):
    glance = Glance(SQL, seconds=60)
    before = await value(glance, db)
    async with count_statements() as count:
        assert await value(glance, db) == before
    assert count.total == 0


async def test_what_this_process_wrote_shows_at_once(db):
    glance = Glance(SQL, seconds=60)
    before = await value(glance, db)
    await add(db)
    assert await value(glance, db) == before + 1


async def test_what_another_process_wrote_shows_after_its_time(db, other):
    glance = Glance(SQL, seconds=0.2)
    before = await value(glance, db)
    await add(other)
    assert await value(glance, db) == before
    await asyncio.sleep(0.25)
    assert await value(glance, db) == before + 1


async def test_databases_are_not_mixed_up(db, other):
    glance = Glance("SELECT random()", seconds=60)
    assert await value(glance, db) != await value(glance, other)


async def test_a_transaction_sees_what_it_wrote_itself(db):
    glance = Glance(SQL, seconds=60)
    before = await value(glance, db)

    async def work(tx):
        await tx.execute("DELETE FROM platform.rate_limit")
        return await glance.value(tx)

    await add(db)
    assert before >= 0
    assert await db.transact(work) == 0


async def test_an_answer_made_of_it_depends_on_its_tables(db):
    glance = Glance(SQL, seconds=60)
    await value(glance, db)
    seen: set[str] = set()
    token = statements_read.set(seen)
    try:
        await value(glance, db)
    finally:
        statements_read.reset(token)
    assert seen == {SQL}


async def test_values_are_kept_by_key_and_the_least_asked_for_goes(db):
    made: list[str] = []
    glances: Glances[str] = Glances(db.changes, seconds=60, most=2)

    async def ask(key: str) -> str:
        async def make() -> str:
            made.append(key)
            async with db.read() as conn:
                return f"{key}: {await conn.fetchval(SQL)}"

        return await glances.value(key, make)

    first = await ask("a")
    await ask("b")
    assert await ask("a") == first
    await ask("c")
    await ask("a")
    await ask("b")
    assert made == ["a", "b", "c", "b"]
    await add(db)
    assert await ask("b") != f"b: {first.partition(' ')[2]}"


async def test_what_could_not_be_made_is_not_kept(db):
    glances: Glances[int] = Glances(db.changes, seconds=60)

    async def fails() -> int:
        raise ValueError

    async def works() -> int:
        return 1

    with pytest.raises(ValueError):
        await glances.value("a", fails)
    assert await glances.value("a", works) == 1
