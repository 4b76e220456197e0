"""Amounts as shops write them: `1.234,56`, `1,234.56`, `1 234,56`, `€12`, `12,-`, `1'234.50`.

The rules, which docs/import-formats.md repeats for sellers:

1. Two different separators: the last one is the decimal mark.
2. The same separator twice or more, an apostrophe, or a space: thousands.
3. One point or comma with anything but exactly three digits after it: the decimal mark.
4. One point or comma with exactly three digits after it: thousands when one to three digits stand
   before it, the decimal mark otherwise (also after a lone 0, and in currencies with three
   decimals). `1.234` and `1,234` read differently in different countries: the row gets a warning.
"""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from souk.kernel.money import Money, exponent, round_half_even

MAX_MINOR_UNITS = 100_000_000_00
"""Nothing on a marketplace costs more than a hundred million: it is a slipped decimal mark."""

_SIGNS = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₺": "TRY", "₦": "NGN",
    "₪": "ILS", "zł": "PLN", "kč": "CZK", "ft": "HUF", "lei": "RON",
}  # fmt: skip
_SHARED_SIGNS = {
    "us$": {"USD"}, "ca$": {"CAD"}, "au$": {"AUD"},
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "CLP", "TWD"},
    "kr.": {"SEK", "NOK", "DKK", "ISK"}, "kr": {"SEK", "NOK", "DKK", "ISK"},
    "fr.": {"CHF"}, "fr": {"CHF"},
}  # fmt: skip
_FREE = {"free", "gratis", "kostenlos", "gratuit", "gratuito", "for free"}
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f_]+")
_CODE = re.compile(r"^([A-Za-z]{3})(?![A-Za-z])|(?<![A-Za-z])([A-Za-z]{3})$")
_NUMBER = re.compile(r"[0-9][0-9.,'’ ]*|[.,][0-9]+")
_WHOLE = re.compile(r"[.,](?:-{1,2}|–|—|=)$")


class PriceError(ValueError):
    """The text is not a price that can be used. `code` is stable; the message is a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ParsedPrice(msgspec.Struct, frozen=True):
    """An amount, and a warning when the notation could have meant another one."""

    money: Money
    warning: str = ""


def parse_price(text: str, *, currency: str) -> ParsedPrice:
    """Read one price in `currency`. Raises PriceError with a sentence for the seller."""
    shown = text.strip()[:40]
    if shown.casefold() in _FREE:
        return ParsedPrice(Money(0, currency))
    body, negative = _sign(_SPACES.sub(" ", text.strip()))
    body = _WHOLE.sub("", _strip_currency(body, currency=currency, shown=shown)).strip()
    body, inner_minus = _sign(body)
    digits, doubtful = "", False
    if len(body) <= 40 and _NUMBER.fullmatch(body):
        digits, doubtful = _plain(body, currency=currency)
    if not digits:
        raise PriceError(
            "price_unreadable", f"“{shown}” is not a price. Write it like 12.50, without words."
        )
    if negative or inner_minus:
        raise PriceError(
            "price_negative", f"The price “{shown}” is below zero. Write a price of 0 or more."
        )
    return _amount(Decimal(digits), doubtful=doubtful, shown=shown, currency=currency)


def price_of_number(value: Decimal, *, currency: str) -> ParsedPrice:
    """A JSON number as a price: nothing about it is ambiguous. Raises PriceError."""
    shown = str(value)[:40]
    if not value.is_finite() or value.adjusted() > 15 or value.adjusted() < -15:
        raise PriceError("price_unreadable", f"“{shown}” is not a price. Write it like 12.50.")
    if value < 0:
        raise PriceError(
            "price_negative", f"The price “{shown}” is below zero. Write a price of 0 or more."
        )
    return _amount(value, doubtful=False, shown=shown, currency=currency)


def _amount(value: Decimal, *, doubtful: bool, shown: str, currency: str) -> ParsedPrice:
    minor = value.scaleb(exponent(currency))
    if minor > MAX_MINOR_UNITS:
        raise PriceError(
            "price_absurd",
            f"The price “{shown}” is more than 100 million. Check the decimal mark.",
        )
    rounded = round_half_even(minor)
    money = Money(rounded, currency)
    if rounded != minor:
        return ParsedPrice(
            money, f"“{shown}” has more decimals than {currency} has; it was read as {money}."
        )
    if doubtful:
        return ParsedPrice(
            money,
            f"“{shown}” can be read in two ways; it was read as {money}. "
            "Write it with two decimals if that is wrong.",
        )
    return ParsedPrice(money)


def _sign(body: str) -> tuple[str, bool]:
    """The text without a leading or bracketed minus, and whether there was one."""
    if body.startswith("(") and body.endswith(")") and len(body) > 2:
        return body[1:-1].strip(), True
    if body[:1] in {"-", "−", "–"}:
        return body[1:].strip(), True
    return body.removeprefix("+").strip(), False


def _strip_currency(body: str, *, currency: str, shown: str) -> str:
    """The number without its currency; PriceError when the file names another currency."""
    found = _CODE.search(body)
    named = (found.group(1) or found.group(2)).upper() if found else ""
    if found and (named == currency or named in _KNOWN_CODES):
        body = (body[: found.start()] + body[found.end() :]).strip()
    else:
        named = ""
    folded = body.casefold()
    for sign, codes in (*((sign, {code}) for sign, code in _SIGNS.items()), *_SHARED_SIGNS.items()):
        if folded.startswith(sign) or folded.endswith(sign):
            named = named or (currency if currency in codes else max(codes))
            body = _cut(body, folded, sign)
            break
    if named and named != currency:
        raise PriceError(
            "price_currency",
            f"“{shown}” is in {named}, but this shop sells in {currency}. "
            f"Convert the prices to {currency} first.",
        )
    return body


def _cut(body: str, folded: str, sign: str) -> str:
    if len(body) != len(folded):  # casefolding changed lengths: not a number anyway
        return body
    return (body[len(sign) :] if folded.startswith(sign) else body[: -len(sign)]).strip()


def _plain(body: str, *, currency: str) -> tuple[str, bool]:
    """`body` with a point for the decimal mark and nothing else, and whether that was a guess.

    An empty string means that the separators do not make a number (a date, say).
    """
    compact = body.replace("’", "'").strip()
    marks = [char for char in compact if char in ".,' "]
    if not marks:
        return compact, False
    last = marks[-1]
    head, _, tail = compact.rpartition(last)
    others = set(marks[:-1])
    if last in "' " or others == {last}:
        return (_digits(compact) if len(tail) == 3 else ""), False
    if others:
        return (f"{_digits(head) or '0'}.{tail or '0'}" if last not in others else ""), False
    if len(tail) != 3 or not head or head.startswith("0"):
        return f"{head or '0'}.{tail or '0'}", False
    if exponent(currency) == 3:
        return f"{head}.{tail}", False
    return (f"{head}{tail}" if len(head) <= 3 else f"{head}.{tail}"), True


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


_KNOWN_CODES = frozenset({
    "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EGP", "EUR",
    "GBP", "GHS", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KES", "KRW", "KWD", "MAD",
    "MXN", "MYR", "NGN", "NOK", "NZD", "PHP", "PKR", "PLN", "RON", "RSD", "RUB", "SAR", "SEK",
    "SGD", "THB", "TND", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
})  # fmt: skip
