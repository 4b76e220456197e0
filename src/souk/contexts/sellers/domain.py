"""A seller account: its application, its states, its storefront. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput


class SellerState(StrEnum):
    """Where a shop stands, from its application on."""

    APPLIED = "applied"
    NEEDS_INFO = "needs_info"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class SellerKind(StrEnum):
    """Whether a shop sells privately or as a business."""

    PRIVATE = "private"
    BUSINESS = "business"


class Tier(StrEnum):
    """What a shop has earned: `premium` is trusted, and may have a commission of its own."""

    STANDARD = "standard"
    PREMIUM = "premium"


S = SellerState
TRANSITIONS: Mapping[SellerState, frozenset[SellerState]] = {
    S.APPLIED: frozenset({S.APPROVED, S.REJECTED, S.NEEDS_INFO}),
    S.NEEDS_INFO: frozenset({S.APPLIED, S.APPROVED, S.REJECTED}),
    S.APPROVED: frozenset({S.SUSPENDED}),
    S.SUSPENDED: frozenset({S.APPROVED}),
    S.REJECTED: frozenset({S.APPLIED}),
}
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,46}[a-z0-9])")
RESERVED = frozenset(
    {
        "admin",
        "api",
        "apply",
        "help",
        "legal",
        "me",
        "new",
        "sell",
        "seller",
        "sellers",
        "souk",
        "support",
    }
)
MAX_BIO = 4_000
MAX_POLICY = 8_000
MAX_ANNOUNCEMENT = 280
MAX_LINKS = 5
MAX_LINK = 200
_LINK = re.compile(r"https://[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}(?:[/?#][^\s<>\"']*)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{4,28}")


class Seller(msgspec.Struct, kw_only=True):
    """One shop and the person who owns it."""

    id: UUID
    user_id: UUID
    slug: str
    name: str
    kind: SellerKind
    country: str
    state: SellerState
    applied_at: datetime
    bio: str = ""
    tier: Tier = Tier.STANDARD
    shipping_policy: str = ""
    returns_policy: str = ""
    banner_key: str | None = None
    logo_key: str | None = None
    holiday_from: datetime | None = None
    holiday_until: datetime | None = None
    holiday_message: str = ""
    approved_at: datetime | None = None
    announcement: str = ""
    links: list[str] = msgspec.field(default_factory=list[str])
    contact_email: str = ""
    contact_phone: str = ""
    version: int = 1

    def move(self, to: SellerState, *, now: datetime) -> None:
        """Take a step of the table. Raises IllegalTransition."""
        if to not in TRANSITIONS[self.state]:
            raise IllegalTransition(subject="seller account", current=self.state, wanted=to)
        self.state = to
        if to is S.APPROVED and self.approved_at is None:
            self.approved_at = now

    def on_holiday(self, now: datetime) -> bool:
        """Is the shop closed for a holiday at this moment?"""
        if self.holiday_from is None or now < self.holiday_from:
            return False
        return self.holiday_until is None or now < self.holiday_until


_PRIOR, _PRIOR_WEIGHT = 400, 5
_REVIEWS_PERCENT = 70
MIN_DUE = 3


class Record(msgspec.Struct, frozen=True):
    """How a shop carried its orders out lately: those that were to be sent, those of them that were
    sent in time, and those that the shop itself cancelled."""

    due: int = 0
    on_time: int = 0
    cancelled: int = 0

    @property
    def counted(self) -> int:
        return self.due + self.cancelled


def standing(*, stars: int, reviews: int, record: Record) -> int | None:
    """A shop's standing in hundredths of a star, 100 to 500; None while too little is known.

    Reviews weigh seven tenths, their mean drawn towards 4 as five reviews of 4 stars would, so that
    one opinion makes no standing. The rest is the share of orders that were sent in time and not
    cancelled by the shop; it counts from three orders on, and reviews alone count whole until then.
    """
    opinion = (stars * 100 + _PRIOR * _PRIOR_WEIGHT) / (reviews + _PRIOR_WEIGHT)
    service = 100 + 400 * record.on_time / record.counted if record.counted else 0.0
    if record.counted < MIN_DUE:
        return round(opinion) if reviews else None
    return round((opinion * _REVIEWS_PERCENT + service * (100 - _REVIEWS_PERCENT)) / 100)


def slug_of(name: str) -> str:
    """An address made from a shop's name: ASCII letters, digits and hyphens, at most 48."""
    plain = unicodedata.normalize("NFKD", name[:500]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")


def check_application(*, name: str, slug: str, country: str, bio: str) -> None:
    """Raises InvalidInput naming every wrong field."""
    problems: list[FieldProblem] = []
    if not 2 <= len(name.strip()) <= 80:
        problems.append(FieldProblem("name", "length", "Give a shop name of 2 to 80 characters."))
    if not _SLUG.fullmatch(slug) or slug in RESERVED:
        text = "Use 3 to 48 lower-case letters, digits and hyphens, such as green-thumb."
        problems.append(FieldProblem("slug", "format", text))
    if not re.fullmatch(r"[A-Z]{2}", country):
        problems.append(FieldProblem("country", "format", "Choose a country from the list."))
    if len(bio) > MAX_BIO:
        text = f"Shorten the description to {MAX_BIO} characters."
        problems.append(FieldProblem("bio", "length", text))
    if problems:
        raise InvalidInput(
            "The application has mistakes. Correct them and send it again.", problems=problems
        )


def check_storefront(*, name: str, bio: str, shipping_policy: str, returns_policy: str) -> None:
    """Raises InvalidInput naming every wrong field."""
    problems: list[FieldProblem] = []
    if not 2 <= len(name.strip()) <= 80:
        problems.append(FieldProblem("name", "length", "Give a shop name of 2 to 80 characters."))
    for field, text, most in (
        ("bio", bio, MAX_BIO),
        ("shipping_policy", shipping_policy, MAX_POLICY),
        ("returns_policy", returns_policy, MAX_POLICY),
    ):
        if len(text) > most:
            problems.append(FieldProblem(field, "length", f"Shorten it to {most} characters."))
    if problems:
        raise InvalidInput(
            "The storefront has mistakes. Correct them and save again.", problems=problems
        )


def check_reach(
    *, announcement: str, links: list[str], contact_email: str, contact_phone: str
) -> None:
    """Raises InvalidInput naming every wrong field of how a shop is announced and reached."""
    problems: list[FieldProblem] = []
    if len(announcement) > MAX_ANNOUNCEMENT:
        text = f"Shorten it to {MAX_ANNOUNCEMENT} characters."
        problems.append(FieldProblem("announcement", "length", text))
    if len(links) > MAX_LINKS:
        problems.append(FieldProblem("links", "length", f"Give at most {MAX_LINKS} links."))
    for number, link in enumerate(links):
        if len(link) > MAX_LINK or not _LINK.fullmatch(link):
            text = "Write the whole address, such as https://www.instagram.com/your-shop."
            problems.append(FieldProblem(f"links[{number}]", "format", text))
    if contact_email and (len(contact_email) > 254 or not _EMAIL.fullmatch(contact_email)):
        text = "Write the address as name@example.org."
        problems.append(FieldProblem("contact_email", "format", text))
    if contact_phone and not _PHONE.fullmatch(contact_phone):
        text = "Write the number with its country, such as +49 30 123456."
        problems.append(FieldProblem("contact_phone", "format", text))
    if problems:
        raise InvalidInput(
            "The storefront has mistakes. Correct them and save again.", problems=problems
        )


def check_holiday(*, start: datetime | None, end: datetime | None) -> None:
    """Raises InvalidInput for an end without a start or before it."""
    if end is not None and (start is None or end <= start):
        problem = FieldProblem("until", "order", "The holiday must end after it begins.")
        raise InvalidInput("These dates do not fit together.", problems=[problem])
