"""A web process that is told to stop: what was begun is answered, then it exits well."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.payments.conftest import free_port

pytestmark = pytest.mark.reliability
ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted"
    " AND relation = 'public.alembic_version'::regclass"
)


@asynccontextmanager
async def serving(db_url: str, folder: Path, *, workers: int) -> AsyncIterator[tuple[str, Process]]:
    """`souk serve` on a database, its address and its process."""
    port = free_port()
    chosen = {
        "SOUK_DATABASE_URL": db_url,
        "SOUK_DATA_DIR": str(folder),
        "SOUK_PORT": str(port),
        "SOUK_WEB_WORKERS": str(workers),
        "PYTHONPATH": str(ROOT / "src"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "souk.cli", "serve", env=kept | chosen
    )
    base = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{base}/health")).status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.returncode is None, "it did not start"
                await asyncio.sleep(0.05)
        yield base, process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_was_begun_is_answered_before_it_stops(
    db_url: str, tmp_path: Path, workers: int
) -> None:
    holder = await asyncpg.connect(db_url)
    try:
        async with (
            serving(db_url, tmp_path, workers=workers) as (base, process),
            httpx.AsyncClient(timeout=PATIENCE) as client,
        ):
            held = holder.transaction()
            await held.start()
            await holder.execute("LOCK TABLE public.alembic_version IN ACCESS EXCLUSIVE MODE")
            answer = asyncio.create_task(client.get(f"{base}/ready"))
            # It is in the middle of its statement when the signal comes.
            for _ in range(500):
                if await holder.fetchval(WAITING):
                    break
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            assert not answer.done()
            await held.rollback()
            assert (await answer).status_code == 200
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        await holder.close()
