"""What delivery costs: a seller's methods, their rates per zone, and the price of a parcel."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.errors import TooManyMethods
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.kernel.money import Money, exponent

MAX_METHODS = 20
MethodKind = Literal["delivery", "pickup"]
DEFAULT_METHOD = UUID("5a0e0000-0000-7000-8000-000000000001")
"""The standard delivery of sellers who have not set a method of their own."""
_DEFAULT_MINOR = 490
_DEFAULT_DAYS = (2, 5)


class Bracket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parcel of up to `up_to_g` grams costs `amount` minor units."""

    up_to_g: int
    amount: int


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The price in one zone: flat, or by weight when there are brackets.

    `countries` are ISO 3166 codes; none means every country that no other rate of the method
    names. Days are working days from shipping. `free_over` compares with the goods of this seller.
    """

    countries: list[str] = msgspec.field(default_factory=list[str])
    amount: int = 0
    brackets: list[Bracket] = msgspec.field(default_factory=list[Bracket])
    free_over: int | None = None
    min_days: int = 2
    max_days: int = 5


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way of delivery that a seller offers."""

    id: UUID
    name: str
    kind: MethodKind
    currency: str
    pickup_note: str = ""
    position: int = 0
    active: bool = True
    rates: list[Rate]


class GroupToShip(msgspec.Struct, frozen=True):
    """One seller's part of a cart: `subtotal` of its goods, `weight_g` grams in all."""

    seller_id: UUID
    subtotal: Money
    weight_g: int
    needs_shipping: bool


class DeliveryOption(msgspec.Struct, frozen=True):
    """A way of delivery with its price for this parcel; days are working days from shipping."""

    method_id: UUID
    label: str
    amount: Money
    min_days: int
    max_days: int
    kind: MethodKind


def price(rate: Rate, *, currency: str, subtotal: Money, weight_g: int) -> Money | None:
    """What the parcel costs; None when it is heavier than the last bracket."""
    amount = rate.amount
    if rate.brackets:
        fitting = [bracket for bracket in rate.brackets if weight_g <= bracket.up_to_g]
        if not fitting:
            return None
        amount = min(fitting, key=lambda bracket: bracket.up_to_g).amount
    if rate.free_over is not None and subtotal.amount >= rate.free_over:
        amount = 0
    return Money(amount, currency)


def default_option(currency: str) -> DeliveryOption:
    """What a buyer pays when the seller has set nothing: about five units of most currencies."""
    minor = _DEFAULT_MINOR * 10 ** max(exponent(currency) - 2, 0)
    return DeliveryOption(
        DEFAULT_METHOD, "Standard delivery", Money(minor, currency), *_DEFAULT_DAYS, "delivery"
    )


def options(group: GroupToShip, methods: list[tuple[Method, Rate | None]]) -> list[DeliveryOption]:
    """The options of one seller for one country, cheapest first.

    `methods` are all that the seller offers, each with its rate for the country, None when it does
    not go there. No method at all means the default; an empty answer, that nothing goes there.
    """
    if not group.needs_shipping:
        return []
    currency = group.subtotal.currency
    if not methods:
        return [default_option(currency)]
    found: list[DeliveryOption] = []
    for method, rate in methods:
        if rate is None or method.currency != currency:
            continue
        cost = price(rate, currency=currency, subtotal=group.subtotal, weight_g=group.weight_g)
        if cost is not None:
            found.append(
                DeliveryOption(
                    method.id, method.name, cost, rate.min_days, rate.max_days, method.kind
                )
            )
    return sorted(found, key=lambda option: (option.kind == "pickup", option.amount.amount))


def checked(method: Method) -> Method:
    """The method with its countries in capitals. Raises InvalidInput with every problem."""
    problems: list[FieldProblem] = []
    seen: set[str] = set()
    everywhere = 0
    rates: list[Rate] = []
    for index, rate in enumerate(method.rates):
        path = f"rates[{index}]"
        countries = [country.upper() for country in rate.countries]
        twice = seen.intersection(countries)
        if twice or len(set(countries)) != len(countries):
            text = "Each country belongs to one rate. Remove it from the others."
            problems.append(FieldProblem(f"{path}.countries", "duplicate", text))
        seen.update(countries)
        everywhere += not countries
        problems.extend(_rate_problems(rate, path))
        rates.append(msgspec.structs.replace(rate, countries=countries))
    if everywhere > 1:
        text = "Only one rate can be for all other countries."
        problems.append(FieldProblem("rates", "duplicate", text))
    if not method.rates:
        problems.append(FieldProblem("rates", "required", "Add at least one rate."))
    if method.kind == "pickup" and not method.pickup_note.strip():
        text = "Say where and when the buyer can collect it."
        problems.append(FieldProblem("pickup_note", "required", text))
    if problems:
        message = "The shipping method is not complete. Correct the marked fields."
        raise InvalidInput(message, problems=problems)
    return msgspec.structs.replace(method, rates=rates)


def _rate_problems(rate: Rate, path: str) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    if rate.max_days < rate.min_days:
        text = "The latest day cannot be before the earliest."
        problems.append(FieldProblem(f"{path}.max_days", "invalid", text))
    weights = [bracket.up_to_g for bracket in rate.brackets]
    if weights != sorted(set(weights)):
        text = "List the weights from light to heavy, each once."
        problems.append(FieldProblem(f"{path}.brackets", "invalid", text))
    return problems


def check_room(count: int) -> None:
    """Raises TooManyMethods when a seller already has as many methods as allowed."""
    if count >= MAX_METHODS:
        raise TooManyMethods(most=MAX_METHODS)
