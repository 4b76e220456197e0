"""Public answers kept in the process for a moment, and served before the application is asked.

A route that declares `shared=<seconds>` answers everybody alike: it is public and knows nothing of
its caller, which is checked when the program starts. Its answers are kept by path and query, with
their ETag and, once somebody took it compressed, the compressed body. A kept answer is good as long
as it is younger than that and this process has written none of the tables that it was read from; so
whoever changes something sees the change, and a change by another process shows after `seconds`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from litestar.types import Scope

from souk.platform.changes import Changes, statements_read, tables_named
from souk.platform.http.answer import Answer, Whole

MOST_BYTES = 8 * 1024 * 1024
"""Some 800 pages of a list. What is older than its second is dropped as others come."""
_DROPPED_AT_ONCE = 4
# Who sends one of these may have to be answered in another way.
_PERSONAL = {b"authorization", b"cookie", b"origin", b"range"}

Key = tuple[bytes, bytes]


@dataclass(slots=True)
class _Kept:
    whole: Whole
    route: str
    until: float
    moment: int
    tables: frozenset[str]
    counted: int = 0


class KeptAnswers:
    """The answers kept by this process, the least recently asked for dropped first."""

    def __init__(self, changes: Changes, *, most: int = MOST_BYTES) -> None:
        self._changes = changes
        self._most = most
        self._size = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._making: dict[Key, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def respond(
        self, scope: Scope, answer: Answer, ask: Callable[[], Awaitable[None]]
    ) -> None:
        """Answer with what is kept, or `ask` the application and keep its answer if it may be.

        When an answer has become old, one request makes it anew and those beside it wait for it.
        """
        key = _key_of(scope)
        if key is None:
            await ask()
            return
        kept = self._kept.get(key)
        if kept is not None and not self._is_good(kept):
            making = self._making.get(key)
            if making is not None:
                await making
                kept = self._kept.get(key)
        if kept is not None and self._is_good(kept):
            self._kept.move_to_end(key)
            scope["path_template"] = kept.route
            await answer.send_whole(kept.whole)
            self._count(key, kept)
            return
        await self._make(key, scope, answer, ask, renew=kept is not None)

    async def _make(
        self,
        key: Key,
        scope: Scope,
        answer: Answer,
        ask: Callable[[], Awaitable[None]],
        *,
        renew: bool,
    ) -> None:
        done: asyncio.Future[None] | None = None
        if renew and key not in self._making:
            done = self._making[key] = asyncio.get_running_loop().create_future()
        moment, statements = self._changes.moment, set[str]()
        token = statements_read.set(statements)
        try:
            await ask()
            self._keep(key, scope, answer.whole, moment, statements)
        finally:
            statements_read.reset(token)
            if done is not None:
                del self._making[key]
                done.set_result(None)

    def _keep(
        self, key: Key, scope: Scope, whole: Whole | None, moment: int, statements: set[str]
    ) -> None:
        handler: Any = scope.get("route_handler")
        seconds: float | None = handler.opt.get("shared") if handler is not None else None
        before = self._kept.pop(key, None)
        if before is not None:
            self._size -= before.counted
        if seconds is None or whole is None:
            return
        tables = frozenset[str]().union(*map(tables_named, statements))
        until = time.monotonic() + seconds
        kept = _Kept(whole, str(scope.get("path_template") or "unmatched"), until, moment, tables)
        self._drop_oldest()
        self._kept[key] = kept
        self._count(key, kept)

    def _drop_oldest(self) -> None:
        """Drop what nobody asked for lately and may not be sent any more, a few at a time."""
        for _ in range(_DROPPED_AT_ONCE):
            if not self._kept or time.monotonic() < next(iter(self._kept.values())).until:
                return
            self._size -= self._kept.popitem(last=False)[1].counted

    def _count(self, key: Key, kept: _Kept) -> None:
        """Take note of its size, which grows when it is first compressed, and make room."""
        size = kept.whole.size
        if size == kept.counted or self._kept.get(key) is not kept:
            return
        self._size += size - kept.counted
        kept.counted = size
        while self._size > self._most:
            self._size -= self._kept.popitem(last=False)[1].counted

    def _is_good(self, kept: _Kept) -> bool:
        if time.monotonic() >= kept.until:
            return False
        return not self._changes.after(kept.moment, kept.tables)


def _key_of(scope: Scope) -> Key | None:
    """What an answer is kept under; None for a request that has to be asked in any case."""
    if cast("dict[str, Any]", scope)["method"] != "GET":
        return None
    for name, _ in scope["headers"]:
        if name in _PERSONAL:
            return None
    return scope["raw_path"], scope["query_string"]
