"""The books: accounts, entries, trial balance."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from souk.contexts.ledger import api as ledger
from souk.kernel.actor import Permission
from souk.kernel.errors import DomainError
from souk.kernel.page import Page
from souk.platform.database import Database, ReadConn
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin import books
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Day, Short, Word, frame_of, plain_money, plain_time
from souk.web.desk import address, problem_context, read_date, status_of
from souk.web.page import Req, page

_MAY = access.operator(Permission.MONEY_VIEW)
_ROOT = "/admin/ledger"


async def _wanted(
    conn: ReadConn, *, q: str, account: str, since: str, until: str
) -> ledger.desk.EntryFilter:
    """What the address asks for, with what an order number or a shop stands for."""
    words = clean_text(q, path="q").strip()
    looked = await books.look(conn, words)
    known = bool(looked.causes or looked.account)
    return ledger.desk.EntryFilter(
        search="" if known else words,
        causes=looked.causes,
        account=clean_text(account, path="account") or looked.account,
        since=read_date(since, path="since"),
        until=read_date(until, path="until", end=True),
    )


@get(_ROOT, access=_MAY, include_in_schema=False)
async def entries_page(
    request: Req,
    db: Database,
    q: Word = "",
    account: Word = "",
    since: Day = "",
    until: Day = "",
    cursor: Cursor = None,
) -> Response[bytes]:
    """Entries by order number, payment, shop, cause, key, words, account and days."""
    error: DomainError | None = None
    async with db.read() as conn:
        try:
            wanted = await _wanted(conn, q=q, account=account, since=since, until=until)
        except DomainError as refused:
            error, wanted = refused, ledger.desk.EntryFilter()
        found = await ledger.desk.listed(conn, wanted, cursor=cursor)
        names = await books.names_of(
            conn, [row.entry.cause for row in found.items] + ([account] if account else [])
        )
        people = await people_of(conn, [row.entry.actor for row in found.items])
    filters = {"q": q, "account": account, "since": since, "until": until}
    return await page(
        request,
        "admin/ledger.html",
        status=status_of(error),
        rows=found.items,
        names=names,
        people=people,
        **frame_of(_ROOT, filters, sort="", next_cursor=found.next_cursor),
        **problem_context(error),
    )


@get(f"{_ROOT}.csv", access=_MAY, include_in_schema=False)
async def entries_csv(
    db: Database, q: Word = "", account: Word = "", since: Day = "", until: Day = ""
) -> Stream:
    """The same entries as a table, one row per currency that an entry moves."""
    async with db.read() as conn:
        wanted = await _wanted(conn, q=q, account=account, since=since, until=until)

    async def load(cursor: str | None) -> Page[tuple[ledger.EntryView, str, int]]:
        async with db.read() as conn:
            found = await ledger.desk.listed(conn, wanted, cursor=cursor, limit=csv.BATCH)
        lines = [
            (row.entry, currency, amount)
            for row in found.items
            for currency, amount in row.moved.items()
        ]
        return Page(lines, found.next_cursor)

    columns = ["entry", "booked_utc", "text", "cause", "key", "by", "moved", "currency", "reverses"]

    def cells(line: tuple[ledger.EntryView, str, int]) -> list[object]:
        entry, currency, amount = line
        return [
            entry.id,
            plain_time(entry.at),
            entry.text,
            entry.cause,
            entry.key,
            entry.actor,
            plain_money(amount, currency),
            currency,
            entry.reverses,
        ]

    return csv.table("entries", columns, csv.batches(load), cells)


@get(_ROOT + "/entries/{entry_id:uuid}", access=_MAY, include_in_schema=False)
async def entry_page(request: Req, db: Database, entry_id: FromPath[UUID]) -> Response[bytes]:
    """One entry with its lines, what caused it, and everything else of the same cause."""
    async with db.read() as conn:
        detail = await ledger.entry(conn, entry_id)
        others = await ledger.entries_of(conn, [detail.entry.cause])
        codes = [line.account for line in detail.lines]
        names = await books.names_of(conn, [detail.entry.cause, *codes])
        people = await people_of(conn, [detail.entry.actor])
    return await page(
        request,
        "admin/ledger_entry.html",
        detail=detail,
        others=[other for other in others if other.entry.id != entry_id],
        names=names,
        people=people,
    )


_OF_ORDERS = "escrow:"


@get(_ROOT + "/accounts", access=_MAY, include_in_schema=False)
async def accounts_page(
    request: Req,
    db: Database,
    q: Word = "",
    prefix: Word = "",
    orders: Word = "",
    cursor: Cursor = None,
) -> Response[bytes]:
    """Accounts and their balances, by the start of the code, an order's number or a shop.

    Every order has an account of its own, empty once it is over: they would hide all the others,
    so that they are shown when they are looked for, or with `orders`.
    """
    path = f"{_ROOT}/accounts"
    async with db.read() as conn:
        code = await _start(conn, q or prefix)
        without = "" if code or orders else _OF_ORDERS
        found = await ledger.accounts(conn, prefix=code, without=without, cursor=cursor, limit=50)
        names = await books.names_of(conn, [row.code for row in found.items])
    return await page(
        request,
        "admin/ledger_accounts.html",
        rows=found.items,
        names=names,
        without_orders=bool(without),
        **frame_of(
            path, {"q": q or prefix, "orders": orders}, sort="", next_cursor=found.next_cursor
        ),
    )


async def _start(conn: ReadConn, q: str) -> str:
    words = clean_text(q, path="q").strip()
    looked = await books.look(conn, words)
    parts = [cause for cause in looked.causes if cause.startswith("seller_order:")]
    if len(parts) == 1:
        return parts[0].replace("seller_order:", "escrow:")
    return looked.account or words


@get(_ROOT + "/accounts.csv", access=_MAY, include_in_schema=False)
async def accounts_csv(db: Database, q: Word = "") -> Stream:
    """The same accounts as a table."""
    async with db.read() as conn:
        code = await _start(conn, q)

    async def load(cursor: str | None) -> Page[ledger.AccountView]:
        async with db.read() as conn:
            return await ledger.accounts(conn, prefix=code, cursor=cursor, limit=csv.BATCH)

    def cells(row: ledger.AccountView) -> list[object]:
        return [row.code, row.kind, plain_money(row.balance, row.currency), row.currency]

    columns = ["account", "kind", "balance_debit_positive", "currency"]
    return csv.table("accounts", columns, csv.batches(load), cells)


@get(_ROOT + "/trial-balance", access=_MAY, include_in_schema=False)
async def trial_balance_page(
    request: Req, db: Database, as_of: Day = "", each: Short = ""
) -> Response[bytes]:
    """Every account's balance at the end of a day; the two columns have the same sum.

    Accounts of one kind stand in one row; `each` shows every one of them.
    """
    error: DomainError | None = None
    moment = None
    try:
        moment = read_date(as_of, path="as_of", end=True)
    except DomainError as refused:
        error = refused
    async with db.read() as conn:
        rows = await ledger.trial_balance(conn, as_of=moment)
        names = await books.names_of(conn, [row.code for row in rows]) if each else {}
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        debit, credit = sums.get(row.currency, (0, 0))
        sums[row.currency] = (debit + row.debit, credit + row.credit)
    return await page(
        request,
        "admin/trial_balance.html",
        status=status_of(error),
        rows=rows if each else books.grouped(rows),
        names=names,
        each=each,
        sums=sums,
        as_of=as_of,
        csv_url=address(f"{_ROOT}/trial-balance.csv", as_of=as_of),
        **problem_context(error),
    )


@get(_ROOT + "/trial-balance.csv", access=_MAY, include_in_schema=False)
async def trial_balance_csv(db: Database, as_of: Day = "") -> Stream:
    """Every account's balance at the end of a day."""
    moment = read_date(as_of, path="as_of", end=True)

    async def load(_cursor: str | None) -> Page[ledger.TrialRow]:
        async with db.read() as conn:
            return Page(await ledger.trial_balance(conn, as_of=moment))

    def cells(row: ledger.TrialRow) -> list[object]:
        return [
            row.code,
            row.kind,
            row.currency,
            plain_money(row.debit, row.currency),
            plain_money(row.credit, row.currency),
        ]

    columns = ["account", "kind", "currency", "debit", "credit"]
    return csv.table("trial-balance", columns, csv.batches(load), cells)


routes: list[Any] = [
    entries_page, entries_csv, entry_page, accounts_page, accounts_csv, trial_balance_page,
    trial_balance_csv,
]  # fmt: skip
