"""Domain events: stored with the change, then delivered to each subscriber at least once.

`EventWriter` writes the event and one delivery row per subscriber in a single statement, inside
the transaction that made the change. `souk.platform.relay` delivers them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

import msgspec

from souk.kernel.clock import Clock
from souk.kernel.ids import uuid7


class Writes(Protocol):
    """What of a transaction the writer needs; `database.WriteTx` is one."""

    clock: Clock

    async def execute(self, sql: str, *args: object) -> str: ...


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that a context publishes. Fields are primitives, ids and datetimes; no secrets.

    `name` is `<context>.<fact>.v<number>`; `key` names the field with the aggregate's id, in whose
    order subscribers receive the events.
    """

    name: ClassVar[str]
    key: ClassVar[str]

    def aggregate_id(self) -> UUID:
        return getattr(self, type(self).key)


@dataclass(frozen=True, slots=True)
class EventMeta:
    """What is known of a stored event beside its content."""

    id: UUID
    name: str
    occurred_at: datetime
    actor: str


E = TypeVar("E", bound=Event)
# The first argument is the relay's `WriteTx`.
Handler = Callable[[Any, E, EventMeta], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """`subscriber` is a stable name such as `notifications.order_mails`: it is in the database."""

    subscriber: str
    event_type: type[Event]
    handle: Callable[..., Awaitable[None]]


def subscribe(subscriber: str, event_type: type[E], handle: Handler[E]) -> Subscription:
    """A subscription whose handler is checked against the event's type."""
    return Subscription(subscriber, event_type, handle)


_INSERT = """
WITH stored AS (
  INSERT INTO platform.event (id, name, aggregate_id, actor, occurred_at, payload)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[],
                       $6::text[]::jsonb[])
  RETURNING id, seq, aggregate_id
)
INSERT INTO platform.delivery (event_id, subscriber, aggregate_id, seq, next_at)
SELECT stored.id, wanted.subscriber, stored.aggregate_id, stored.seq, $9
FROM unnest($7::uuid[], $8::text[]) AS wanted (event_id, subscriber)
JOIN stored ON stored.id = wanted.event_id
"""


class EventWriter:
    """Knows who subscribes to what; writes events and their deliveries."""

    def __init__(self, subscriptions: Sequence[Subscription] = ()) -> None:
        self.by_event: dict[str, list[Subscription]] = {}
        self.types: dict[str, type[Event]] = {}
        for subscription in subscriptions:
            name = subscription.event_type.name
            self.types[name] = subscription.event_type
            entries = self.by_event.setdefault(name, [])
            if any(other.subscriber == subscription.subscriber for other in entries):
                raise ValueError(f"{subscription.subscriber} subscribes to {name} twice")
            entries.append(subscription)

    async def write(self, tx: Writes, events: Sequence[tuple[Event, str]]) -> None:
        """One statement for all events of a transaction, in their order."""
        now = tx.clock.now()
        ids = [uuid7() for _ in events]
        wanted = [
            (event_id, subscription.subscriber)
            for event_id, (event, _) in zip(ids, events, strict=True)
            for subscription in self.by_event.get(event.name, ())
        ]
        await tx.execute(
            _INSERT,
            ids,
            [event.name for event, _ in events],
            [event.aggregate_id() for event, _ in events],
            [actor for _, actor in events],
            [now] * len(events),
            [msgspec.json.encode(event).decode() for event, _ in events],
            [event_id for event_id, _ in wanted],
            [subscriber for _, subscriber in wanted],
            now,
        )
