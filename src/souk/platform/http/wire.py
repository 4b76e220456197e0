"""Shapes that every API answer shares."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import Parameter

from souk.kernel.errors import FieldProblem, InvalidInput
from souk.kernel.money import Money
from souk.kernel.page import Page

T = TypeVar("T")
# Litestar reads the bounds of a query parameter from Parameter alone.
Limit = Annotated[int, Parameter(ge=1, le=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
CurrencyCode = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
MAX_AMOUNT = 100_000_000_00
Amount = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT)]


class MoneyWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` minor units of `currency` (ISO 4217): 1250 EUR is 12.50 €."""

    amount: Amount
    currency: CurrencyCode

    @classmethod
    def of(cls, money: Money) -> MoneyWire:
        return cls(money.amount, money.currency)

    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None

    @classmethod
    def of(cls, page: Page[T]) -> Listed[T]:
        return cls(page.items, page.next_cursor)


def clean_text(value: str, *, path: str) -> str:
    """Text from outside without control characters. Raises InvalidInput for a NUL byte."""
    if "\x00" in value:
        problem = FieldProblem(path, "bad_character", "Remove the invisible NUL character.")
        raise InvalidInput("The text has a character that cannot be stored.", problems=[problem])
    return value.strip()
