"""Commission rules: what is in force, and new ones."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from souk.contexts.ledger import api as ledger
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.admin.frame import queues
from souk.web.desk import (
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


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    form: dict[str, str],
    error: DomainError | None = None,
) -> Response[bytes]:
    tree = await tree_of(request)
    async with db.read() as conn:
        rules = await ledger.commission_rules(conn)
        shops = await sellers.cards(conn, [rule.seller_id for rule in rules if rule.seller_id])
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/commission.html",
        status=status_of(error),
        rules=rules,
        now=db.clock.now(),
        shops=shops,
        categories=category_choices(tree),
        category_names={each.id: each.name for each in tree.by_id.values()},
        currency=settings.currency,
        form=form,
        may_manage=actor.may(Permission.MONEY_MANAGE),
        desk_counts=waiting,
        **problem_context(error),
    )


@get(_PATH, access=access.operator(Permission.MONEY_VIEW), include_in_schema=False)
async def commission_page(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Every rule, newest first."""
    return await _show(request, db, actor, settings, {"scope": "platform"})


def _basis_points(text: str, path: str) -> int:
    """A percentage such as 8.5 as basis points. Raises InvalidInput."""
    points = read_money(text or "0", currency="EUR", path=path)
    if not 0 <= points <= 10_000:
        raise refusal(path, "Write a percentage from 0 to 100.")
    return points


@post(_PATH, access=access.operator(Permission.MONEY_MANAGE), rate="write", include_in_schema=False)
async def add_rule(request: Req, db: Database, actor: Actor, settings: Settings) -> Response[bytes]:
    """Put a rule into force; what was sold before keeps its commission."""
    form = await form_of(request)
    currency = settings.currency
    try:
        if form.get("scope") not in set(ledger.Scope):
            raise refusal("scope", "Choose for whom the rule is.")
        scope = ledger.Scope(form["scope"])
        amounts = {
            name: read_money(form[name], currency=currency, path=name)
            for name in ("fixed", "minimum", "maximum")
            if form.get(name)
        }
        rule = ledger.CommissionRule(
            id=uuid7(),
            scope=scope,
            rate_bp=_basis_points(form.get("rate", ""), "rate"),
            valid_from=read_date(form.get("valid_from", ""), path="valid_from") or db.clock.now(),
            seller_id=read_uuid(form.get("seller_id", ""), path="seller_id")
            if scope is ledger.Scope.SELLER
            else None,
            tier=form.get("tier") or None if scope is ledger.Scope.TIER else None,
            category_id=read_uuid(form.get("category_id", ""), path="category_id")
            if scope is ledger.Scope.CATEGORY
            else None,
            kind=form.get("kind") or None,
            currency=currency if amounts else None,
            tax_bp=_basis_points(form.get("tax", ""), "tax"),
            **amounts,
        )
        await db.transact(lambda tx: ledger.add_commission_rule(tx, actor, rule))
    except DomainError as error:
        return await _show(request, db, actor, settings, form, error)
    return back_to(request, _PATH, "The rule is written down. Past sales keep theirs.")


routes: list[Any] = [commission_page, add_rule]
