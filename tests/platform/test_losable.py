"""What need not wait for the disk does not, and nothing else is carried along with it."""

from __future__ import annotations

import pytest

from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements

LOSABLE = frozenset({"platform.rate_limit"})
BUCKET = "INSERT INTO platform.rate_limit VALUES ($1, '2026-01-01T00:00:00Z', 0)"
SETTING = "SELECT current_setting('synchronous_commit')"


@pytest.fixture
async def waiting(db_url):
    """One connection, so that what a transaction leaves behind is found by the next one."""
    durable = "&" if "?" in db_url else "?"
    database = await Database.connect(f"{db_url}{durable}options=-csynchronous_commit%3Don", size=1)
    yield database
    await database.close()


def seen(texts):
    async def work(tx):
        await tx.execute(BUCKET, f"bucket:{uuid7()}")
        texts.append(await tx.fetchval(SETTING))

    return work


async def test_a_commit_waits_unless_it_may_be_lost(waiting):
    found = []
    await waiting.transact(seen(found))
    await waiting.transact(seen(found), losable=LOSABLE)
    assert found == ["on", "off"]


async def test_it_does_not_leak_to_the_next_transaction_of_the_connection(waiting):
    found = []
    await waiting.transact(seen(found), losable=LOSABLE)
    await waiting.transact(seen(found))

    async def fails(tx):
        await tx.execute(BUCKET, f"bucket:{uuid7()}")
        raise ValueError

    with pytest.raises(ValueError):
        await waiting.transact(fails, losable=LOSABLE)
    await waiting.transact(seen(found))
    assert found == ["off", "on", "on"]
    async with waiting.read() as conn:
        assert await conn.fetchval(SETTING) == "on"


async def test_what_failed_is_rolled_back(waiting):
    name = f"bucket:{uuid7()}"

    async def fails(tx):
        await tx.execute(BUCKET, name)
        raise ValueError

    with pytest.raises(ValueError):
        await waiting.transact(fails, losable=LOSABLE)
    async with waiting.read() as conn:
        count = "SELECT count(*) FROM platform.rate_limit WHERE bucket = $1"
        assert await conn.fetchval(count, name) == 0


async def test_whoever_writes_more_than_may_be_lost_waits(waiting):
    async def more(tx):
        await tx.execute(BUCKET, f"bucket:{uuid7()}")
        await tx.execute("DELETE FROM platform.delivery WHERE false")

    async with count_statements() as count:
        await waiting.transact(more, losable=LOSABLE)
    assert count.texts[-2:] == ["SET LOCAL synchronous_commit TO DEFAULT", "COMMIT"]


async def test_beginning_costs_no_statement_more(waiting):
    async with count_statements() as plain:
        await waiting.transact(lambda tx: tx.execute(BUCKET, f"bucket:{uuid7()}"))
    async with count_statements() as hasty:
        await waiting.transact(lambda tx: tx.execute(BUCKET, f"bucket:{uuid7()}"), losable=LOSABLE)
    assert hasty.total == plain.total


async def test_serialisation_failures_are_tried_again(waiting):
    tries = []

    async def work(tx):
        tries.append(1)
        if len(tries) < 3:
            code = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"
            await tx.execute(code)
        return await tx.fetchval("SELECT 1")

    assert await waiting.transact(work, losable=LOSABLE) == 1
    assert len(tries) == 3
