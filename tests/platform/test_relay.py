"""Delivery of events, against the real tables and the settable clock."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import pytest

from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform import outbox, relay
from souk.platform.database import Database
from souk.platform.events import Event, EventWriter, subscribe
from souk.platform.relay import MAX_ATTEMPTS, Relay

TEST = system("test")
# Ids made within one millisecond have no order of their own.
turns = itertools.count(1)


class Rang(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "test.rang.v1"
    key: ClassVar[str] = "bell"

    bell: UUID
    number: int


class Listener:
    """Notes what it hears in the transaction; fails for the bells in `broken`."""

    def __init__(self):
        self.broken: set[UUID] = set()
        self.tries: list[tuple[UUID, int]] = []
        self.pause = 0.0

    async def hear(self, tx, event, meta):
        self.tries.append((event.bell, event.number))
        await tx.execute(
            "INSERT INTO platform.local_mail (id, sent_at, sender, recipient, subject, html, plain)"
            " VALUES ($1, $2, 'relay', $3, $4, '', '')",
            UUID(int=next(turns)),
            tx.clock.now(),
            str(event.bell),
            str(event.number),
        )
        await asyncio.sleep(self.pause)
        if event.bell in self.broken:
            raise RuntimeError("the ear hurts")


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def writer(listener):
    # A name of its own per test: what another test left waiting is not delivered here.
    return EventWriter([subscribe(f"test.{uuid7().hex}", Rang, listener.hear)])


@pytest.fixture
async def bells(db_url, clock, writer):
    database = await Database.connect(db_url, clock=clock, writer=writer, size=4)
    yield database
    await database.close()


async def ring(db, bell, *numbers):
    async def work(tx):
        for number in numbers:
            outbox.add(tx, Rang(bell=bell, number=number), actor=TEST)

    await db.transact(work)


async def heard(db, bell):
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT subject FROM platform.local_mail WHERE recipient = $1 ORDER BY id", str(bell)
        )
    return [int(row["subject"]) for row in rows]


async def delivery(db, bell):
    async with db.read() as conn:
        return await conn.fetchrow(
            "SELECT attempts, next_at, dead, error FROM platform.delivery"
            " WHERE aggregate_id = $1 ORDER BY seq",
            bell,
        )


async def exhaust(db, clock, ringing, times=MAX_ATTEMPTS):
    for _ in range(times):
        await ringing.drain()
        clock.advance(timedelta(minutes=11))


async def test_events_of_an_aggregate_come_in_order_and_once(bells, writer):
    one, two = uuid7(), uuid7()
    await ring(bells, one, 1, 2)
    await ring(bells, two, 1)
    await ring(bells, one, *range(3, 120))
    assert await Relay(bells, writer).drain() == 120
    assert await heard(bells, one) == list(range(1, 120))
    assert await heard(bells, two) == [1]
    assert await Relay(bells, writer).drain() == 0


async def test_a_rolled_back_change_tells_nobody(bells, writer):
    bell = uuid7()

    async def fail(tx):
        outbox.add(tx, Rang(bell=bell, number=1), actor=TEST)
        await tx.flush_events()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await bells.transact(fail)
    assert await Relay(bells, writer).drain() == 0
    async with bells.read() as conn:
        assert await relay.recent_events(conn, aggregate_id=bell) == []


async def test_a_failing_event_delays_its_aggregate_only(bells, writer, listener, clock):
    bad, good = uuid7(), uuid7()
    listener.broken = {bad}
    await ring(bells, bad, 1, 2)
    await ring(bells, good, 1, 2)
    ringing = Relay(bells, writer)
    await ringing.drain()
    assert await heard(bells, good) == [1, 2]
    assert await heard(bells, bad) == []
    listener.broken = set()
    await ringing.drain()
    assert await heard(bells, bad) == []
    clock.advance(timedelta(seconds=1))
    await ringing.drain()
    # The handler ran several times for the first event; its writes were kept once.
    assert await heard(bells, bad) == [1, 2]
    assert listener.tries.count((bad, 1)) > 1


async def test_the_pause_doubles_up_to_ten_minutes(bells, writer, listener, clock):
    bell = uuid7()
    listener.broken = {bell}
    await ring(bells, bell, 1)
    ringing = Relay(bells, writer)
    pauses = []
    for attempt in range(1, MAX_ATTEMPTS):
        await ringing.drain()
        row = await delivery(bells, bell)
        assert (row["attempts"], row["dead"]) == (attempt, False)
        assert "the ear hurts" in row["error"]
        pauses.append((row["next_at"] - clock.now()).total_seconds())
        clock.set(row["next_at"])
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]
    await ringing.drain()
    row = await delivery(bells, bell)
    assert (row["attempts"], row["dead"]) == (MAX_ATTEMPTS, True)


async def test_a_dead_letter_blocks_nobody_and_can_be_replayed(bells, writer, listener, clock):
    bell = uuid7()
    listener.broken = {bell}
    await ring(bells, bell, 1)
    ringing = Relay(bells, writer)
    await exhaust(bells, clock, ringing)
    async with bells.read() as conn:
        letter = next(one for one in await relay.dead_letters(conn) if one.aggregate_id == bell)
        lag = await relay.lag(conn)
    assert (letter.name, letter.attempts) == (Rang.name, MAX_ATTEMPTS)
    assert "the ear hurts" in letter.error
    assert lag.dead >= 1
    listener.broken = set()
    await ring(bells, bell, 2)
    await ringing.drain()
    assert await heard(bells, bell) == [2]
    queued = await bells.transact(
        lambda tx: relay.replay(tx, writer, dead_only=True, subscriber=letter.subscriber)
    )
    assert queued == 1
    await ringing.drain()
    assert await heard(bells, bell) == [2, 1]


async def test_every_stored_event_can_be_replayed(bells, writer, clock):
    bell = uuid7()
    await ring(bells, bell, 1, 2)
    ringing = Relay(bells, writer)
    await ringing.drain()
    clock.advance(timedelta(hours=1))
    await ring(bells, bell, 3)
    since = clock.now() - timedelta(minutes=1)
    # The third still waits: it is not queued a second time.
    assert await bells.transact(lambda tx: relay.replay(tx, writer, since=since)) == 0
    await ringing.drain()
    assert await bells.transact(lambda tx: relay.replay(tx, writer, since=since)) == 1
    await ringing.drain()
    assert await heard(bells, bell) == [1, 2, 3, 3]
    assert await bells.transact(lambda tx: relay.replay(tx, writer, name="test.other.v1")) == 0
    assert await bells.transact(lambda tx: relay.replay(tx, writer, name=Rang.name)) >= 3
    await ringing.drain()
    assert await heard(bells, bell) == [1, 2, 3, 3, 1, 2, 3]


async def test_deliveries_of_a_subscriber_that_is_gone_stay(bells):
    bell = uuid7()
    await ring(bells, bell, 1)
    assert await Relay(bells, EventWriter()).drain() == 0
    assert (await delivery(bells, bell))["attempts"] == 0


async def test_an_event_that_is_no_longer_wanted_is_dropped(bells, writer, listener):
    class Silent(Rang, frozen=True, kw_only=True):
        name: ClassVar[str] = "test.silent.v1"

    bell = uuid7()
    subscriber = writer.by_event[Rang.name][0].subscriber
    await ring(bells, bell, 1)
    other = EventWriter([subscribe(subscriber, Silent, listener.hear)])
    assert await Relay(bells, other).drain() == 1
    assert await delivery(bells, bell) is None
    assert await heard(bells, bell) == []


async def test_two_relays_at_once_deliver_each_event_once(bells, writer, listener):
    listener.pause = 0.002
    ours = [uuid7() for _ in range(3)]
    for bell in ours:
        await ring(bells, bell, *range(1, 21))
    relays = [Relay(bells, writer) for _ in range(2)]
    while any([await delivery(bells, bell) for bell in ours]):
        await asyncio.gather(*(each.drain_once() for each in relays))
    for bell in ours:
        assert await heard(bells, bell) == list(range(1, 21))


async def test_a_failure_marks_the_event_that_failed(bells, writer, listener):
    """The second relay's turn comes between the failure of the first and its mark."""
    failed, other = uuid7(), uuid7()
    listener.broken = {failed}
    await ring(bells, failed, 1)
    await ring(bells, other, 1)
    slow, quick = Relay(bells, writer), Relay(bells, writer)
    mark = slow._failure

    def race(subscriber, *about):
        async def late(tx):
            listener.broken = set()
            # The other relay delivers what failed here, and leaves the next event waiting.
            await bells.transact(lambda own: quick._deliver(own, subscriber, 1))
            await mark(subscriber, *about)(tx)

        return late

    slow._failure = race
    await slow.drain_once()
    assert await heard(bells, failed) == [1]
    assert await delivery(bells, failed) is None
    assert await heard(bells, other) == [1] or (await delivery(bells, other))["attempts"] == 0


async def test_run_delivers_until_it_is_stopped(bells, writer):
    bell, stop = uuid7(), asyncio.Event()
    running = asyncio.create_task(Relay(bells, writer, pause=0.02).run(stop))
    await ring(bells, bell, 1)
    for _ in range(100):
        if await heard(bells, bell):
            break
        await asyncio.sleep(0.02)
    stop.set()
    await asyncio.wait_for(running, 2)
    assert await heard(bells, bell) == [1]


def test_a_subscriber_subscribes_to_an_event_once(listener):
    twice = [subscribe("test.twice", Rang, listener.hear)] * 2
    with pytest.raises(ValueError, match="twice"):
        EventWriter(twice)
