from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.kernel.money import CurrencyMismatch, Money, allocate, divide_half_even, exponent

amounts = st.integers(-(10**12), 10**12)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=20)


@given(amounts, weights)
def test_parts_always_add_up(amount, shares):
    parts = allocate(amount, shares)
    assert sum(parts) == amount
    assert len(parts) == len(shares)


@given(amounts, weights)
def test_no_part_is_off_by_a_whole_unit(amount, shares):
    total = sum(shares)
    if not total:
        shares, total = [1] * len(shares), len(shares)
    for part, share in zip(allocate(amount, shares), shares, strict=True):
        assert abs(part * total - amount * share) < total


def test_ties_go_to_the_earlier_part():
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(-100, [1, 1, 1]) == [-34, -33, -33]
    assert allocate(1, [0, 0]) == [1, 0]


@pytest.mark.parametrize(("shares"), [[], [1, -1]])
def test_bad_weights_are_refused(shares):
    with pytest.raises(ValueError, match="allocation"):
        allocate(1, shares)


@given(amounts, st.integers(1, 10**6))
def test_half_even_agrees_with_decimal(numerator, denominator):
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))
    quotient = divide_half_even(numerator, denominator)
    assert abs(numerator - quotient * denominator) * 2 <= denominator


def test_half_goes_to_even():
    assert [divide_half_even(n, 2) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]


def test_shares_and_included_tax():
    assert Money(8000, "EUR").share(1000) == Money(800, "EUR")
    assert Money(11900, "EUR").included(1900) == Money(1900, "EUR")


def test_currencies_never_mix():
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "EUR") < Money(1, "USD")
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, "eur")


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [("12.50", "EUR", 1250), ("0.01", "EUR", 1), ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)
def test_plain_decimals_are_read(text, currency, amount):
    money = Money.parse(text, currency)
    assert money == Money(amount, currency)
    assert money.decimal() == Decimal(text)
    assert str(money) == f"{Decimal(text):.{exponent(currency)}f} {currency}"


@pytest.mark.parametrize("text", ["", "abc", "1.234", "NaN", "1e999", "--1"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError):
        Money.parse(text, "EUR")


def test_comparison_and_arithmetic():
    a, b = Money(300, "EUR"), Money(200, "EUR")
    assert a - b == Money(100, "EUR")
    assert b * 3 == Money(600, "EUR")
    assert -a == Money(-300, "EUR")
    assert a > b
    assert a >= b
    assert b <= a
    assert not Money.zero("EUR")
    assert Money.total([a, b], currency="EUR") == Money(500, "EUR")
    assert a.allocate([1, 2]) == [Money(100, "EUR"), Money(200, "EUR")]
