"""Money as an integer number of minor units and an ISO 4217 code.

Amounts never become floats. Rounding is explicit and half-even (the IEEE 754 and accounting
default), and every split is by largest remainder, so that parts always add up to the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

# ISO 4217: currencies whose minor unit is not 1/100. Every other code has two digits.
_NO_MINOR_UNIT = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_NO_MINOR_UNIT, 0),
    **dict.fromkeys(_THOUSANDTHS, 3),
}
_MAX_DIGITS = 12
BASIS = 10_000
"""Rates are integers in basis points: 10 % is 1_000."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one calculation: always a bug in the caller."""


def exponent(currency: str) -> int:
    """Number of decimal digits of the currency's minor unit (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer division rounded half to even. `denominator` is positive."""
    quotient, remainder = divmod(numerator, denominator)
    twice = remainder * 2
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Split `amount` in proportion to `weights`; the parts add up to `amount` exactly.

    Largest remainder method; ties go to the earlier part. All weights zero means equal weights.
    Raises ValueError for no weights or a negative one.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("allocation needs at least one weight and none below zero")
    shares = list(weights) if sum(weights) else [1] * len(weights)
    total = sum(shares)
    sign = -1 if amount < 0 else 1
    parts = [abs(amount) * share // total for share in shares]
    remainders = [abs(amount) * share % total for share in shares]
    left = abs(amount) - sum(parts)
    order = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
    for index in order[:left]:
        parts[index] += 1
    return [sign * part for part in parts]


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` minor units of `currency`; arithmetic refuses to mix currencies."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise ValueError(f"not an ISO 4217 code: {self.currency!r}")

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], *, currency: str) -> Money:
        """Sum of `amounts`, zero of `currency` when there are none."""
        result = cls(0, currency)
        for amount in amounts:
            result += amount
        return result

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a plain decimal such as `12.50`; ValueError if it has more digits than the currency.

        Notations with thousands separators or currency signs are the importer's business.
        """
        try:
            value = Decimal(text.strip())
        except InvalidOperation as error:
            raise ValueError(f"not an amount: {text!r}") from error
        if not value.is_finite():
            raise ValueError(f"not an amount: {text!r}")
        if value.adjusted() > _MAX_DIGITS:
            raise ValueError(f"too large an amount: {text!r}")
        minor = value.scaleb(exponent(currency))
        if minor != minor.to_integral_value():
            raise ValueError(f"{currency} has {exponent(currency)} decimal digits: {text!r}")
        return cls(int(minor), currency)

    def decimal(self) -> Decimal:
        """The amount in major units, for showing only."""
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be combined")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.decimal():.{exponent(self.currency)}f} {self.currency}"

    def share(self, basis_points: int) -> Money:
        """`basis_points` ten-thousandths of this amount, rounded half-even to the minor unit."""
        return Money(divide_half_even(self.amount * basis_points, BASIS), self.currency)

    def included(self, basis_points: int) -> Money:
        """The tax inside a gross amount that already contains `basis_points` of tax."""
        return Money(
            divide_half_even(self.amount * basis_points, BASIS + basis_points), self.currency
        )

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by largest remainder; see `allocate`."""
        return [Money(part, self.currency) for part in allocate(self.amount, weights)]


def round_half_even(value: Decimal) -> int:
    """A decimal number of minor units as an integer, half to even."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
