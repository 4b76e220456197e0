"""A value that many answers begin with, asked of the database at most once a second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from souk.platform.changes import Changes, statements_read, tables_named
from souk.platform.database import ReadConn, WriteTx


@dataclass(frozen=True, slots=True)
class _Seen:
    value: Any
    until: float
    moment: int


class Glance:
    """The value of one statement without parameters, as fresh as a kept answer may be
    (docs/decisions/0008-kept-answers.md): asked again after `seconds`, and as soon as this process
    has written one of its tables. For public reading only: what others wrote shows late.
    """

    def __init__(self, sql: str, *, seconds: float = 1.0) -> None:
        self._sql = sql
        self._tables = tables_named(sql)
        self._seconds = seconds
        self._seen: WeakKeyDictionary[Changes, _Seen] = WeakKeyDictionary()

    async def value(self, conn: ReadConn) -> Any:
        """The value now, or up to `seconds` ago. A transaction always asks."""
        if isinstance(conn, WriteTx):
            return await conn.fetchval(self._sql)
        changes = conn.changes
        seen = self._seen.get(changes)
        if (
            seen is not None
            and time.monotonic() < seen.until
            and not changes.after(seen.moment, self._tables)
        ):
            # An answer that is made of it depends on its tables as if they had been asked.
            read = statements_read.get()
            if read is not None:
                read.add(self._sql)
            return seen.value
        moment, until = changes.moment, time.monotonic() + self._seconds
        value = await conn.fetchval(self._sql)
        self._seen[changes] = _Seen(value, until, moment)
        return value
