"""Commission rules: what is in force, what a sale would cost, new ones, and ending one."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.catalog import api as catalog
from souk.contexts.ledger import api as ledger
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.kernel.ids import parse_uuid, uuid7
from souk.kernel.money import Money
from souk.platform import audit
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Short, Word
from souk.web.desk import (
    Ask,
    answer,
    ask,
    back_to,
    category_choices,
    problem_context,
    read_date,
    read_money,
    read_uuid,
    refusal,
    status_of,
)
from souk.web.page import Req, form_of, page, tree_of

_PATH = "/admin/commission"
_VIEW = access.operator(Permission.MONEY_VIEW)
_MANAGE = access.operator(Permission.MONEY_MANAGE)
_NOBODY = UUID(int=0)


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    *,
    form: dict[str, str],
    trial: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    tree = await tree_of(request)
    trial = trial or {}
    async with db.read() as conn:
        rules = await ledger.commission_rules(conn)
        quoted = None
        if trial.get("amount"):
            try:
                quoted = await _quote(conn, tree, trial, settings.currency)
            except DomainError as refused:
                error = error or refused
        shops = await sellers.cards(conn, [rule.seller_id for rule in rules if rule.seller_id])
        log: list[audit.AuditRow] = []
        if actor.may(Permission.AUDIT_VIEW):
            log = await audit.recent(conn, action_prefix="ledger.commission_rule", limit=20)
        people = await people_of(conn, [row.actor for row in log])
    now = db.clock.now()
    return await page(
        request,
        "admin/commission.html",
        status=status_of(error),
        rules=rules,
        over={
            rule.id for rule in rules if rule.valid_until is not None and rule.valid_until <= now
        },
        now=now,
        shops=shops,
        categories=category_choices(tree),
        category_names={each.id: each.name for each in tree.by_id.values()},
        currency=settings.currency,
        form=form,
        trial=trial,
        quoted=quoted,
        applied={rule.id: rule for rule in rules},
        log=log,
        people=people,
        may_manage=actor.may(Permission.MONEY_MANAGE),
        **problem_context(error),
    )


async def _quote(
    conn: ReadConn, tree: catalog.Tree, trial: dict[str, str], currency: str
) -> ledger.CommissionQuote:
    """What a sale of these particulars would cost at this moment. Raises InvalidInput."""
    amount = read_money(trial["amount"], currency=currency, path="amount")
    category = parse_uuid(trial.get("of_category", ""))
    path = tree.get(category).path[::-1] if category in tree.by_id and category else []
    seller, tier = _NOBODY, trial.get("of_tier") or "standard"
    words = trial.get("of_seller", "").strip()
    if words:
        found = parse_uuid(words) or await sellers.desk.named(conn, words)
        shop = (await sellers.cards(conn, [found])).get(found) if found else None
        if shop is None:
            raise refusal("of_seller", "Write the whole name of a shop, or its id.")
        seller, tier = shop.id, shop.tier
    base = ledger.CommissionBase(
        line_id=_NOBODY,
        seller_id=seller,
        tier=tier,
        category_ids=tuple(path),
        kind=trial.get("of_kind") or "goods",
        amount=Money(amount, currency),
    )
    [quote] = await ledger.quote_commissions(conn, [base])
    return quote


@get(_PATH, access=_VIEW, include_in_schema=False)
async def commission_page(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    amount: Annotated[str, QueryParameter(max_length=20)] = "",
    of_seller: Word = "",
    of_tier: Short = "",
    of_category: Word = "",
    of_kind: Short = "",
) -> Response[bytes]:
    """Every rule, newest first, and what a sale would cost."""
    trial = {
        "amount": amount,
        "of_seller": of_seller,
        "of_tier": of_tier,
        "of_category": of_category,
        "of_kind": of_kind,
    }
    form = {"scope": "platform"}
    return await _show(request, db, actor, settings, form=form, trial=trial)


def _basis_points(text: str, path: str) -> int:
    """A percentage such as 8.5 as basis points. Raises InvalidInput."""
    points = read_money(text or "0", currency="EUR", path=path)
    if not 0 <= points <= 10_000:
        raise refusal(path, "Write a percentage from 0 to 100.")
    return points


async def _rule_of(db: Database, form: dict[str, str], currency: str) -> ledger.CommissionRule:
    if form.get("scope") not in set(ledger.Scope):
        raise refusal("scope", "Choose for whom the rule is.")
    scope = ledger.Scope(form["scope"])
    amounts: dict[str, Any] = {
        name: read_money(form[name], currency=currency, path=name)
        for name in ("fixed", "minimum", "maximum")
        if form.get(name)
    }
    seller_id = None
    if scope is ledger.Scope.SELLER:
        words = form.get("seller_id", "")
        async with db.read() as conn:
            seller_id = parse_uuid(words) or await sellers.desk.named(conn, words)
            if seller_id is None or seller_id not in await sellers.cards(conn, [seller_id]):
                raise refusal("seller_id", "Write the whole name of a shop, or its id.")
    return ledger.CommissionRule(
        id=uuid7(),
        scope=scope,
        rate_bp=_basis_points(form.get("rate", ""), "rate"),
        valid_from=read_date(form.get("valid_from", ""), path="valid_from") or db.clock.now(),
        seller_id=seller_id,
        tier=form.get("tier") or None if scope is ledger.Scope.TIER else None,
        category_id=read_uuid(form.get("category_id", ""), path="category_id")
        if scope is ledger.Scope.CATEGORY
        else None,
        kind=form.get("kind") or None,
        currency=currency if amounts else None,
        tax_bp=_basis_points(form.get("tax", ""), "tax"),
        **amounts,
    )


@post(_PATH, access=_MANAGE, rate="write", include_in_schema=False)
async def add_rule(request: Req, db: Database, actor: Actor, settings: Settings) -> Response[bytes]:
    """Put a rule into force; what was sold before keeps its commission."""
    form = await form_of(request)
    try:
        rule = await _rule_of(db, form, settings.currency)
        await db.transact(lambda tx: ledger.add_commission_rule(tx, actor, rule))
    except DomainError as error:
        return await _show(request, db, actor, settings, form=form, error=error)
    return back_to(request, _PATH, "The rule is written down. Past sales keep theirs.")


def _ending(rule_id: UUID) -> Ask:
    return Ask(
        title="End this rule?",
        text="From now on the next most specific rule counts in its place.",
        consequences=["What was sold keeps its commission.", "It cannot be begun again."],
        confirm="End the rule",
        action=f"{_PATH}/{rule_id}/end",
        back=_PATH,
        done="The rule is over.",
        template="admin/ask.html",
    )


@get(_PATH + "/{rule_id:uuid}/end", access=_MANAGE, include_in_schema=False)
async def end_page(request: Req, rule_id: FromPath[UUID]) -> Response[bytes]:
    """Ask first."""
    return await ask(request, _ending(rule_id))


@post(_PATH + "/{rule_id:uuid}/end", access=_MANAGE, rate="write", include_in_schema=False)
async def end_rule(
    request: Req, db: Database, actor: Actor, rule_id: FromPath[UUID]
) -> Response[bytes]:
    """End it now."""
    return await answer(
        request, db, _ending(rule_id), lambda tx, _: ledger.end_commission_rule(tx, actor, rule_id)
    )


routes: list[Any] = [commission_page, add_rule, end_page, end_rule]
