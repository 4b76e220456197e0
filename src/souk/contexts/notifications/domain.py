"""What a message is made of, and the words and figures of a language. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from uuid import UUID

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from souk.platform import amounts
from souk.platform.catalogue import Words, load

_LOCALES = Path(__file__).parent / "locales"
DEFAULT_LOCALE = "en"
MAX_ATTEMPTS = 10
KEEP_DAYS = 365


class MessageState(StrEnum):
    """`dropped`: what it was to say was no longer true when it was to be sent."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    DROPPED = "dropped"


class Recipient(msgspec.Struct, frozen=True):
    """Whom to write to; `user_id` is None for guests. `locale` is a BCP 47 code."""

    email: str
    name: str = ""
    locale: str = DEFAULT_LOCALE
    user_id: UUID | None = None


class Row(msgspec.Struct, frozen=True):
    """A line of a table in a message: what, and how much."""

    label: str
    value: str
    detail: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words. Plain text throughout; `path` and `action` make its one button."""

    subject: str
    heading: str
    paragraphs: list[str]
    preview: str = ""
    rows: list[Row] = msgspec.field(default_factory=list[Row])
    total: Row | None = None
    action: str = ""
    path: str = ""
    note: str = ""


class Say:
    """The words of one language and the figures as it writes them.

    Only subjects and footers name the marketplace; notices inside it do not need to.
    """

    def __init__(self, locale: str, *, marketplace: str = "") -> None:
        self.locale = _known(locale)
        self.marketplace = marketplace
        self._words = _words(self.locale)

    def __call__(self, message: str, /, **values: str | int) -> str:
        """The sentence in this language, with its values put in."""
        return self._words.texts.gettext(message).format(**values, marketplace=self.marketplace)

    def money(self, amount: int, currency: str) -> str:
        """`amount` minor units as people write them: €12.50."""
        return amounts.money(amount, currency, self.locale.replace("-", "_"))

    def day(self, day: date) -> str:
        """A date as people write it: 21 November 2026."""
        return format_date(day, format="long", locale=self.locale.replace("-", "_"))

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return Locale.parse(self.locale.replace("-", "_")).text_direction


def _known(locale: str) -> str:
    try:
        Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return DEFAULT_LOCALE
    return locale


@cache
def _words(locale: str) -> Words:
    language = locale.replace("-", "_")
    found = load(_LOCALES, "notifications", language)
    return found if found.known else load(_LOCALES, "notifications", language.split("_")[0])
