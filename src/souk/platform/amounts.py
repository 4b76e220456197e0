"""How amounts and numbers are written for people in each language.

What is below zero bears the minus sign (U+2212), never a hyphen, and always where the language
puts it: pages and letters ask here instead of setting a sign before a figure themselves. Programs
that read (CSV, JSON) get plain digits and a hyphen and do not come here.
"""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit

from souk.kernel.money import exponent

MINUS = "\u2212"
_SIZES = ("byte", "kilobyte", "megabyte", "gigabyte")


@lru_cache(maxsize=8192)
def money(amount: int, currency: str, language: str) -> str:
    """Minor units as a price, such as `12,50 €`."""
    value = amount / 10 ** exponent(currency)
    return _with_minus(format_currency(value, currency, locale=language))


@lru_cache(maxsize=2048)
def short_money(amount: int, currency: str, language: str) -> str:
    """As `money`, without the decimals of a whole amount: `3.000 €`. For the axes of charts."""
    value, rest = divmod(amount, 10 ** exponent(currency))
    if rest:
        return money(amount, currency, language)
    pattern = Locale.parse(language).currency_formats["standard"].pattern.replace(".00", "")
    return _with_minus(
        format_currency(value, currency, pattern, locale=language, currency_digits=False)
    )


@lru_cache(maxsize=4096)
def number(value: float, language: str) -> str:
    """A number with the separators of the language: `1.234,5`."""
    return _with_minus(format_decimal(value, locale=language))


@lru_cache(maxsize=4096)
def measure(value: float, unit: str, language: str) -> str:
    """A measured number with its unit, to the last decimal: `1.234,5 cm`. Without a unit it may be
    a year or a model's number and is not grouped."""
    text = format_decimal(
        value, locale=language, decimal_quantization=False, group_separator=bool(unit)
    )
    return _with_minus(f"{text}\u00a0{unit}" if unit else text)


def money_change(amount: int, currency: str, language: str) -> str:
    """As `money`, with a plus before what is gained."""
    if amount <= 0:
        return money(amount, currency, language)
    return money(-amount, currency, language).replace(MINUS, "+")


def number_change(value: float, language: str) -> str:
    """As `number`, with a plus before what is gained."""
    return number(value, language) if value <= 0 else f"+{number(value, language)}"


def size(count: int, language: str) -> str:
    """Bytes in the unit that suits them (thousands, not 1,024), with two digits at least where
    there are some: `512 byte`, `2.3 kB`, `14 kB`, `1.2 GB`."""
    power = max(power for power in range(len(_SIZES)) if power == 0 or count >= 1000**power)
    value = count / 1000**power
    shown = round(value, 1) if power and value < 10 else round(value)
    return format_unit(shown, f"digital-{_SIZES[power]}", length="short", locale=language)


def _with_minus(text: str) -> str:
    return text.replace("-", MINUS)
