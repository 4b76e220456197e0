"""The pool: limits, waiting, and what happens to connections that cannot be used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import pytest

from souk.platform.pool import Pool

if TYPE_CHECKING:
    from souk.platform.pool import Raw


@pytest.fixture
async def pool(db_url: str) -> AsyncIterator[Pool]:
    async def connect() -> Raw:
        return await asyncpg.connect(db_url)

    made = Pool(connect, size=2)
    yield made
    made.terminate()


async def _pid(pool: Pool) -> int:
    async with pool.acquire(within=1) as raw:
        return await raw.fetchval("SELECT pg_backend_pid()")


async def test_a_free_connection_is_used_again(pool: Pool) -> None:
    assert await _pid(pool) == await _pid(pool)


async def test_whoever_comes_when_all_are_taken_waits_or_gives_up(pool: Pool) -> None:
    async with pool.acquire(within=1), pool.acquire(within=1):
        with pytest.raises(TimeoutError):
            await _pid(pool)
        waiting = [asyncio.create_task(_pid(pool)) for _ in range(5)]
        given_up = asyncio.create_task(_pid(pool))
        await asyncio.sleep(0.01)
        given_up.cancel()
    assert len({await one for one in waiting}) <= 2


async def test_a_connection_that_broke_is_replaced(pool: Pool) -> None:
    before = await _pid(pool)
    with pytest.raises(asyncpg.PostgresConnectionError):
        async with pool.acquire(within=1) as raw:
            await raw.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await _pid(pool) != before


async def test_a_connection_that_is_free_when_the_server_drops_it_is_replaced(pool: Pool) -> None:
    async with pool.acquire(within=1) as first, pool.acquire(within=1) as second:
        gone = await first.fetchval("SELECT pg_backend_pid()")
        await second.fetchval("SELECT pg_terminate_backend($1)", gone)
        await asyncio.sleep(0.1)
    assert await _pid(pool) != gone
    assert await _pid(pool) != gone


async def test_cancelling_a_statement_does_not_hand_its_connection_on(pool: Pool) -> None:
    async def sleep() -> None:
        async with pool.acquire(within=1) as raw:
            await raw.execute("SELECT pg_sleep(5)")

    before = await _pid(pool)
    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _pid(pool) != before


async def test_an_open_transaction_is_never_handed_on(pool: Pool) -> None:
    async with pool.acquire(within=1) as raw:
        await raw.execute("BEGIN")
    async with pool.acquire(within=1) as raw:
        assert not raw.is_in_transaction()


async def test_a_refused_connection_frees_its_place(db_url: str) -> None:
    async def refuse() -> Raw:
        await asyncio.sleep(0.01)
        raise ConnectionRefusedError

    pool = Pool(refuse, size=1)
    tries = await asyncio.gather(*(_pid(pool) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in tries] == [ConnectionRefusedError] * 3


async def test_closing_waits_for_what_is_in_use(pool: Pool) -> None:
    async with pool.acquire(within=1) as raw:
        closing = asyncio.create_task(pool.close())
        assert await raw.fetchval("SELECT 1") == 1
        assert not closing.done()
    await asyncio.wait_for(closing, 1)
    with pytest.raises(asyncpg.InterfaceError):
        await _pid(pool)
