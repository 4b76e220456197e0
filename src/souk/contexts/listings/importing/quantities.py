"""Stock, weight and yes/no notations of product files."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

MAX_STOCK = 10_000_000
MAX_WEIGHT_G = 30_000_000
"""Thirty tonnes: heavier goods do not go by parcel, so it is a wrong unit."""

_GRAMS = {
    "": None, "g": "1", "gr": "1", "gram": "1", "grams": "1", "kg": "1000", "kgs": "1000",
    "kilo": "1000", "kilogram": "1000", "kilograms": "1000",
    "lb": "453.59237", "lbs": "453.59237", "pound": "453.59237", "pounds": "453.59237",
    "oz": "28.349523125", "ounce": "28.349523125", "ounces": "28.349523125", "mg": "0.001",
}  # fmt: skip
"""Avoirdupois pound and ounce by the international agreement of 1959."""

_WEIGHT = re.compile(r"^([0-9][0-9 ]*+(?:[.,][0-9]+)?|[.,][0-9]+)\s*([A-Za-z]*)\.?$")
_STOCK = re.compile(r"^[+]?([0-9]{1,12})(?:[.,]0+)?\s*(?:pcs?|st|stk|units?|x)?\.?$", re.IGNORECASE)
_THOUSANDS = re.compile(r"^[0-9]{1,3}(?:[., '][0-9]{3})+$")
_IN_STOCK = {"in stock", "instock", "yes", "true", "available", "onbackorder"}
_OUT = {"out of stock", "outofstock", "sold out", "no", "false", "none", "-", "unavailable"}
_UNLIMITED = {"unlimited", "infinite", "∞"}
_YES = {"1", "true", "yes", "y", "ja", "oui", "si", "sí", "x", "on", "active", "published"}
_NO = {"0", "-1", "false", "no", "n", "nein", "non", "off", "draft", "archived", "unlisted"}


class QuantityError(ValueError):
    """The text is not a usable number; the message is a sentence for the seller."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_stock(text: str) -> int | None:
    """Whole units in stock; None when the text says that stock is not counted.

    A negative count means oversold and is read as 0. Raises QuantityError.
    """
    folded = " ".join(text.split()).casefold()
    if not folded or folded in _IN_STOCK or folded in _UNLIMITED:
        return None
    if folded in _OUT:
        return 0
    if folded[0] in "-−" and _STOCK.match(folded[1:]):
        return 0
    match = _STOCK.match(folded)
    if _THOUSANDS.match(folded):
        count = int("".join(char for char in folded if char in "0123456789"))
    elif match:
        count = int(match.group(1))
    else:
        raise QuantityError(
            "stock_unreadable",
            f"“{text.strip()[:40]}” is not a number of items. Write a whole number such as 5.",
        )
    if count > MAX_STOCK:
        raise QuantityError(
            "stock_absurd", f"A stock of {count} is more than {MAX_STOCK}. Check the number."
        )
    return count


def parse_weight(text: str, *, unit: str = "g") -> int | None:
    """Grams, rounded; `unit` is used when the text names none. Empty text is None."""
    stripped = text.strip()
    if not stripped:
        return None
    match = _WEIGHT.match(stripped)
    factor = _GRAMS.get(match.group(2).casefold() or unit.strip().casefold()) if match else None
    if match is None or factor is None:
        raise QuantityError(
            "weight_unreadable",
            f"“{stripped[:40]}” is not a weight. Write it like 1.5 kg, 200 g, 2 lb or 8 oz.",
        )
    try:
        grams = Decimal(match.group(1).replace(" ", "").replace(",", ".")) * Decimal(factor)
        if grams > MAX_WEIGHT_G:
            raise QuantityError(
                "weight_absurd",
                f"“{stripped[:40]}” is more than 30 tonnes. Check the number and its unit.",
            )
        return int(grams.to_integral_value())
    except InvalidOperation as error:
        raise QuantityError(
            "weight_unreadable", f"“{stripped[:40]}” is not a weight. Write it like 1.5 kg."
        ) from error


def parse_flag(text: str) -> bool | None:
    """Yes, no, or None for anything else (including an empty cell)."""
    folded = text.strip().casefold()
    if folded in _YES:
        return True
    return False if folded in _NO else None
