"""Language of a request, translations, and how money, dates and numbers are written in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel import Locale as BabelLocale
from babel.core import negotiate_locale
from babel.dates import format_date, format_skeleton, format_time

from souk.platform import amounts
from souk.platform.catalogue import Words, load

FOLDER = Path(__file__).parent / "locales"
LANGUAGE_COOKIE = "souk_language"
DEFAULT = "en"
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "ar": "العربية"}


@dataclass(frozen=True, slots=True)
class Locale:
    """`language` is a BCP 47 code, `direction` is `ltr` or `rtl`."""

    language: str
    direction: str


@cache
def available() -> tuple[str, ...]:
    """English, and every language with a catalogue."""
    have = {path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/souk.po")}
    return (DEFAULT, *(code for code in LANGUAGES if code in have))


@cache
def locale_of(language: str) -> Locale:
    return Locale(language, BabelLocale.parse(language).text_direction)


@cache
def words(language: str) -> Words:
    """The catalogue of a language, read when it is first spoken."""
    return load(FOLDER, "souk", language)


def translations(language: str) -> NullTranslations:
    """The plain messages of a language."""
    return words(language).texts


@lru_cache(maxsize=2048)
def said(text: str, language: str) -> str:
    """A sentence of the program in this language, the values in it included; others as they are."""
    return text if language == DEFAULT else words(language).said(text)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a text that is translated later, when the language is known."""
    return text


@lru_cache(maxsize=512)
def negotiate(cookie: str, accepted: str) -> str:
    """The language that the visitor chose, else the best that the browser accepts."""
    if cookie in available():
        return cookie
    wanted = [part.split(";")[0].strip().replace("-", "_") for part in accepted.split(",")[:8]]
    return negotiate_locale([code for code in wanted if code], available(), sep="_") or DEFAULT


def money_text(value: Any, language: str, currency: str | None = None) -> str:
    """Template filter: anything with `amount` and `currency`, or minor units and a currency."""
    return amounts.money(*_amount_of(value, currency), language)


def less_text(value: Any, language: str, currency: str | None = None) -> str:
    """Template filter: as `money_text`, for what is taken off."""
    amount, currency = _amount_of(value, currency)
    return amounts.money(-amount, currency, language)


def money_change_text(value: Any, language: str, currency: str | None = None) -> str:
    """Template filter: as `money_text`, with a plus or a minus."""
    return amounts.money_change(*_amount_of(value, currency), language)


def _amount_of(value: Any, currency: str | None) -> tuple[int, str]:
    if currency is not None:
        return int(value), currency
    if isinstance(value, Mapping):
        return value["amount"], value["currency"]
    return value.amount, value.currency


def date_text(value: date | datetime, language: str) -> str:
    return format_date(value, format="medium", locale=language)


def day_text(value: date | datetime, language: str) -> str:
    """Day and month, such as `24 Nov`: for what is near."""
    return format_skeleton("MMMd", value, locale=language)


def datetime_text(value: datetime, language: str) -> str:
    """Day and time, with the zone that the whole marketplace keeps: UTC."""
    known = BabelLocale.parse(language)
    pattern = str(known.datetime_formats["medium"])
    day, time = format_date(value, "medium", known), format_time(value, "short", locale=known)
    return pattern.replace("{1}", day).replace("{0}", f"{time} UTC").replace("'", "")


# Words that refusals put into their sentences: what it is about, its state, a field of an address.
VALUES = (
    N_("account"), N_("address"), N_("checkout"), N_("listing"), N_("order"), N_("refund"),
    N_("seller account"), N_("shipment"), N_("shipping method"),
    N_("active"), N_("archived"), N_("cancelled"), N_("completed"), N_("confirmed"),
    N_("delivered"), N_("draft"), N_("expired"), N_("in review"), N_("paused"), N_("pending"),
    N_("processing"), N_("refunded"), N_("rejected"), N_("return requested"), N_("returned"),
    N_("shipped"), N_("suspended"),
    N_("company"), N_("country"), N_("line2"), N_("street and number"), N_("town or city"),
    N_("name"), N_("phone"), N_("postal code"), N_("region"),
)  # fmt: skip
