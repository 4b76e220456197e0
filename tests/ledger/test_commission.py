"""Which commission applies, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.ledger.domain import commission
from souk.contexts.ledger.domain.commission import (
    CommissionBase,
    CommissionRule,
    Scope,
)
from souk.kernel.errors import InvalidInput
from souk.kernel.money import Money
from tests.ledger.factories import eur

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SELLER, LEAF, ROOT, LINE = (UUID(int=number) for number in range(1, 5))
BASE = CommissionBase(LINE, SELLER, "standard", (LEAF, ROOT), "goods", eur("80.00"))


def rule(number: int, scope: Scope = Scope.PLATFORM, **fields: object) -> CommissionRule:
    made = CommissionRule(UUID(int=100 + number), scope, 1_000, NOW - timedelta(days=10))
    return replace(made, **fields)


PLATFORM = rule(1)
BY_ROOT = rule(2, Scope.CATEGORY, category_id=ROOT)
BY_LEAF = rule(3, Scope.CATEGORY, category_id=LEAF)
BY_TIER = rule(4, Scope.TIER, tier="standard")
BY_SELLER = rule(5, Scope.SELLER, seller_id=SELLER)


def test_the_most_specific_rule_wins() -> None:
    ladder = [BY_SELLER, BY_TIER, BY_LEAF, BY_ROOT, PLATFORM]
    for start in range(len(ladder)):
        left = ladder[start:]
        for rules in (left, left[::-1]):
            assert commission.choose(rules, base=BASE, now=NOW) == ladder[start]
    assert commission.choose([], base=BASE, now=NOW) is None


@pytest.mark.parametrize(
    "other",
    [
        rule(6, Scope.SELLER, seller_id=UUID(int=9)),
        rule(6, Scope.TIER, tier="premium"),
        rule(6, Scope.CATEGORY, category_id=UUID(int=9)),
        rule(6, kind="digital"),
        rule(6, currency="USD"),
        rule(6, Scope.SELLER, seller_id=SELLER, valid_from=NOW + timedelta(microseconds=1)),
    ],
)
def test_rules_for_others_do_not_apply(other: CommissionRule) -> None:
    assert commission.choose([other, PLATFORM], base=BASE, now=NOW) == PLATFORM
    assert commission.choose([other], base=BASE, now=NOW) is None


def test_between_equals_the_narrower_and_then_the_newer_wins() -> None:
    by_kind = rule(6, kind="goods")
    by_currency = rule(7, currency="EUR")
    newer = rule(8, valid_from=NOW)
    choose = commission.choose
    assert choose([by_kind, by_currency, newer, PLATFORM], base=BASE, now=NOW) == by_kind
    assert choose([newer, by_currency, PLATFORM], base=BASE, now=NOW) == by_currency
    assert choose([PLATFORM, newer], base=BASE, now=NOW) == newer
    assert choose([BY_ROOT, by_kind], base=BASE, now=NOW) == BY_ROOT
    root_by_kind = replace(BY_ROOT, kind="goods")
    assert choose([root_by_kind, BY_LEAF], base=BASE, now=NOW) == BY_LEAF


def quoted(amount: str, **fields: object) -> tuple[str, str]:
    made = commission.quote(rule(1, **fields), replace(BASE, amount=eur(amount)))
    return str(made.amount.decimal()), str(made.tax.decimal())


def test_ten_percent_of_the_goods_and_tax_on_it() -> None:
    made = commission.quote(rule(1, tax_bp=2_000), BASE)
    assert (made.amount, made.tax) == (eur("8.00"), eur("1.60"))
    assert (made.line_id, made.rule_id, made.rate_bp) == (LINE, UUID(int=101), 1_000)


@pytest.mark.parametrize(
    ("amount", "fields", "expected"),
    [
        ("80.00", {}, ("8.00", "0.00")),
        ("80.00", {"fixed": 30}, ("8.30", "0.00")),
        ("80.00", {"minimum": 900}, ("9.00", "0.00")),
        ("80.00", {"minimum": 700}, ("8.00", "0.00")),
        ("80.00", {"maximum": 500}, ("5.00", "0.00")),
        ("80.00", {"maximum": 900}, ("8.00", "0.00")),
        ("80.00", {"rate_bp": 0}, ("0.00", "0.00")),
        ("80.00", {"rate_bp": 10_000}, ("80.00", "0.00")),
        ("0.25", {}, ("0.02", "0.00")),
        ("0.35", {}, ("0.04", "0.00")),
        ("1.20", {"minimum": 500}, ("1.20", "0.00")),
        ("1.20", {"minimum": 500, "tax_bp": 2_000}, ("1.00", "0.20")),
        ("1.20", {"minimum": 100, "tax_bp": 2_000}, ("1.00", "0.20")),
        ("0.00", {"fixed": 30}, ("0.00", "0.00")),
    ],
)
def test_what_a_rule_takes(
    amount: str, fields: dict[str, object], expected: tuple[str, str]
) -> None:
    assert quoted(amount, **fields) == expected


@given(
    amount=st.integers(0, 10**9),
    rate=st.integers(0, 10_000),
    fixed=st.integers(0, 10**6),
    tax=st.integers(0, 10_000),
)
def test_commission_never_exceeds_the_amount(amount: int, rate: int, fixed: int, tax: int) -> None:
    made = commission.quote(
        rule(1, rate_bp=rate, fixed=fixed, tax_bp=tax, currency="EUR"),
        replace(BASE, amount=Money(amount, "EUR")),
    )
    assert made.amount.amount >= 0
    assert made.tax.amount >= 0
    assert made.amount.amount + made.tax.amount <= amount


@pytest.mark.parametrize(
    ("wrong", "path", "code"),
    [
        (rule(1, Scope.SELLER), "seller", "mismatch"),
        (rule(1, Scope.TIER), "tier", "mismatch"),
        (rule(1, Scope.CATEGORY), "category", "mismatch"),
        (rule(1, seller_id=SELLER), "seller", "mismatch"),
        (rule(1, rate_bp=10_001), "rate_bp", "out_of_range"),
        (rule(1, rate_bp=-1), "rate_bp", "out_of_range"),
        (rule(1, tax_bp=10_001), "tax_bp", "out_of_range"),
        (rule(1, fixed=-1, currency="EUR"), "fixed", "too_small"),
        (rule(1, minimum=-1, currency="EUR"), "fixed", "too_small"),
        (rule(1, maximum=-1, currency="EUR"), "fixed", "too_small"),
        (rule(1, minimum=2, maximum=1, currency="EUR"), "minimum", "too_big"),
        (rule(1, fixed=1), "currency", "missing"),
        (rule(1, minimum=0), "currency", "missing"),
        (rule(1, maximum=0), "currency", "missing"),
    ],
)
def test_contradictory_rules_are_refused(wrong: CommissionRule, path: str, code: str) -> None:
    with pytest.raises(InvalidInput, match="The commission rule is wrong") as refused:
        commission.check_rule(wrong)
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [(path, code)]
    assert (
        refused.value.problems[0].message
        == {
            "mismatch": f"Give it for a {path} rule and no other.",
            "out_of_range": "Give 0 to 10000 basis points.",
            "too_small": "Amounts cannot be below zero.",
            "too_big": "It cannot exceed the maximum.",
            "missing": "Say in which currency they are.",
        }[code]
    )


@pytest.mark.parametrize(
    "right",
    [
        PLATFORM,
        BY_LEAF,
        BY_TIER,
        BY_SELLER,
        rule(1, rate_bp=0, tax_bp=10_000),
        rule(1, rate_bp=10_000, minimum=1, maximum=1, fixed=3, currency="EUR"),
    ],
)
def test_sound_rules_are_taken(right: CommissionRule) -> None:
    commission.check_rule(right)


def test_stored_names_never_change() -> None:
    assert [str(scope) for scope in Scope] == ["platform", "category", "tier", "seller"]
