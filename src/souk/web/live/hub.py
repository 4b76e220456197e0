"""One listener per process for all open pages.

Open pages cost a queue each and no statement: one task asks the database once a second for what
happened to all the people whose pages are open, and hands it out. Nobody's pages, no task.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.kernel.actor import Actor, Permission, system
from souk.kernel.errors import DomainError, ErrorKind
from souk.kernel.ids import uuid7
from souk.platform.services import Services
from souk.web.admin.frame import queues

log = structlog.get_logger()
_TICK = 1.0
_QUEUES_EVERY = 5
# Ids are made before the commit: a signal may appear after a younger one.
_OVERLAP = timedelta(seconds=15)
_RESUME = timedelta(hours=1)
_SEEN = 20_000
_WAITING = 100
_NEEDS = {
    "sellers": Permission.SELLERS_REVIEW,
    "listings": Permission.LISTINGS_REVIEW,
    "reports": Permission.LISTINGS_REVIEW,
    "dead": Permission.EVENTS_MANAGE,
}


class TooManyPages(DomainError):
    """The process has as many open pages as it takes."""

    code = "too_many_pages"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Live updates are full at the moment. Reload the page to see what is new.")


class Heard(msgspec.Struct, frozen=True):
    """What a page is told: something of this kind happened; `title` is empty if only to refresh."""

    kind: str
    subject: UUID | None
    title: str
    url: str
    unread: int


@dataclass(eq=False, slots=True)
class _Page:
    actor: Actor
    user_id: UUID
    queue: asyncio.Queue[bytes | None] = field(
        default_factory=lambda: asyncio.Queue(maxsize=_WAITING)
    )
    told: set[UUID] = field(default_factory=set[UUID])
    queues: dict[str, int] | None = None

    def put(self, message: bytes | None) -> None:
        """Hand a message over; a page that does not read is ended and comes back by itself."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


class LiveHub:
    """The open pages of one process. `most` in all, `each` per account: the oldest goes first."""

    def __init__(
        self,
        services: Services,
        *,
        most: int = 2_000,
        each: int = 4,
        beat: float = 25.0,
        life: float = 900.0,
    ) -> None:
        self._db = services.db
        self._most = most
        self._each = each
        self._beat = beat
        self._life = life
        self._pages: dict[UUID, list[_Page]] = {}
        self._count = 0
        self._seen: OrderedDict[UUID, None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def open(self) -> int:
        """How many pages listen."""
        return self._count

    def enter(self, actor: Actor) -> _Page:
        """A place for one page. Raises TooManyPages."""
        assert actor.user_id is not None
        if self._closing or self._count >= self._most:
            raise TooManyPages
        mine = self._pages.setdefault(actor.user_id, [])
        if len(mine) >= self._each:
            mine[0].put(None)
            self._leave(mine[0])
            mine = self._pages.setdefault(actor.user_id, [])
        page = _Page(actor, actor.user_id)
        mine.append(page)
        self._count += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen(), name="live")
        return page

    def _leave(self, page: _Page) -> None:
        mine = self._pages.get(page.user_id, [])
        if page in mine:
            mine.remove(page)
            self._count -= 1
        if not mine:
            self._pages.pop(page.user_id, None)
        if not self._count and self._task is not None:
            self._task.cancel()
            self._task = None

    async def stream(self, page: _Page, *, after: UUID | None) -> AsyncGenerator[bytes]:
        """What the page hears, as an event stream, until its time is over or the program ends.

        `after` is the last event that the page knows; what it missed since then comes first. It
        reconnects by itself, and is then asked for its log-in again.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._life
        try:
            yield b"retry: 3000\n\n"
            if after is not None:
                await self._catch_up(page, after)
            else:
                # Where to go on from, should nothing happen before the connection breaks.
                yield b"id: %s\nevent: here\ndata: {}\n\n" % str(uuid7()).encode()
            while (left := end - loop.time()) > 0:
                try:
                    message = await asyncio.wait_for(page.queue.get(), min(self._beat, left))
                except TimeoutError:
                    message = b": still here\n\n"
                if message is None:
                    return
                yield message
        finally:
            self._leave(page)

    async def _catch_up(self, page: _Page, after: UUID) -> None:
        async with self._db.read() as conn:
            since = self._db.clock.now() - _RESUME
            found = await notifications.signals(conn, [page.user_id], since=since, limit=200)
            missed = [signal for signal in found if signal.id > after]
            if missed:
                unread = await notifications.unread_count(conn, page.user_id)
                for signal in missed:
                    _tell(page, signal, unread)

    async def _listen(self) -> None:
        tick = 0
        await self._look(first=True)
        while True:
            await asyncio.sleep(_TICK)
            tick += 1
            try:
                await self._look(first=False)
                if tick % _QUEUES_EVERY == 1:
                    await self._look_at_queues()
                    await self._look_at_sessions()
            except DomainError as error:
                log.warning("live_paused", reason=error.code)

    async def _look(self, *, first: bool) -> None:
        """One statement for all pages; a second one only if something happened."""
        async with self._db.read() as conn:
            since = self._db.clock.now() - _OVERLAP
            found = await notifications.signals(conn, list(self._pages), since=since)
            fresh = [signal for signal in found if signal.id not in self._seen]
            for signal in fresh:
                self._seen[signal.id] = None
            while len(self._seen) > _SEEN:
                self._seen.popitem(last=False)
            if first or not fresh:
                return
            people = {signal.user_id for signal in fresh}
            unread = await notifications.unread_counts(conn, list(people))
        for signal in fresh:
            for page in self._pages.get(signal.user_id, []):
                _tell(page, signal, unread[signal.user_id])

    async def _look_at_queues(self) -> None:
        staff = [page for mine in self._pages.values() for page in mine if page.actor.is_operator]
        if not staff:
            return
        async with self._db.read() as conn:
            counts = await queues(conn, system("live"))
        for page in staff:
            shown = {k: n for k, n in counts.items() if k in _NEEDS and page.actor.may(_NEEDS[k])}
            if page.queues is not None and page.queues != shown:
                page.put(b"event: queues\ndata: " + msgspec.json.encode(shown) + b"\n\n")
            page.queues = shown

    async def _look_at_sessions(self) -> None:
        """End the pages of who logged out, was logged out or shut out meanwhile."""
        pages = [page for mine in self._pages.values() for page in mine]
        ids = {page.actor.session_id for page in pages if page.actor.session_id is not None}
        if not ids:
            return
        async with self._db.read() as conn:
            over = ids - await identity.open_among(conn, ids)
        for page in pages:
            if page.actor.session_id in over:
                page.put(None)

    def end(self) -> None:
        """End every page, and let no new one in: the program is about to stop."""
        self._closing = True
        for mine in list(self._pages.values()):
            for page in list(mine):
                page.put(None)

    async def close(self) -> None:
        """End every page and the listening."""
        self.end()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


def _tell(page: _Page, signal: notifications.Signal, unread: int) -> None:
    if signal.id in page.told:
        return
    page.told.add(signal.id)
    heard = Heard(signal.kind, signal.subject, signal.title, signal.url, unread)
    data = msgspec.json.encode(heard)
    page.put(b"id: %s\nevent: signal\ndata: %s\n\n" % (str(signal.id).encode(), data))
