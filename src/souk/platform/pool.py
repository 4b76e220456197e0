"""A pool of PostgreSQL connections that costs nothing when one is free.

asyncpg's own pool makes two tasks per use, one to take a connection with a time limit and one to
give it back, which was a fifth of the work of a cached read. Here both are plain calls; only who
has to wait, or to connect, pays for a time limit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
from asyncpg import exceptions as pg

if TYPE_CHECKING:
    Raw = asyncpg.Connection[asyncpg.Record]


class Pool:
    """At most `size` connections, made when they are needed; the one used last is used next."""

    def __init__(self, connect: Callable[[], Awaitable[Raw]], *, size: int) -> None:
        self._connect = connect
        self._size = size
        self._open: set[Raw] = set()
        self._connecting = 0
        self._idle: list[Raw] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closing = False
        self._last_is_back: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def acquire(self, *, within: float) -> AsyncGenerator[Raw]:
        """A connection of one's own; raises TimeoutError when none comes `within` seconds."""
        raw = self._free() or await self._wait(within)
        sound = False
        try:
            yield raw
            sound = True
        except Exception as error:
            # A statement that was cut off midway may still be running on its connection.
            sound = not isinstance(error, OSError | TimeoutError | pg.QueryCanceledError)
            raise
        finally:
            self._give_back(raw, sound=sound)

    def _free(self) -> Raw | None:
        while self._idle:
            raw = self._idle.pop()
            if not raw.is_closed():
                return raw
            self._open.discard(raw)
        return None

    async def _wait(self, within: float) -> Raw:
        async with asyncio.timeout(within):
            while True:
                if self._closing:
                    raise pg.InterfaceError("the pool is closing")
                if raw := self._free():
                    return raw
                if len(self._open) + self._connecting < self._size:
                    return await self._make()
                turn = asyncio.get_running_loop().create_future()
                self._waiting.append(turn)
                try:
                    await turn
                except BaseException:
                    if turn.done() and not turn.cancelled():
                        self._wake()
                    raise

    async def _make(self) -> Raw:
        self._connecting += 1
        try:
            raw = await self._connect()
        except BaseException:
            self._connecting -= 1
            self._wake()
            raise
        self._connecting -= 1
        self._open.add(raw)
        return raw

    def _give_back(self, raw: Raw, *, sound: bool) -> None:
        if sound and not self._closing and not raw.is_closed() and not raw.is_in_transaction():
            self._idle.append(raw)
        else:
            self._open.discard(raw)
            raw.terminate()
            if self._last_is_back is not None and not self._open and not self._last_is_back.done():
                self._last_is_back.set_result(None)
        self._wake()

    def _wake(self) -> None:
        """Let the first who waits look again: a connection is free, or may be made."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def warm(self) -> None:
        """Open the first connection; raises what connecting raises."""
        raw = await self._make()
        self._idle.append(raw)

    async def close(self) -> None:
        """Close every free connection properly; those in use end when they are given back."""
        self._closing = True
        while self._idle:
            raw = self._idle.pop()
            self._open.discard(raw)
            await raw.close()
        if self._open:
            self._last_is_back = asyncio.get_running_loop().create_future()
            await self._last_is_back

    def terminate(self) -> None:
        """Drop every connection at once."""
        self._closing = True
        for raw in list(self._open):
            raw.terminate()
        self._open.clear()
        self._idle.clear()
