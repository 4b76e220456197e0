"""The statements that a piece of work sends, and their replay by a bare client as a yardstick."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from bench.load import CONNECTIONS, Load

_METHODS = ("fetch", "fetchrow", "fetchval", "execute", "executemany")


@dataclass(slots=True)
class Sent:
    """One call of the driver: the method's name, the statement, its arguments."""

    method: str
    sql: str
    args: tuple[Any, ...]


@dataclass(slots=True)
class Captured:
    """What was sent since the last `take`."""

    sent: list[Sent] = field(default_factory=list[Sent])

    def take(self) -> list[Sent]:
        taken, self.sent = self.sent, []
        return taken


@asynccontextmanager
async def captured() -> AsyncGenerator[Captured]:
    """Note every statement of this process, BEGIN and COMMIT included."""
    seen = Captured()
    real = {name: getattr(asyncpg.Connection, name) for name in _METHODS}

    def noting(name: str) -> Any:
        def method(self: Any, sql: str, *args: Any, **options: Any) -> Any:
            seen.sent.append(Sent(name, sql, args))
            return real[name](self, sql, *args, **options)

        return method

    for name in _METHODS:
        setattr(asyncpg.Connection, name, noting(name))
    try:
        yield seen
    finally:
        for name, method in real.items():
            setattr(asyncpg.Connection, name, method)


def with_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


async def copy_database(url: str, name: str) -> str:
    """A copy of the database under another name; nobody may be connected to it meanwhile."""
    source = urlsplit(url).path.removeprefix("/")
    admin = await asyncpg.connect(with_database(url, "postgres"))
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    finally:
        await admin.close()
    return with_database(url, name)


async def drop_database(url: str, name: str) -> None:
    """Remove a copy."""
    admin = await asyncpg.connect(with_database(url, "postgres"))
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()


async def _connection(url: str) -> asyncpg.Connection[asyncpg.Record]:
    raw = await asyncpg.connect(url, server_settings={"jit": "off", "timezone": "UTC"})
    for name in ("json", "jsonb"):
        await raw.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: msgspec.json.encode(value).decode(),
            decoder=msgspec.json.decode,
        )
    return raw


async def replay(
    url: str, units: Sequence[Sequence[Sent]], *, seconds: float | None = None
) -> Load:
    """Send the statements again over 8 connections; with `seconds`, over and over for so long.

    Without `seconds` each unit is sent once: what it writes can be written only once.
    """
    pool = [await _connection(url) for _ in range(CONNECTIONS)]
    latencies: list[float] = []
    began, cpu = time.perf_counter(), time.process_time()
    number = 0

    async def work(raw: asyncpg.Connection[asyncpg.Record]) -> None:
        nonlocal number
        while True:
            if seconds is None and number >= len(units):
                return
            if seconds is not None and time.perf_counter() - began >= seconds:
                return
            unit, number = units[number % len(units)], number + 1
            start = time.perf_counter()
            for one in unit:
                await getattr(raw, one.method)(one.sql, *one.args)
            latencies.append(time.perf_counter() - start)

    try:
        async with asyncio.TaskGroup() as group:
            for raw in pool:
                group.create_task(work(raw))
        return Load(time.perf_counter() - began, time.process_time() - cpu, latencies)
    finally:
        for raw in pool:
            raw.terminate()
