"""The dashboard's figures: a span of days, the span before it, and what each was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from souk.contexts.identity import api as identity
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.platform import operations, relay
from souk.platform.database import ReadConn
from souk.web.desk import refusal

RANGES = (1, 7, 30, 90, 365)
_MOST_DAYS = 800


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days (UTC) from `first` to `last`, and as many days before them."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time.min, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """The first moment that is no longer part of it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, tzinfo=UTC)

    @property
    def before(self) -> datetime:
        """Where the span before it begins."""
        return self.since - timedelta(days=self.days)

    def dates(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]


def span_of(*, days: int, first: str, last: str, today: date) -> Span:
    """The chosen days: own ones, or the last `days`. Raises InvalidInput."""
    if not first and not last:
        return Span(today - timedelta(days=days - 1), today)
    try:
        begin = date.fromisoformat(first)
        end = date.fromisoformat(last) if last else today
    except ValueError as error:
        raise refusal("since", "Choose the first day, and the last one if it is not today.") from (
            error
        )
    if not begin <= end or (end - begin).days >= _MOST_DAYS:
        raise refusal("since", "The first day comes before the last, at most two years earlier.")
    return Span(begin, end)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure and the one of the span before it."""

    now: int
    before: int

    @property
    def percent(self) -> int | None:
        """How much more, in per cent; None when there was nothing to compare with."""
        return round((self.now - self.before) * 100 / self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A point of a plot: one day, or a week or month of a long span."""

    first: date
    last: date


def buckets(span: Span) -> list[Bucket]:
    """Days up to two months, else weeks, that end with the last day of the span."""
    size = 1 if span.days <= 62 else 7
    found: list[Bucket] = []
    end = span.last
    while end >= span.first:
        begin = max(span.first, end - timedelta(days=size - 1))
        found.append(Bucket(begin, end))
        end = begin - timedelta(days=1)
    return found[::-1]


def summed(points: list[Bucket], values: Mapping[date, int]) -> list[int]:
    """What the days of each point come to."""
    place = {
        point.first + timedelta(days=n): at
        for at, point in enumerate(points)
        for n in range((point.last - point.first).days + 1)
    }
    sums = [0] * len(points)
    for day, value in values.items():
        if day in place:
            sums[place[day]] += value
    return sums


def _change(values: Mapping[date, int], span: Span) -> Change:
    now = sum(value for day, value in values.items() if day >= span.first)
    return Change(now, sum(values.values()) - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What was sold and who came, in the market's main currency, in minor units."""

    gmv: Change
    commission: Change
    refunded: Change
    orders: Change
    people: Change
    listings: Change
    others: dict[str, int]
    sold_by_day: dict[date, int]
    commission_by_day: dict[date, int]
    orders_by_day: dict[date, int]
    people_by_day: dict[date, int]
    states: dict[str, int]
    shops: dict[str, int]
    on_sale: dict[str, int]


async def market(conn: ReadConn, span: Span, *, currency: str) -> Market:
    """Eight statements, whatever the span."""
    bounds = {"since": span.before, "middle": span.since, "until": span.until}
    sales = await orders.desk.sales_between(conn, since=span.before, until=span.until)
    joined = await identity.desk.joined_by_day(conn, since=span.before, until=span.until)
    refunds = await payments.desk.refunded_between(conn, **bounds)
    placed = await orders.desk.placed_between(conn, **bounds)
    published = await listings.desk.published_between(conn, **bounds)
    back = next((row for row in refunds if row.currency == currency), None)
    mine = [row for row in sales if row.currency == currency]
    others: dict[str, int] = {}
    for row in sales:
        if row.currency != currency and row.day >= span.first:
            others[row.currency] = others.get(row.currency, 0) + row.total
    sold = {row.day: row.total for row in mine}
    earned = {row.day: row.commission for row in mine}
    return Market(
        gmv=_change(sold, span),
        commission=_change(earned, span),
        refunded=Change(back.after, back.before) if back else Change(0, 0),
        orders=Change(placed[1], placed[0]),
        people=_change(joined, span),
        listings=Change(published[1], published[0]),
        others=others,
        sold_by_day=sold,
        commission_by_day=earned,
        orders_by_day={row.day: row.orders for row in mine},
        people_by_day=joined,
        states=await orders.desk.states_between(conn, since=span.since, until=span.until),
        shops=await sellers.counts(conn),
        on_sale=await listings.desk.counts(conn),
    )


@dataclass(frozen=True, slots=True)
class Sign:
    """One line of health: `tone` is good, warn or bad; `text` says it, `url` leads to it."""

    name: str
    tone: str
    text: str
    url: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Whether everything runs."""

    database: operations.DatabaseHealth
    jobs: operations.QueueHealth
    lag: relay.Lag
    search: search.IndexLag
    disk: operations.Disk
    now: datetime


async def balanced(conn: ReadConn) -> bool:
    """Whether debits and credits are the same in every currency; one statement."""
    sums: dict[str, int] = {}
    for row in await ledger.trial_balance(conn):
        sums[row.currency] = sums.get(row.currency, 0) + row.debit - row.credit
    return not any(sums.values())


async def house(conn: ReadConn, *, folder: Path) -> House:
    """Four statements and a look at the disk."""
    return House(
        database=await operations.database_health(conn),
        jobs=await operations.queue_health(conn),
        lag=await relay.lag(conn),
        search=await search.index_lag(conn),
        disk=operations.disk(folder),
        now=conn.clock.now(),
    )


def signs(found: House, say: Callable[[str], str], size: Callable[[int], str]) -> list[Sign]:
    """The lines of health, in words."""
    return [_database(found, say, size), *_queues(found, say), _disk(found, say, size)]


def sign_of_books(in_balance: bool, say: Callable[[str], str]) -> Sign:  # noqa: FBT001
    """The line that says whether the books balance."""
    return Sign(
        say("Books"),
        "good" if in_balance else "bad",
        say("in balance") if in_balance else say("out of balance"),
        "/admin/ledger/trial-balance",
    )


def _database(found: House, say: Callable[[str], str], size: Callable[[int], str]) -> Sign:
    health = found.database
    share = health.connections / health.most_connections
    tone = "bad" if share > 0.95 else "warn" if share > 0.8 or health.round_trip_ms > 50 else "good"
    text = say("answers in %(ms)s ms") % {"ms": f"{health.round_trip_ms:.1f}"}
    note = say("%(open)s of %(most)s connections, %(size)s") % {
        "open": health.connections,
        "most": health.most_connections,
        "size": size(health.size),
    }
    return Sign(say("Database"), tone, text, note=note)


def _queues(found: House, say: Callable[[str], str]) -> list[Sign]:
    lag, jobs, index = found.lag, found.jobs, found.search
    silent = (found.now - jobs.last_beat).total_seconds() if jobs.last_beat else None
    beat = "bad" if silent is None or silent > 300 else "warn" if silent > 150 else "good"
    waiting = say("%(n)s waiting, the oldest %(s)s s")
    return [
        Sign(
            say("Worker"),
            beat,
            say("no sign of life yet")
            if silent is None
            else say("last sign of life %(s)s s ago") % {"s": round(max(silent, 0))},
            "/admin/events/schedules",
        ),
        Sign(
            say("Events"),
            "bad" if lag.oldest_seconds > 600 else "warn" if lag.oldest_seconds > 60 else "good",
            waiting % {"n": lag.pending, "s": round(lag.oldest_seconds)},
            "/admin/events",
        ),
        Sign(
            say("Dead letters"),
            "bad" if lag.dead else "good",
            str(lag.dead) if lag.dead else say("none"),
            "/admin/events#dead",
        ),
        Sign(
            say("Jobs"),
            "bad" if jobs.oldest_seconds > 600 else "warn" if jobs.oldest_seconds > 60 else "good",
            waiting % {"n": jobs.due, "s": round(jobs.oldest_seconds)},
            "/admin/events",
        ),
        Sign(
            say("Held jobs"),
            "bad" if jobs.held else "good",
            str(jobs.held) if jobs.held else say("none"),
            "/admin/events/jobs",
        ),
        Sign(
            say("Search index"),
            "bad" if index.seconds > 600 else "warn" if index.seconds > 60 else "good",
            say("up to date")
            if not index.waiting
            else waiting % {"n": index.waiting, "s": round(index.seconds)},
        ),
    ]


def _disk(found: House, say: Callable[[str], str], size: Callable[[int], str]) -> Sign:
    share = found.disk.free / found.disk.total
    tone = "bad" if share < 0.05 else "warn" if share < 0.15 else "good"
    text = say("%(free)s free of %(total)s") % {
        "free": size(found.disk.free),
        "total": size(found.disk.total),
    }
    return Sign(say("Disk"), tone, text)
