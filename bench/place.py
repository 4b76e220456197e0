"""One place to measure in: a folder with a database, an index and the settings that use them."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import history, seed, stand
from souk import app as composition
from souk.contexts.search import api as search
from souk.platform import embedded, migrate
from souk.platform.services import Services
from souk.platform.settings import Settings


@dataclass(slots=True)
class Place:
    """A filled marketplace on a server of its own."""

    server: embedded.EmbeddedServer
    settings: Settings
    market: seed.Market


def _settings(folder: Path, url: str) -> Settings:
    port, sandbox = stand.free_port(), stand.free_port()
    return Settings(
        data_dir=folder,
        database_url=url,
        secret_key="bench-bench-bench-bench-bench-bench",
        port=port,
        base_url=f"http://127.0.0.1:{port}",
        sandbox_port=sandbox,
        sandbox_url=f"http://127.0.0.1:{sandbox}",
        rate_limit_factor=1e6,
        log_level="error",
    )


def open_place(folder: Path, *, count: int, report: seed.Report) -> Place:
    """Start the server below `folder`, and fill it unless an earlier run did."""
    folder.mkdir(parents=True, exist_ok=True)
    server = embedded.start(folder / "postgres")
    asyncio.run(embedded.ensure_database(server.url))
    settings = _settings(folder, server.url)
    kept = folder / "market.json"
    if kept.exists():
        market = msgspec.json.decode(kept.read_bytes(), type=seed.Market)
        return Place(server, settings, market)
    began = time.perf_counter()
    migrate.upgrade(server.url)
    migrated = time.perf_counter()
    place = Place(server, settings, asyncio.run(_fill(settings, count, report)))
    place.market.past_orders = history.add_orders(settings, place.market, count)
    report("past orders", place.market.past_orders, count)
    place.market.migrate_seconds = migrated - began
    place.market.fill_seconds = time.perf_counter() - migrated
    kept.write_bytes(msgspec.json.encode(place.market))
    return place


async def _fill(settings: Settings, count: int, report: seed.Report) -> seed.Market:
    async with composition.services(settings, role="worker") as built:
        engine = built.get(search.SearchEngine)
        return await seed.fill(built.db, settings.database_url, engine, count=count, report=report)


def close_place(place: Place, *, keep: bool) -> None:
    """Stop the server; without `keep`, throw the folder away."""
    place.server.stop()
    if not keep:
        with suppress(OSError):
            embedded.remove(place.server.folder)
        shutil.rmtree(place.settings.data_dir, ignore_errors=True)


@asynccontextmanager
async def inside(place: Place) -> AsyncGenerator[Services]:
    """The program's parts in this process, to count statements and to profile."""
    async with composition.services(place.settings, role="bench") as built:
        yield built
