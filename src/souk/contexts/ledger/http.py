"""Balances for sellers and the books for the operator's finance staff, over JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from souk.contexts.ledger import commands, queries
from souk.contexts.ledger.domain.commission import CommissionRule, Scope
from souk.contexts.ledger.queries import (
    AccountView,
    EntryDetail,
    EntryView,
    SellerBalance,
    StatementLine,
    TrialRow,
)
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import Forbidden
from souk.kernel.ids import uuid7
from souk.kernel.page import DEFAULT_LIMIT, MAX_LIMIT
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import Amount, CurrencyCode, Listed, clean_text

_VIEW = access.operator(Permission.MONEY_VIEW)
_MANAGE = access.operator(Permission.MONEY_MANAGE)
LimitQuery = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
CursorQuery = Annotated[str | None, QueryParameter(max_length=1024)]
SearchQuery = Annotated[str, QueryParameter(max_length=200)]
Rate = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern="^[a-z_]+$")]


class Balances(msgspec.Struct, frozen=True):
    """One row per currency."""

    items: list[SellerBalance]


class TrialBalance(msgspec.Struct, frozen=True):
    """Every account; per currency the two columns have the same sum."""

    items: list[TrialRow]


class RuleWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A commission rule. Rates in basis points, amounts in minor units of `currency`."""

    scope: Scope
    rate_bp: Rate
    valid_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    seller_id: UUID | None = None
    tier: Name | None = None
    category_id: UUID | None = None
    kind: Name | None = None
    currency: CurrencyCode | None = None
    fixed: Amount = 0
    minimum: Amount | None = None
    maximum: Amount | None = None
    tax_bp: Rate = 0


class RuleView(RuleWire, frozen=True, kw_only=True):
    """A commission rule with its id, and when it ends."""

    id: UUID
    valid_until: datetime | None = None


class Rules(msgspec.Struct, frozen=True):
    """Every rule, newest first."""

    items: list[RuleView]


def _view(rule: CommissionRule) -> RuleView:
    return msgspec.convert(rule, RuleView, from_attributes=True)


def _seller(actor: Actor) -> UUID:
    if actor.seller_id is None:
        raise Forbidden("Only sellers can do this. Apply to become a seller first.")
    return actor.seller_id


@get("/api/v1/balance", access=access.SELLER)
async def my_balance(db: Database, actor: Actor) -> Balances:
    """What you have earned: on hold, payable, held back, and what you owe."""
    async with db.read() as conn:
        return Balances(await queries.balances(conn, _seller(actor)))


@get("/api/v1/balance/entries", access=access.SELLER)
async def my_entries(
    db: Database,
    actor: Actor,
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> Listed[StatementLine]:
    """Every change of your balance, newest first, with the reason."""
    async with db.read() as conn:
        page = await queries.statement(conn, _seller(actor), cursor=cursor, limit=limit)
    return Listed(page.items, page.next_cursor)


@get("/api/v1/ledger/accounts", access=_VIEW)
async def list_accounts(
    db: Database,
    prefix: SearchQuery = "",
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> Listed[AccountView]:
    """Accounts whose code begins with `prefix`, such as `seller:`."""
    wanted = clean_text(prefix, path="prefix")
    async with db.read() as conn:
        page = await queries.accounts(conn, prefix=wanted, cursor=cursor, limit=limit)
    return Listed(page.items, page.next_cursor)


@get("/api/v1/ledger/entries", access=_VIEW)
async def list_entries(
    db: Database,
    search: SearchQuery = "",
    account: SearchQuery = "",
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> Listed[EntryView]:
    """Entries newest first, by cause, key or words, and by account."""
    async with db.read() as conn:
        page = await queries.entries(
            conn,
            search=clean_text(search, path="search"),
            account=clean_text(account, path="account"),
            cursor=cursor,
            limit=limit,
        )
    return Listed(page.items, page.next_cursor)


@get("/api/v1/ledger/entries/{entry_id:uuid}", access=_VIEW)
async def show_entry(db: Database, entry_id: FromPath[UUID]) -> EntryDetail:
    """One entry with its lines."""
    async with db.read() as conn:
        return await queries.entry(conn, entry_id)


@get("/api/v1/ledger/trial-balance", access=_VIEW)
async def show_trial_balance(
    db: Database, as_of: FromQuery[datetime | None] = None
) -> TrialBalance:
    """Every account's balance, now or as of a moment."""
    async with db.read() as conn:
        return TrialBalance(await queries.trial_balance(conn, as_of=as_of))


@get("/api/v1/ledger/commission-rules", access=_VIEW)
async def list_rules(db: Database) -> Rules:
    """Every commission rule, newest first."""
    async with db.read() as conn:
        return Rules([_view(rule) for rule in await queries.commission_rules(conn)])


@post("/api/v1/ledger/commission-rules", access=_MANAGE, idempotent=True, rate="write")
async def add_rule(data: RuleWire, db: Database, actor: Actor) -> RuleView:
    """Put a commission rule into force, at once unless `valid_from` says when."""
    fields = msgspec.structs.asdict(data)
    fields["valid_from"] = data.valid_from or db.clock.now()
    rule = CommissionRule(id=uuid7(), **fields)

    async def work(tx: WriteTx) -> RuleView:
        await commands.add_commission_rule(tx, actor, rule)
        return _view(rule)

    return await db.transact(work)


routes: list[object] = [
    my_balance,
    my_entries,
    list_accounts,
    list_entries,
    show_entry,
    show_trial_balance,
    list_rules,
    add_rule,
]
