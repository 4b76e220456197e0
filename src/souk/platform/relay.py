"""Delivers stored events to their subscribers: at least once, in order per aggregate.

Each subscriber is drained by one relay at a time (an advisory lock in the transaction), so that
order needs no further care. A handler's writes and the removal of its delivery commit together:
what a handler writes happens exactly once. A handler that fails is tried again after a doubling
pause, later events of the same aggregate wait for it, and after `MAX_ATTEMPTS` it becomes a dead
letter, which waits for a person and blocks nobody.

Polling instead of NOTIFY: a commit that notifies takes a lock that all notifying commits of the
server share, which would put every checkout in one queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from souk.platform.database import Database, ReadConn, Record, WriteTx
from souk.platform.events import EventMeta, EventWriter, Subscription

log = structlog.get_logger()
MAX_ATTEMPTS = 12
BATCH = 50
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=10)

_DUE = """
SELECT d.event_id, d.aggregate_id, d.attempts, e.name, e.actor, e.occurred_at,
       e.payload::text AS payload
FROM platform.delivery d JOIN platform.event e ON e.id = d.event_id
WHERE d.subscriber = $1 AND NOT d.dead AND d.next_at <= $2
  AND NOT EXISTS (
    SELECT FROM platform.delivery earlier
    WHERE earlier.subscriber = d.subscriber AND earlier.aggregate_id = d.aggregate_id
      AND earlier.seq < d.seq AND NOT earlier.dead AND earlier.next_at > $2)
ORDER BY d.seq LIMIT $3
"""


class DeadLetter(msgspec.Struct, frozen=True):
    """A delivery that failed `MAX_ATTEMPTS` times."""

    event_id: UUID
    subscriber: str
    name: str
    aggregate_id: UUID
    attempts: int
    error: str
    occurred_at: datetime


class Lag(msgspec.Struct, frozen=True):
    """How far delivery is behind: undelivered rows, dead ones, age of the oldest in seconds."""

    pending: int
    dead: int
    oldest_seconds: float


class Relay:
    """Drains deliveries until it is stopped."""

    def __init__(self, db: Database, writer: EventWriter, *, pause: float = 0.1) -> None:
        self._db = db
        self._pause = pause
        self._types = writer.types
        self._handlers: dict[tuple[str, str], Subscription] = {
            (subscription.subscriber, name): subscription
            for name, subscriptions in writer.by_event.items()
            for subscription in subscriptions
        }
        self._subscribers = sorted({subscriber for subscriber, _ in self._handlers})

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; an unreachable database is waited for."""
        while not stop.is_set():
            started = time.monotonic()
            try:
                delivered = await self.drain_once()
            except Exception:
                log.exception("relay_round_failed")
                delivered = 0
            if not delivered:
                left = self._pause - (time.monotonic() - started)
                try:
                    await asyncio.wait_for(stop.wait(), timeout=max(left, 0.02))
                except TimeoutError:
                    continue

    async def drain(self, *, rounds: int = 10_000) -> int:
        """Deliver everything that is due, including what the handlers publish; for tests, CLI."""
        total = 0
        for _ in range(rounds):
            delivered = await self.drain_once()
            if not delivered:
                return total
            total += delivered
        raise RuntimeError("events keep producing events; a handler publishes in a circle")

    async def drain_once(self) -> int:
        """One batch for every subscriber that has something due."""
        async with self._db.read() as conn:
            rows = await conn.fetch(
                "SELECT name FROM unnest($1::text[]) AS wanted (name) WHERE EXISTS ("
                " SELECT FROM platform.delivery d WHERE d.subscriber = wanted.name"
                " AND NOT d.dead AND d.next_at <= $2)",
                self._subscribers,
                self._db.clock.now(),
            )
        delivered = 0
        for row in rows:
            delivered += await self._drain_subscriber(row["name"])
        return delivered

    async def _drain_subscriber(self, subscriber: str) -> int:
        try:
            return await self._db.transact(lambda tx: self._deliver(tx, subscriber, BATCH))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, each is tried alone
            log.warning("batch_failed", subscriber=subscriber, error=repr(error))
        return await self._one_by_one(subscriber)

    async def _one_by_one(self, subscriber: str) -> int:
        delivered = 0
        begun: list[Record] = []
        for _ in range(BATCH):
            begun.clear()
            try:
                done = await self._db.transact(lambda tx: self._deliver(tx, subscriber, 1, begun))
            except Exception as error:
                if begun:
                    await self._db.transact(self._failure(subscriber, begun[-1], repr(error)))
                log.exception("delivery_failed", subscriber=subscriber)
                continue
            if not done:
                break
            delivered += done
        return delivered

    async def _deliver(
        self, tx: WriteTx, subscriber: str, limit: int, begun: list[Record] | None = None
    ) -> int:
        """Deliver what is due, at most `limit`; `begun` is told of each before it is handled."""
        if not await _lock_subscriber(tx, subscriber):
            return 0
        rows = await tx.fetch(_DUE, subscriber, tx.clock.now(), limit)
        for row in rows:
            if begun is not None:
                begun.append(row)
            await self._handle(tx, subscriber, row)
        if rows:
            await tx.execute(
                "DELETE FROM platform.delivery WHERE subscriber = $1 AND event_id = ANY($2)",
                subscriber,
                [row["event_id"] for row in rows],
            )
        return len(rows)

    async def _handle(self, tx: WriteTx, subscriber: str, row: Record) -> None:
        subscription = self._handlers.get((subscriber, row["name"]))
        if subscription is None:
            # The subscriber no longer wants this event: there is nothing left to do for it.
            return
        event = msgspec.json.decode(row["payload"], type=self._types[row["name"]])
        meta = EventMeta(row["event_id"], row["name"], row["occurred_at"], row["actor"])
        await subscription.handle(tx, event, meta)

    def _failure(
        self, subscriber: str, row: Record, error: str
    ) -> Callable[[WriteTx], Awaitable[None]]:
        attempts = row["attempts"] + 1

        async def mark(tx: WriteTx) -> None:
            # Another relay may have delivered it, or marked it, since: its word stands then.
            await tx.execute(
                "UPDATE platform.delivery SET attempts = $3, next_at = $4, error = $5, dead = $6"
                " WHERE subscriber = $1 AND event_id = $2 AND attempts = $7 AND NOT dead",
                subscriber,
                row["event_id"],
                attempts,
                tx.clock.now() + min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE),
                error[:2000],
                attempts >= MAX_ATTEMPTS,
                row["attempts"],
            )

        return mark


async def _lock_subscriber(tx: WriteTx, subscriber: str) -> bool:
    return await tx.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 7))", subscriber
    )


async def dead_letters(conn: ReadConn, *, limit: int = 100) -> list[DeadLetter]:
    """The dead letters, newest first."""
    rows = await conn.fetch(
        "SELECT d.event_id, d.subscriber, e.name, d.aggregate_id, d.attempts, d.error,"
        " e.occurred_at FROM platform.delivery d JOIN platform.event e ON e.id = d.event_id"
        " WHERE d.dead ORDER BY d.seq DESC LIMIT $1",
        limit,
    )
    return [DeadLetter(*row.values()) for row in rows]


class StoredEvent(msgspec.Struct, frozen=True):
    """A stored event; `payload` is its JSON as text, `waiting` how many still have to get it."""

    id: UUID
    name: str
    aggregate_id: UUID
    actor: str
    occurred_at: datetime
    payload: str
    waiting: int


async def recent_events(
    conn: ReadConn,
    *,
    name_prefix: str = "",
    aggregate_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[StoredEvent]:
    """Stored events, newest first, by the start of the name, by aggregate, older than `before`."""
    rows = await conn.fetch(
        "SELECT e.id, e.name, e.aggregate_id, e.actor, e.occurred_at, e.payload::text AS payload,"
        " (SELECT count(*) FROM platform.delivery d WHERE d.event_id = e.id) AS waiting"
        " FROM platform.event e WHERE starts_with(e.name, $1)"
        " AND ($2::uuid IS NULL OR e.aggregate_id = $2)"
        " AND ($3::uuid IS NULL OR e.seq < (SELECT b.seq FROM platform.event b WHERE b.id = $3))"
        " ORDER BY e.seq DESC LIMIT $4",
        name_prefix,
        aggregate_id,
        before,
        limit,
    )
    return [StoredEvent(*row.values()) for row in rows]


async def lag(conn: ReadConn) -> Lag:
    """Undelivered and dead rows, and how long the oldest undelivered one has waited."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE NOT d.dead) AS pending,"
        " count(*) FILTER (WHERE d.dead) AS dead,"
        " coalesce(extract(epoch FROM $1 - min(e.occurred_at) FILTER (WHERE NOT d.dead)), 0)"
        "   AS oldest"
        " FROM platform.delivery d JOIN platform.event e ON e.id = d.event_id",
        conn.clock.now(),
    )
    assert row is not None
    return Lag(row["pending"], row["dead"], max(float(row["oldest"]), 0.0))


async def replay(
    tx: WriteTx,
    writer: EventWriter,
    *,
    name: str | None = None,
    subscriber: str | None = None,
    since: datetime | None = None,
    dead_only: bool = False,
) -> int:
    """Queue deliveries again: dead letters only, or every stored event that matches.

    Deliveries that are still waiting are left as they are. Returns how many were queued.
    """
    now = tx.clock.now()
    if dead_only:
        tag = await tx.execute(
            "UPDATE platform.delivery d SET dead = false, attempts = 0, next_at = $1"
            " FROM platform.event e WHERE e.id = d.event_id AND d.dead"
            " AND ($2::text IS NULL OR e.name = $2) AND ($3::text IS NULL OR d.subscriber = $3)"
            " AND ($4::timestamptz IS NULL OR e.occurred_at >= $4)",
            now,
            name,
            subscriber,
            since,
        )
        return int(tag.rsplit(" ", 1)[1])
    pairs = [
        (event_name, subscription.subscriber)
        for event_name, subscriptions in writer.by_event.items()
        for subscription in subscriptions
        if name in (None, event_name) and subscriber in (None, subscription.subscriber)
    ]
    tag = await tx.execute(
        "INSERT INTO platform.delivery (event_id, subscriber, aggregate_id, seq, next_at)"
        " SELECT e.id, w.subscriber, e.aggregate_id, e.seq, $3 FROM platform.event e"
        " JOIN unnest($1::text[], $2::text[]) AS w (name, subscriber) ON w.name = e.name"
        " WHERE ($4::timestamptz IS NULL OR e.occurred_at >= $4) ON CONFLICT DO NOTHING",
        [event_name for event_name, _ in pairs],
        [wanted for _, wanted in pairs],
        now,
        since,
    )
    return int(tag.rsplit(" ", 1)[1])
