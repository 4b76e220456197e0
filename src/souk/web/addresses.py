"""The fields of an address in forms: by country, in the visitor's language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from babel import Locale as BabelLocale

from souk.contexts.fulfilment import api as fulfilment

FIELDS = ("name", "company", "line1", "line2", "postal_code", "city", "region", "phone")


@cache
def country_choices(language: str) -> list[tuple[str, str]]:
    """Code and name of every country that goods can go to, in the order of a dictionary."""
    names = BabelLocale.parse(language).territories
    found = [(code, str(names[code])) for code in fulfilment.countries() if code in names]
    return sorted(found, key=lambda choice: _as_looked_up(choice[1]))


def _as_looked_up(name: str) -> str:
    """Without accents and case: Österreich stands among the O, not after the Z."""
    parts = unicodedata.normalize("NFKD", name)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def country_name(code: str, language: str) -> str:
    return str(BabelLocale.parse(language).territories.get(code, code))


def read_address(form: Mapping[str, str]) -> fulfilment.Address:
    """What was filled in; the fields that the country does not have are left out."""
    country = form.get("country", "")[:2].upper()
    shape = fulfilment.address_form(country)
    values = {name: form.get(name, "") for name in FIELDS if name in shape.fields}
    return fulfilment.Address(
        name=values.pop("name", ""), line1=values.pop("line1", ""), country=country, **values
    )


def address_context(form: Mapping[str, str], *, language: str) -> dict[str, Any]:
    """What the macro `address_fields` needs."""
    country = form.get("country", "")[:2].upper()
    return {
        "shape": fulfilment.address_form(country),
        "countries": country_choices(language),
    }


def without_prefix(errors: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Messages by field name, where the refusal named `shipping_address.city`."""
    return {name.removeprefix(f"{prefix}."): text for name, text in errors.items()}
