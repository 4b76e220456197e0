"""A seller's money by period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from souk.kernel.page import BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn

_LAST = 2**63 - 1


class Posting(msgspec.Struct, frozen=True):
    """One change of one of a seller's balances. `kind` is what the entry's key begins with, such as
    `released`; `cause` names what it was booked for; above zero is to the seller's good."""

    id: int
    entry_id: UUID
    at: datetime
    kind: str
    cause: str
    text: str
    bucket: str
    currency: str
    amount: int
    balance: int


async def postings(
    conn: ReadConn,
    seller_id: UUID,
    *,
    since: datetime,
    until: datetime,
    bucket: str = "",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Posting]:
    """Changes from `since` until before `until`, newest first. Raises BadCursor."""
    before = _LAST
    if cursor is not None:
        (key,) = decode_cursor(cursor, size=1)
        if not isinstance(key, int) or not 0 < key < _LAST:
            raise BadCursor
        before = key
    rows = await conn.fetch(
        "SELECT p.id, p.entry_id, e.at, split_part(e.key, ':', 1) AS kind, e.cause, e.text,"
        " split_part(a.code, ':', 3) AS bucket, a.currency, -p.amount AS amount,"
        " -p.balance_after AS balance FROM ledger.account a"
        " JOIN ledger.posting p ON p.account_id = a.id JOIN ledger.entry e ON e.id = p.entry_id"
        " WHERE a.seller_id = $1 AND p.id < $2 AND e.at >= $3 AND e.at < $4"
        " AND ($5 = '' OR split_part(a.code, ':', 3) = $5) ORDER BY p.id DESC LIMIT $6",
        seller_id,
        before,
        since,
        until,
        bucket,
        limit + 1,
    )
    return page_of(
        [Posting(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda row: encode_cursor(row.id),
    )


class KindSum(msgspec.Struct, frozen=True):
    """What all entries of a kind came to for the seller in a period, in minor units; moves between
    the seller's own balances come to nothing and are left out."""

    kind: str
    currency: str
    entries: int
    amount: int


class Statement(msgspec.Struct, frozen=True):
    """`opening` + the sums of `kinds` = `closing`, in one currency and minor units: everything
    that is the seller's, whatever balance it is in, less what is owed."""

    currency: str
    opening: int
    closing: int
    kinds: list[KindSum]


# An entry is dated when its transaction begins to write and numbered when it writes, which is later
# by at most the seconds that a statement may take: the day added to the end is far more than that.
_STATEMENTS = """
WITH account AS (
  SELECT a.id, a.currency, began.month IS NOT NULL AS carried,
         coalesce(began.balance, 0) AS balance,
         coalesce(began.posting_id, 0) AS first,
         coalesce(ended.posting_id, 9223372036854775807) AS past
  FROM ledger.account a
  LEFT JOIN LATERAL (
    SELECT c.month, c.posting_id, c.balance FROM ledger.carried c
    WHERE c.account_id = a.id AND c.month <= $2 ORDER BY c.month DESC LIMIT 1) began ON true
  LEFT JOIN LATERAL (
    SELECT c.posting_id FROM ledger.carried c
    WHERE c.account_id = a.id AND c.month >= $3::timestamptz + interval '1 day'
    ORDER BY c.month LIMIT 1) ended ON true
  WHERE a.seller_id = $1),
posted AS (
  SELECT a.currency, CASE WHEN e.at < $2 THEN '' ELSE split_part(e.key, ':', 1) END AS kind,
         e.id, p.amount
  FROM account a
  JOIN ledger.posting p ON p.account_id = a.id AND p.id >= a.first AND p.id < a.past
  JOIN ledger.entry e ON e.id = p.entry_id
  WHERE e.at < $3
  UNION ALL
  SELECT currency, '', NULL, balance FROM account WHERE carried)
SELECT currency, kind, count(DISTINCT id) AS entries, -sum(amount)::bigint AS amount
FROM posted GROUP BY 1, 2 ORDER BY 1, 2
"""


async def months_to_carry(conn: ReadConn) -> list[datetime]:
    """Beginnings of months (UTC) up to now, from the last on into which anything was carried."""
    rows = await conn.fetch(
        "SELECT generate_series(date_trunc('month', coalesce((SELECT max(month)"
        " FROM ledger.carried), (SELECT min(at) FROM ledger.entry), $1::timestamptz), 'UTC'), $1,"
        " interval '1 month') AS month",
        conn.clock.now(),
    )
    return [row["month"] for row in rows]


async def statements(
    conn: ReadConn, seller_id: UUID, *, since: datetime, until: datetime
) -> list[Statement]:
    """The period in each currency in which the seller ever had money.

    Reads the postings of the months that the period touches, once they have been carried.
    """
    rows = await conn.fetch(_STATEMENTS, seller_id, since, until)
    found: dict[str, Statement] = {}
    for row in rows:
        one = found.setdefault(row["currency"], Statement(row["currency"], 0, 0, []))
        opening = one.opening + (row["amount"] if not row["kind"] else 0)
        kinds = one.kinds
        if row["kind"] and row["amount"]:
            kinds = [*kinds, KindSum(row["kind"], row["currency"], row["entries"], row["amount"])]
        found[row["currency"]] = Statement(
            row["currency"], opening, one.closing + row["amount"], kinds
        )
    return list(found.values())


class Waiting(msgspec.Struct, frozen=True):
    """An earning on hold: how much, in minor units, for which order, and until when."""

    seller_order_id: UUID
    amount: int
    currency: str
    release_at: datetime


async def waiting(conn: ReadConn, seller_id: UUID, *, limit: int = 50) -> list[Waiting]:
    """Earnings that are on hold, the next to be free first."""
    rows = await conn.fetch(
        "SELECT seller_order_id, amount, currency, release_at FROM ledger.hold"
        " WHERE seller_id = $1 AND NOT released ORDER BY release_at, id LIMIT $2",
        seller_id,
        limit,
    )
    return [Waiting(*row.values()) for row in rows]


class DayEarned(msgspec.Struct, frozen=True):
    """What a seller earned on one day (UTC): released out of escrow, less commission, in minor
    units."""

    day: date
    currency: str
    amount: int


async def earned_by_day(conn: ReadConn, seller_id: UUID, *, since: datetime) -> list[DayEarned]:
    """Earnings from `since` on, oldest day first; days without are absent."""
    rows = await conn.fetch(
        "SELECT (e.at AT TIME ZONE 'UTC')::date AS day, a.currency, -sum(p.amount)::bigint"
        " FROM ledger.account a JOIN ledger.posting p ON p.account_id = a.id"
        " JOIN ledger.entry e ON e.id = p.entry_id"
        " WHERE a.seller_id = $1 AND e.at >= $2 AND starts_with(e.key, 'released:')"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        seller_id,
        since,
    )
    return [DayEarned(*row.values()) for row in rows]


def orders_named(causes: Sequence[str]) -> dict[str, UUID]:
    """The seller orders that causes name, by cause."""
    found: dict[str, UUID] = {}
    for cause in causes:
        kind, _, key = cause.partition(":")
        if kind == "seller_order":
            found[cause] = UUID(key)
    return found
