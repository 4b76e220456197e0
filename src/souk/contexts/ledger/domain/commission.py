"""Commission: which rule applies, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from souk.kernel.errors import FieldProblem, InvalidInput
from souk.kernel.money import BASIS, Money


class Scope(StrEnum):
    """What a rule is for, from the least to the most specific."""

    PLATFORM = "platform"
    CATEGORY = "category"
    TIER = "tier"
    SELLER = "seller"


_RANK = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class CommissionRule:
    """Rates in basis points; `fixed`, `minimum` and `maximum` in minor units of `currency`.

    A rule with a `kind` is for that kind of goods only, one with a `currency` for that currency.
    `tax_bp` is the tax on the commission itself.
    """

    id: UUID
    scope: Scope
    rate_bp: int
    valid_from: datetime
    seller_id: UUID | None = None
    tier: str | None = None
    category_id: UUID | None = None
    kind: str | None = None
    currency: str | None = None
    fixed: int = 0
    minimum: int | None = None
    maximum: int | None = None
    tax_bp: int = 0
    valid_until: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether sales of this moment fall under it, if it is theirs."""
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)

    @property
    def is_base(self) -> bool:
        """A rule for everybody and everything: one of these must always be in force."""
        return self.scope is Scope.PLATFORM and self.kind is None and self.currency is None


@dataclass(frozen=True, slots=True)
class CommissionBase:
    """What commission is computed on. `category_ids` run from the leaf to the root."""

    line_id: UUID
    seller_id: UUID
    tier: str
    category_ids: tuple[UUID, ...]
    kind: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CommissionQuote:
    """The commission of one line, to be frozen on it."""

    line_id: UUID
    rule_id: UUID
    rate_bp: int
    amount: Money
    tax: Money


def _matches(rule: CommissionRule, base: CommissionBase) -> bool:
    if rule.kind not in {None, base.kind} or rule.currency not in {None, base.amount.currency}:
        return False
    match rule.scope:
        case Scope.SELLER:
            return rule.seller_id == base.seller_id
        case Scope.TIER:
            return rule.tier == base.tier
        case Scope.CATEGORY:
            return rule.category_id in base.category_ids
        case Scope.PLATFORM:
            return True


def choose(
    rules: Iterable[CommissionRule], *, base: CommissionBase, now: datetime
) -> CommissionRule | None:
    """The most specific rule in force; of equals, the one that came into force last.

    Seller before tier before category (a leaf before its parents) before platform; within a scope,
    a rule for this kind of goods, then one for this currency, comes before a general one.
    """

    def rank(rule: CommissionRule) -> tuple[int, int, bool, bool, datetime, UUID]:
        depth = -base.category_ids.index(rule.category_id) if rule.category_id else 0
        return (
            _RANK[rule.scope],
            depth,
            rule.kind is not None,
            rule.currency is not None,
            rule.valid_from,
            rule.id,
        )

    fitting = [rule for rule in rules if rule.in_force(now) and _matches(rule, base)]
    return max(fitting, key=rank, default=None)


def quote(rule: CommissionRule, base: CommissionBase) -> CommissionQuote:
    """What `rule` takes from `base`: never more, tax included, than the amount itself."""
    currency = base.amount.currency
    amount = base.amount.share(rule.rate_bp).amount + rule.fixed
    if rule.minimum is not None:
        amount = max(amount, rule.minimum)
    if rule.maximum is not None:
        amount = min(amount, rule.maximum)
    commission = Money(amount, currency)
    tax = commission.share(rule.tax_bp)
    if commission + tax > base.amount:
        tax = base.amount.included(rule.tax_bp)
        commission = base.amount - tax
    return CommissionQuote(base.line_id, rule.id, rule.rate_bp, commission, tax)


def check_rule(rule: CommissionRule) -> None:
    """Raises InvalidInput for a rule that the books cannot hold."""
    owners = {
        Scope.SELLER: rule.seller_id,
        Scope.TIER: rule.tier,
        Scope.CATEGORY: rule.category_id,
    }
    problems = [
        FieldProblem(f"{scope}", "mismatch", f"Give it for a {scope} rule and no other.")
        for scope, owner in owners.items()
        if (owner is not None) != (rule.scope == scope)
    ]
    problems += [
        FieldProblem(name, "out_of_range", f"Give 0 to {BASIS} basis points.")
        for name, rate in (("rate_bp", rule.rate_bp), ("tax_bp", rule.tax_bp))
        if not 0 <= rate <= BASIS
    ]
    amounts = [rule.fixed, rule.minimum or 0, rule.maximum or 0]
    if min(amounts) < 0:
        problems.append(FieldProblem("fixed", "too_small", "Amounts cannot be below zero."))
    if rule.minimum is not None and rule.maximum is not None and rule.minimum > rule.maximum:
        problems.append(FieldProblem("minimum", "too_big", "It cannot exceed the maximum."))
    has_amounts = bool(rule.fixed) or rule.minimum is not None or rule.maximum is not None
    if has_amounts and rule.currency is None:
        problems.append(FieldProblem("currency", "missing", "Say in which currency they are."))
    if problems:
        raise InvalidInput("The commission rule is wrong.", problems=problems)
