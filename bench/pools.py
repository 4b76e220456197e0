"""CPU of taking a connection, asking for a constant and giving it back: asyncpg's pool and ours.

python -m bench.pools
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from souk.platform import embedded
from souk.platform.database import Database

ROUNDS = 4_000


async def measure(name: str, once: Callable[[], Awaitable[object]]) -> None:
    for _ in range(200):
        await once()
    started = time.process_time()
    for _ in range(ROUNDS):
        await once()
    spent = (time.process_time() - started) / ROUNDS * 1e6
    print(f"{name}: {spent:.0f} µs of CPU")


async def main(url: str) -> None:
    await embedded.ensure_database(url)
    theirs = await asyncpg.create_pool(url, min_size=1, max_size=4)
    ours = await Database.connect(url, size=4)

    async def with_theirs() -> None:
        async with theirs.acquire(timeout=5) as connection:
            await connection.fetchval("SELECT 1")

    async def with_ours() -> None:
        async with ours.read() as connection:
            await connection.fetchval("SELECT 1")

    for _ in range(3):
        await measure("asyncpg's pool", with_theirs)
        await measure("our pool", with_ours)
    await ours.close()
    await theirs.close()


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="souk-pools-"))
    server = embedded.start(folder / "data", durable=False)
    try:
        asyncio.run(main(server.url))
    finally:
        server.stop()
        embedded.remove(folder)
