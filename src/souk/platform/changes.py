"""What this process has written, table by table, so that a kept answer knows that it is old.

Every statement names its tables with their schema. What an answer depends on is read off the
statements that it was made with, and what a commit changes off those of the transaction: nobody
has to declare either, so nobody can forget to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from functools import lru_cache

_NAMED = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
_WRITTEN = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+([a-z_]+\.[a-z_]+)")
_STATEMENTS = 2_048

statements_read: ContextVar[set[str] | None] = ContextVar("statements_read", default=None)
"""While it holds a set, the texts of this task's statements are added to it."""


@lru_cache(maxsize=_STATEMENTS)
def tables_named(sql: str) -> frozenset[str]:
    """Everything in a statement that may be a table with its schema; columns do no harm."""
    return frozenset(_NAMED.findall(sql))


@lru_cache(maxsize=_STATEMENTS)
def tables_written(sql: str) -> frozenset[str]:
    """The tables that a statement inserts into, updates or deletes from."""
    return frozenset(_WRITTEN.findall(sql))


class Changes:
    """When each table was last written by this process, counted in commits."""

    def __init__(self) -> None:
        self.moment = 0
        self._last: dict[str, int] = {}

    def note(self, tables: Iterable[str]) -> None:
        """A transaction that wrote these tables has ended."""
        self.moment += 1
        for table in tables:
            self._last[table] = self.moment

    def after(self, moment: int, tables: Iterable[str]) -> bool:
        """Whether any of these tables was written after `moment`."""
        last = self._last
        return any(last.get(table, 0) > moment for table in tables)
