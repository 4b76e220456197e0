"""The books: accounts, entries, trial balance."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from souk.contexts.ledger import api as ledger
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import queues
from souk.web.desk import address, problem_context, read_date, status_of
from souk.web.page import Req, page

_MAY = access.operator(Permission.MONEY_VIEW)
_ROOT = "/admin/ledger"
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
_Word = Annotated[str, QueryParameter(max_length=200)]


@get(_ROOT, access=_MAY, include_in_schema=False)
async def entries_page(
    request: Req,
    db: Database,
    actor: Actor,
    q: _Word = "",
    account: _Word = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """Entries by cause, key, words or account, newest first."""
    async with db.read() as conn:
        found = await ledger.entries(
            conn,
            search=clean_text(q, path="q"),
            account=clean_text(account, path="account"),
            cursor=cursor,
        )
        waiting = await queues(conn, actor)
    next_url = address(_ROOT, q=q, account=account, cursor=found.next_cursor)
    return await page(
        request,
        "admin/ledger.html",
        rows=found.items,
        q=q,
        account=account,
        next_url=next_url if found.next_cursor else None,
        desk_counts=waiting,
    )


@get(_ROOT + "/entries/{entry_id:uuid}", access=_MAY, include_in_schema=False)
async def entry_page(
    request: Req, db: Database, actor: Actor, entry_id: FromPath[UUID]
) -> Response[bytes]:
    """One entry with its lines."""
    async with db.read() as conn:
        detail = await ledger.entry(conn, entry_id)
        waiting = await queues(conn, actor)
    return await page(request, "admin/ledger_entry.html", detail=detail, desk_counts=waiting)


@get(_ROOT + "/accounts", access=_MAY, include_in_schema=False)
async def accounts_page(
    request: Req, db: Database, actor: Actor, prefix: _Word = "", cursor: _Cursor = None
) -> Response[bytes]:
    """Accounts and their balances, by the start of the code."""
    async with db.read() as conn:
        found = await ledger.accounts(
            conn, prefix=clean_text(prefix, path="prefix"), cursor=cursor, limit=50
        )
        waiting = await queues(conn, actor)
    next_url = address(f"{_ROOT}/accounts", prefix=prefix, cursor=found.next_cursor)
    return await page(
        request,
        "admin/ledger_accounts.html",
        rows=found.items,
        prefix=prefix,
        next_url=next_url if found.next_cursor else None,
        desk_counts=waiting,
    )


@get(_ROOT + "/trial-balance", access=_MAY, include_in_schema=False)
async def trial_balance_page(
    request: Req,
    db: Database,
    actor: Actor,
    as_of: Annotated[str, QueryParameter(max_length=10)] = "",
) -> Response[bytes]:
    """Every account's balance at the end of a day; the two columns have the same sum."""
    error: DomainError | None = None
    moment = None
    try:
        moment = read_date(as_of, path="as_of", end=True)
    except DomainError as refused:
        error = refused
    async with db.read() as conn:
        rows = await ledger.trial_balance(conn, as_of=moment)
        waiting = await queues(conn, actor)
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        debit, credit = sums.get(row.currency, (0, 0))
        sums[row.currency] = (debit + row.debit, credit + row.credit)
    return await page(
        request,
        "admin/trial_balance.html",
        status=status_of(error),
        rows=rows,
        sums=sums,
        as_of=as_of,
        desk_counts=waiting,
        **problem_context(error),
    )


routes: list[Any] = [entries_page, entry_page, accounts_page, trial_balance_page]
