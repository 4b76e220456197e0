"""PostgreSQL through asyncpg: read connections, write transactions, retries, statement counts.

A `ReadConn` cannot write: its pool sets `default_transaction_read_only`, and its type has no
`execute`. A `WriteTx` is one open transaction; only `Database.transact`, at the edge, opens and
commits one. Events added to it are written just before the commit.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import asyncpg
import msgspec
from asyncpg import exceptions as pg

from souk.kernel.clock import Clock, SystemClock
from souk.kernel.errors import DomainError, ErrorKind
from souk.platform.changes import Changes, statements_read, tables_written
from souk.platform.events import Event, EventWriter
from souk.platform.pool import Pool

T = TypeVar("T")
Record = asyncpg.Record
_ATTEMPTS = 4
_NOTHING: frozenset[str] = frozenset()
_json_encode = msgspec.json.Encoder().encode


class DatabaseUnavailable(DomainError):
    """The database did not answer in time; nothing was changed."""

    code = "database_unavailable"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("We could not reach our records just now. Nothing was changed; try again.")


_GONE = (
    OSError, pg.PostgresConnectionError, pg.InterfaceError, pg.TooManyConnectionsError,
    pg.CannotConnectNowError, pg.AdminShutdownError, pg.CrashShutdownError,
)  # fmt: skip
"""How a server says that it is not there, or ends a session: it stops, starts or was killed."""

STATEMENT_ERRORS = (DatabaseUnavailable, pg.PostgresError)
"""What asking for something may fail with, for those who can do without an answer."""


class Busy(DomainError):
    """The row is being changed by others and the lock did not come in time."""

    code = "busy"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("Many people are changing this right now. Wait a moment and try again.")


@dataclass(slots=True)
class StatementCount:
    """How many statements ran inside a `count_statements` block, and their texts."""

    total: int = 0
    texts: list[str] = field(default_factory=list[str])


_counter: ContextVar[StatementCount | None] = ContextVar("statements", default=None)


@asynccontextmanager
async def count_statements() -> AsyncGenerator[StatementCount]:
    """Count every statement that this task and its children send, BEGIN and COMMIT included."""
    count = StatementCount()
    token = _counter.set(count)
    try:
        yield count
    finally:
        _counter.reset(token)


def _seen(sql: str) -> None:
    count = _counter.get()
    if count is not None:
        count.total += 1
        count.texts.append(sql)
    read = statements_read.get()
    if read is not None:
        read.add(sql)


class ReadConn:
    """Reads only. `$1`-style parameters; rows are asyncpg records."""

    __slots__ = ("_raw", "changes", "clock")

    def __init__(self, raw: asyncpg.Connection[Record], clock: Clock, changes: Changes) -> None:
        self._raw = raw
        self.clock = clock
        self.changes = changes

    async def fetch(self, sql: str, *args: object) -> list[Record]:
        _seen(sql)
        return await self._raw.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        _seen(sql)
        return await self._raw.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        _seen(sql)
        return await self._raw.fetchval(sql, *args)


class WriteTx(ReadConn):
    """One transaction. Everything that it writes, events and jobs included, commits at once.

    With `alone` it is no more than its one statement that writes, which commits by itself.
    """

    __slots__ = ("_alone", "_events", "_writer", "written")

    def __init__(
        self,
        raw: asyncpg.Connection[Record],
        clock: Clock,
        changes: Changes,
        writer: EventWriter,
        *,
        alone: bool = False,
    ) -> None:
        super().__init__(raw, clock, changes)
        self._alone = alone
        self._writer = writer
        self._events: list[tuple[Event, str]] = []
        self.written: set[str] = set()
        """The tables that were written so far, as `schema.table`."""

    async def fetch(self, sql: str, *args: object) -> list[Record]:
        self._note(sql)
        return await super().fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Record | None:
        self._note(sql)
        return await super().fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        self._note(sql)
        return await super().fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """Run one statement; the answer is PostgreSQL's command tag such as `UPDATE 1`."""
        _seen(sql)
        self._note(sql)
        return await self._raw.execute(sql, *args)

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        _seen(sql)
        self._note(sql)
        await self._raw.executemany(sql, rows)

    def _note(self, sql: str) -> None:
        tables = tables_written(sql)
        if self._alone and tables and self.written:
            raise RuntimeError(f"one statement writes here, and this is another: {sql[:200]}")
        self.written |= tables

    def add_event(self, event: Event, *, actor: str) -> None:
        """Called by `outbox.add`: the event is stored with this transaction or not at all."""
        if self._alone:
            raise RuntimeError(f"one statement writes here; {event.name} would need another")
        self._events.append((event, actor))

    async def flush_events(self) -> None:
        """Write the events gathered so far, in the order in which they were added."""
        if self._events:
            events, self._events = self._events, []
            await self._writer.write(self, events)

    def driver_connection(self) -> asyncpg.Connection[Record]:
        """The bare connection, for the job queue's own library only."""
        return self._raw


@asynccontextmanager
async def _whole(raw: asyncpg.Connection[Record]) -> AsyncGenerator[None]:
    """Throws a connection away whose conversation with the server broke off in the middle.

    A server that dies under a statement can leave the driver waiting for the rest of its answer;
    such a connection would refuse everything that comes after.
    """
    try:
        yield
    except pg.InternalClientError as error:
        raw.terminate()
        raise DatabaseUnavailable from error


class Database:
    """Two pools on one server: reads that cannot write, and writes in transactions."""

    def __init__(
        self,
        *,
        reads: Pool,
        writes: Pool,
        clock: Clock,
        writer: EventWriter,
        turn: float,
    ) -> None:
        self._reads = reads
        self._writes = writes
        self.clock = clock
        self.changes = Changes()
        self._writer = writer
        self._turn = turn

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        size: int = 10,
        clock: Clock | None = None,
        writer: EventWriter | None = None,
        statement_timeout_ms: int = 5_000,
        lock_timeout_ms: int = 3_000,
        turn_timeout_ms: int = 5_000,
        application_name: str = "souk",
        plan_writes_once: bool = False,
    ) -> Database:
        """Open both pools. `size` is the greatest number of connections in each; who finds none
        free waits for a turn.

        `plan_writes_once` is for a process whose transactions touch rows by their keys alone, as
        those of requests do: with values before it, PostgreSQL plans many such statements anew
        each time, which was a third of its work for a purchase.
        """
        limits = {
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(lock_timeout_ms),
            "idle_in_transaction_session_timeout": "30000",
            "application_name": application_name,
            "timezone": "UTC",
            "jit": "off",
        }

        async def pool(extra: dict[str, str]) -> Pool:
            async def connect() -> asyncpg.Connection[Record]:
                raw = await asyncpg.connect(
                    url,
                    server_settings=limits | extra,
                    command_timeout=statement_timeout_ms / 1000 + 5,
                )
                await _prepare(raw)
                return raw

            made = Pool(connect, size=size)
            await made.warm()
            return made

        return cls(
            reads=await pool({"default_transaction_read_only": "on"}),
            writes=await pool(
                {"plan_cache_mode": "force_generic_plan"} if plan_writes_once else {}
            ),
            clock=clock or SystemClock(),
            writer=writer or EventWriter(),
            turn=turn_timeout_ms / 1000,
        )

    async def close(self) -> None:
        for pool in (self._reads, self._writes):
            try:
                await asyncio.wait_for(pool.close(), timeout=5)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[ReadConn]:
        """A connection for queries, each statement its own snapshot."""
        try:
            async with self._reads.acquire(within=self._turn) as raw, _whole(raw):
                yield ReadConn(raw, self.clock, self.changes)
        except (*_GONE, pg.QueryCanceledError) as error:
            raise DatabaseUnavailable from error

    async def transact(
        self,
        work: Callable[[WriteTx], Awaitable[T]],
        *,
        losable: frozenset[str] = _NOTHING,
        alone: bool = False,
    ) -> T:
        """Run `work` in one transaction and commit it; any exception rolls everything back.

        The commit waits until the disk has it, unless nothing but `losable` tables was written
        (docs/decisions/0012-carts-do-not-wait-for-the-disk.md).

        With `alone`, `work` sends one statement that writes, locks nothing and only reads beside
        it: the statement is the transaction, and what is raised after it undoes nothing. BEGIN and
        COMMIT would be two of three ways to the server and back. A second one raises RuntimeError.

        Serialisation failures and deadlocks are retried with jitter, so `work` must not touch
        anything but the transaction. A lock that does not come in time is `Busy`.
        """
        attempt_once = self._statement if alone else partial(self._attempt, losable=losable)
        for attempt in range(_ATTEMPTS):
            try:
                return await attempt_once(work)
            except (pg.SerializationError, pg.DeadlockDetectedError) as error:
                if attempt + 1 == _ATTEMPTS:
                    raise Busy from error
                await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311
            except (pg.LockNotAvailableError, pg.QueryCanceledError) as error:
                raise Busy from error
            except _GONE as error:
                raise DatabaseUnavailable from error
        raise AssertionError("unreachable")

    async def _statement(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        async with self._writes.acquire(within=self._turn) as raw, _whole(raw):
            tx = WriteTx(raw, self.clock, self.changes, self._writer, alone=True)
            try:
                return await work(tx)
            finally:
                self.changes.note(tx.written)

    async def _attempt(
        self, work: Callable[[WriteTx], Awaitable[T]], *, losable: frozenset[str]
    ) -> T:
        async with self._writes.acquire(within=self._turn) as raw, _whole(raw):
            _seen("BEGIN")
            tx = WriteTx(raw, self.clock, self.changes, self._writer)
            try:
                async with _hasty(raw) if losable else raw.transaction():
                    result = await work(tx)
                    await tx.flush_events()
                    if losable and not tx.written <= losable:
                        await tx.execute("SET LOCAL synchronous_commit TO DEFAULT")
            finally:
                # Also when it failed: a connection that breaks may have committed all the same.
                if tx.written:
                    self.changes.note(tx.written)
            _seen("COMMIT")
            return result


@asynccontextmanager
async def _hasty(raw: asyncpg.Connection[Record]) -> AsyncGenerator[None]:
    """A transaction whose commit does not wait for the disk. Both parts of its beginning go in
    one message; LOCAL ends with the transaction, however that ends."""
    await raw.execute("BEGIN; SET LOCAL synchronous_commit TO off")
    try:
        yield
    except BaseException:
        if not raw.is_closed():
            await raw.execute("ROLLBACK")
        raise
    await raw.execute("COMMIT")


async def _prepare(connection: asyncpg.Connection[Record]) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: _json_encode(value).decode(),
            decoder=msgspec.json.decode,
            format="text",
        )
