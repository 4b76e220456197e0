"""Values that many answers are made of, asked of the database at most once a second."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from souk.platform.changes import Changes, statements_read, tables_named
from souk.platform.database import ReadConn, WriteTx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Seen(Generic[T]):
    value: T
    until: float
    moment: int
    statements: frozenset[str]
    tables: frozenset[str]


class Glances(Generic[T]):
    """Values by key, each as fresh as a kept answer may be
    (docs/decisions/0008-kept-answers.md): made again after `seconds`, and as soon as this process
    has written a table that it was read from. The `most` asked for last are kept. For public
    reading only: what others wrote shows late.
    """

    def __init__(self, changes: Changes, *, seconds: float = 1.0, most: int = 1) -> None:
        self._changes = changes
        self._seconds = seconds
        self._most = most
        self._seen: OrderedDict[Hashable, _Seen[T]] = OrderedDict()

    async def value(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The value now, or up to `seconds` ago."""
        seen = self._seen.get(key)
        if (
            seen is None
            or time.monotonic() >= seen.until
            or self._changes.after(seen.moment, seen.tables)
        ):
            seen = await self._made(make)
            self._seen[key] = seen
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
        self._seen.move_to_end(key)
        # An answer that is made of it depends on its tables as if they had been asked.
        read = statements_read.get()
        if read is not None:
            read |= seen.statements
        return seen.value

    async def _made(self, make: Callable[[], Awaitable[T]]) -> _Seen[T]:
        moment, until = self._changes.moment, time.monotonic() + self._seconds
        statements = set[str]()
        token = statements_read.set(statements)
        try:
            value = await make()
        finally:
            statements_read.reset(token)
        tables = frozenset[str]().union(*map(tables_named, statements))
        return _Seen(value, until, moment, frozenset(statements), tables)


class Glance:
    """The value of one statement without parameters, as `Glances` keep it."""

    def __init__(self, sql: str, *, seconds: float = 1.0) -> None:
        self._sql = sql
        self._seconds = seconds
        self._seen: WeakKeyDictionary[Changes, Glances[Any]] = WeakKeyDictionary()

    async def value(self, conn: ReadConn) -> Any:
        """The value now, or up to `seconds` ago. A transaction always asks."""
        if isinstance(conn, WriteTx):
            return await conn.fetchval(self._sql)
        seen = self._seen.get(conn.changes)
        if seen is None:
            seen = self._seen[conn.changes] = Glances(conn.changes, seconds=self._seconds)
        return await seen.value(None, lambda: conn.fetchval(self._sql))
