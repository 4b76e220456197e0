"""Money: what is earned, what waits, and why every cent is where it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.kernel.money import Money
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.csv import csv_answer
from souk.web.desk import address, back_to, read_date, refusal, seller_of
from souk.web.page import Req, page
from souk.web.sell.postings import explained

_PATH = "/sell/balance"
_BUCKETS = ("pending", "available", "reserved", "receivable")
_EXPORT = 10_000
_Word = Annotated[str, QueryParameter(max_length=20)]
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]


class Span(msgspec.Struct, frozen=True):
    """The days of a statement as they were asked for, and the moments that bound them."""

    start: str
    end: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, start: str, end: str, *, now: datetime) -> Span:
        """Whole days (UTC); without them, from the first of last month on. Raises InvalidInput."""
        last = read_date(end, path="end") or datetime.combine(now.date(), time.min, tzinfo=UTC)
        month = (now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
        first = read_date(start, path="start") or min(
            datetime.combine(month, time.min, tzinfo=UTC), last
        )
        if not timedelta(0) <= last - first <= timedelta(days=3_700):
            raise refusal("end", "Choose a last day that is not before the first.")
        return cls(
            first.date().isoformat(), last.date().isoformat(), first, last + timedelta(days=1)
        )


@get(_PATH, access=access.SELLER, include_in_schema=False)
async def balance_page(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    *,
    start: _Word = "",
    end: _Word = "",
    bucket: _Word = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """The balances in every currency, what waits, the statement of a period and each change."""
    seller_id = seller_of(actor)
    only = bucket if bucket in _BUCKETS else ""
    try:
        span = Span.of(start, end, now=db.clock.now())
    except DomainError as error:
        return back_to(request, _PATH, error.message, tone="warn")
    async with db.read() as conn:
        balances = await ledger.balances(conn, seller_id)
        waiting = await ledger.waiting(conn, seller_id)
        sums = await ledger.statements(conn, seller_id, since=span.since, until=span.until)
        lines = await ledger.postings(
            conn, seller_id, since=span.since, until=span.until, bucket=only, cursor=cursor
        )
        parts = ledger.orders_named([line.cause for line in lines.items])
        ids = [*parts.values(), *(each.seller_order_id for each in waiting)]
        numbers = await orders.numbers_of(conn, seller_id=seller_id, ids=ids)
    asked = {"start": start, "end": end, "bucket": only}
    following = lines.next_cursor
    return await page(
        request,
        "sell/balance.html",
        balances=balances or [ledger.SellerBalance(settings.currency)],
        ever=bool(balances),
        waiting=waiting,
        statements=sums,
        span=span,
        bucket=only,
        lines=lines.items,
        explained=explained,
        parts=parts,
        numbers=numbers,
        csv_url=address(f"{_PATH}/statement.csv", **asked),
        next_url=address(_PATH, **asked, cursor=following) if following else None,
    )


@get(f"{_PATH}/statement.csv", access=access.SELLER, include_in_schema=False)
async def statement_csv(
    db: Database,
    actor: Actor,
    start: _Word = "",
    end: _Word = "",
    bucket: _Word = "",
) -> Response[bytes]:
    """Every change of the period, oldest last; at most ten thousand."""
    seller_id = seller_of(actor)
    span = Span.of(start, end, now=db.clock.now())
    only = bucket if bucket in _BUCKETS else ""
    async with db.read() as conn:
        found = await ledger.postings(
            conn, seller_id, since=span.since, until=span.until, bucket=only, limit=_EXPORT
        )
        numbers = await _numbers(conn, seller_id, found.items)
    header = ["at", "what", "explanation", "order", "balance", "change", "then", "currency"]
    rows = [
        [
            line.at, line.kind, line.text, numbers.get(line.cause, ""), line.bucket,
            Money(line.amount, line.currency), Money(line.balance, line.currency), line.currency,
        ]
        for line in found.items
    ]  # fmt: skip
    return csv_answer(f"statement-{span.start}-{span.end}.csv", header, rows)


async def _numbers(
    conn: ReadConn, seller_id: UUID, lines: Sequence[ledger.Posting]
) -> dict[str, str]:
    """Order numbers by cause."""
    parts = ledger.orders_named([line.cause for line in lines])
    numbers = await orders.numbers_of(conn, seller_id=seller_id, ids=list(set(parts.values())))
    return {cause: numbers[part] for cause, part in parts.items() if part in numbers}


routes: list[Any] = [balance_page, statement_csv]
