"""Reading the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.ledger.domain import commission
from souk.contexts.ledger.domain.commission import (
    CommissionBase,
    CommissionQuote,
    CommissionRule,
    Scope,
)
from souk.kernel.errors import NotFound
from souk.kernel.ids import parse_uuid
from souk.kernel.page import DEFAULT_LIMIT, BadCursor, Page, decode_cursor, encode_cursor, page_of
from souk.platform.database import ReadConn, Record

_NEWEST = 2**63 - 1
_LAST_UUID = UUID(int=2**128 - 1)


class SellerBalance(msgspec.Struct, frozen=True):
    """A seller's money in one currency, in minor units. `receivable` is what the seller owes."""

    currency: str
    pending: int = 0
    available: int = 0
    reserved: int = 0
    receivable: int = 0


class StatementLine(msgspec.Struct, frozen=True):
    """One change of one of a seller's balances: above zero is to the seller's good.

    `bucket` is pending, available, reserved or receivable; `balance` is that bucket's after it, and
    below zero for what the seller owes.
    """

    id: int
    entry_id: UUID
    at: datetime
    text: str
    bucket: str
    currency: str
    amount: int
    balance: int


class AccountView(msgspec.Struct, frozen=True):
    """An account and its balance in minor units: debits above zero, credits below."""

    id: UUID
    code: str
    currency: str
    kind: str
    balance: int


class EntryView(msgspec.Struct, frozen=True):
    """An entry without its lines."""

    id: UUID
    key: str
    cause: str
    text: str
    actor: str
    at: datetime
    reverses: UUID | None


class PostingView(msgspec.Struct, frozen=True):
    """One line of an entry, in minor units; one of `debit` and `credit` is zero."""

    account: str
    currency: str
    debit: int
    credit: int


class EntryDetail(msgspec.Struct, frozen=True):
    """An entry with its lines, and the entry that took it back."""

    entry: EntryView
    lines: list[PostingView]
    reversed_by: UUID | None


class TrialRow(msgspec.Struct, frozen=True):
    """One account of a trial balance: its balance stands in one of the two columns."""

    code: str
    kind: str
    currency: str
    debit: int
    credit: int


BALANCE = (
    "a.balance + coalesce((SELECT sum(u.amount) FROM ledger.unfolded u WHERE u.account_id = a.id),"
    " 0)::bigint"
)


async def balances(conn: ReadConn, seller_id: UUID) -> list[SellerBalance]:
    """A seller's balances, one row per currency in which there has ever been money."""
    rows = await conn.fetch(
        "SELECT currency, split_part(code, ':', 3) AS bucket, abs(balance) AS amount"
        " FROM ledger.account WHERE seller_id = $1 ORDER BY currency",
        seller_id,
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["currency"], {})[row["bucket"]] = row["amount"]
    return [SellerBalance(currency, **parts) for currency, parts in found.items()]


def _number_cursor(cursor: str | None) -> int:
    if cursor is None:
        return _NEWEST
    (key,) = decode_cursor(cursor, size=1)
    if not isinstance(key, int) or not 0 < key < _NEWEST:
        raise BadCursor
    return key


async def statement(
    conn: ReadConn, seller_id: UUID, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[StatementLine]:
    """Every change of a seller's balances, newest first. Raises BadCursor."""
    rows = await conn.fetch(
        "SELECT p.id, p.entry_id, e.at, e.text, split_part(a.code, ':', 3) AS bucket, a.currency,"
        " -p.amount AS amount, -p.balance_after AS balance"
        " FROM ledger.account a CROSS JOIN LATERAL ("
        "   SELECT * FROM ledger.posting q WHERE q.account_id = a.id AND q.id < $2"
        "   ORDER BY q.id DESC LIMIT $3) p"
        " JOIN ledger.entry e ON e.id = p.entry_id"
        " WHERE a.seller_id = $1 ORDER BY p.id DESC LIMIT $3",
        seller_id,
        _number_cursor(cursor),
        limit + 1,
    )
    return page_of(
        [StatementLine(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda line: encode_cursor(line.id),
    )


async def accounts(
    conn: ReadConn,
    *,
    prefix: str = "",
    without: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[AccountView]:
    """Accounts whose code begins with `prefix` and, if given, not with `without`; by code and
    currency. Raises BadCursor."""
    code, currency = "", ""
    if cursor is not None:
        keys = decode_cursor(cursor, size=2)
        code, currency = str(keys[0]), str(keys[1])
        if "\x00" in code + currency:
            raise BadCursor
    rows = await conn.fetch(
        f"SELECT a.id, a.code, a.currency, a.kind, {BALANCE} AS balance FROM ledger.account a"
        " WHERE starts_with(a.code, $1) AND (a.code, a.currency) > ($2, $3)"
        " AND ($5 = '' OR NOT starts_with(a.code, $5))"
        " ORDER BY a.code, a.currency LIMIT $4",
        prefix,
        code,
        currency,
        limit + 1,
        without,
    )
    return page_of(
        [AccountView(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda account: encode_cursor(account.code, account.currency),
    )


async def balance_of(conn: ReadConn, code: str, currency: str) -> int:
    """An account's balance in minor units, debits above zero; 0 for one never used."""
    found = await conn.fetchval(
        f"SELECT {BALANCE} FROM ledger.account a WHERE a.code = $1 AND a.currency = $2",
        code,
        currency,
    )
    return found or 0


ENTRY = "SELECT e.id, e.key, e.cause, e.text, e.actor, e.at, e.reverses FROM ledger.entry e"


async def entries(
    conn: ReadConn,
    *,
    search: str = "",
    account: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[EntryView]:
    """Entries newest first; `search` is a cause, a key or a part of the sentence.

    `account` keeps those that touch the account with this code. Raises BadCursor.
    """
    before = _LAST_UUID
    if cursor is not None:
        (key,) = decode_cursor(cursor, size=1)
        parsed = parse_uuid(str(key))
        if parsed is None:
            raise BadCursor
        before = parsed
    rows = await conn.fetch(
        f"{ENTRY} WHERE e.id < $1"
        " AND ($2 = '' OR e.cause = $2 OR e.key = $2 OR strpos(lower(e.text), lower($2)) > 0)"
        " AND ($3 = '' OR EXISTS (SELECT FROM ledger.posting p JOIN ledger.account a"
        "   ON a.id = p.account_id WHERE p.entry_id = e.id AND a.code = $3))"
        " ORDER BY e.id DESC LIMIT $4",
        before,
        search,
        account,
        limit + 1,
    )
    return page_of(
        [EntryView(*row.values()) for row in rows],
        limit=limit,
        cursor_of=lambda entry: encode_cursor(str(entry.id)),
    )


async def entry(conn: ReadConn, entry_id: UUID) -> EntryDetail:
    """One entry with its lines. Raises NotFound."""
    row = await conn.fetchrow(f"{ENTRY} WHERE e.id = $1", entry_id)
    if row is None:
        raise NotFound("There is no such entry in the books. Check the link.")
    lines = await conn.fetch(
        "SELECT a.code AS account, p.currency, greatest(p.amount, 0) AS debit,"
        " greatest(-p.amount, 0) AS credit FROM ledger.posting p"
        " JOIN ledger.account a ON a.id = p.account_id WHERE p.entry_id = $1 ORDER BY p.position",
        entry_id,
    )
    reversed_by = await conn.fetchval("SELECT id FROM ledger.entry WHERE reverses = $1", entry_id)
    return EntryDetail(
        EntryView(*row.values()), [PostingView(*line.values()) for line in lines], reversed_by
    )


async def entries_of(conn: ReadConn, causes: Sequence[str]) -> list[EntryDetail]:
    """Every entry with one of these causes and its lines, oldest first, in two statements."""
    found = await conn.fetch(f"{ENTRY} WHERE e.cause = ANY($1::text[]) ORDER BY e.id", list(causes))
    lines = await conn.fetch(
        "SELECT p.entry_id, a.code AS account, p.currency, greatest(p.amount, 0) AS debit,"
        " greatest(-p.amount, 0) AS credit FROM ledger.posting p"
        " JOIN ledger.account a ON a.id = p.account_id WHERE p.entry_id = ANY($1::uuid[])"
        " ORDER BY p.entry_id, p.position",
        [row["id"] for row in found],
    )
    by_entry: dict[UUID, list[PostingView]] = {}
    for line in lines:
        by_entry.setdefault(line["entry_id"], []).append(PostingView(*tuple(line.values())[1:]))
    reversals = {row["reverses"]: row["id"] for row in found if row["reverses"]}
    return [
        EntryDetail(EntryView(*row.values()), by_entry.get(row["id"], []), reversals.get(row["id"]))
        for row in found
    ]


async def trial_balance(conn: ReadConn, *, as_of: datetime | None = None) -> list[TrialRow]:
    """Every account's balance; with `as_of`, from the entries up to that moment."""
    if as_of is None:
        rows = await conn.fetch(
            "SELECT s.code, s.kind, s.currency, greatest(s.total, 0) AS debit,"
            f" greatest(-s.total, 0) AS credit FROM (SELECT a.code, a.kind, a.currency,"
            f" {BALANCE} AS total FROM ledger.account a) s WHERE s.total <> 0"
            " ORDER BY s.code, s.currency"
        )
    else:
        rows = await conn.fetch(
            "SELECT a.code, a.kind, a.currency, greatest(s.balance, 0) AS debit,"
            " greatest(-s.balance, 0) AS credit FROM ("
            "   SELECT p.account_id, sum(p.amount)::bigint AS balance FROM ledger.posting p"
            "   JOIN ledger.entry e ON e.id = p.entry_id WHERE e.at <= $1 GROUP BY p.account_id) s"
            " JOIN ledger.account a ON a.id = s.account_id WHERE s.balance <> 0"
            " ORDER BY a.code, a.currency",
            as_of,
        )
    return [TrialRow(*row.values()) for row in rows]


_RULE = (
    "SELECT id, scope, rate_bp, valid_from, seller_id, tier, category_id, kind, currency, fixed,"
    " minimum, maximum, tax_bp, valid_until FROM ledger.commission_rule"
)


def _rule(row: Record) -> CommissionRule:
    return CommissionRule(row["id"], Scope(row["scope"]), *list(row.values())[2:])


async def commission_rules(conn: ReadConn) -> list[CommissionRule]:
    """Every rule, newest first."""
    return [_rule(row) for row in await conn.fetch(f"{_RULE} ORDER BY valid_from DESC, id DESC")]


async def quote_commissions(
    conn: ReadConn, lines: Sequence[CommissionBase]
) -> list[CommissionQuote]:
    """The commission of each line by the rules of this moment, in the order of `lines`.

    Freeze the answer on the order line: it is never computed again.
    """
    now = conn.clock.now()
    rows = await conn.fetch(
        f"{_RULE} WHERE valid_from <= $1 AND (valid_until IS NULL OR valid_until > $1)"
        " AND (scope = 'platform' OR seller_id = ANY($2::uuid[])"
        " OR tier = ANY($3::text[]) OR category_id = ANY($4::uuid[]))",
        now,
        [line.seller_id for line in lines],
        [line.tier for line in lines],
        [category for line in lines for category in line.category_ids],
    )
    rules = [_rule(row) for row in rows]
    quotes: list[CommissionQuote] = []
    for line in lines:
        rule = commission.choose(rules, base=line, now=now)
        assert rule is not None, "the platform's default rule has no end"
        quotes.append(commission.quote(rule, line))
    return quotes
