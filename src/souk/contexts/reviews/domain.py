"""What a review is, what may happen to it, and which ones are looked at first. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.reviews.errors import TooLateToEdit, TooLateToReview, TooManyPhotos
from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput

WRITE_WINDOW = timedelta(days=180)
EDIT_WINDOW = timedelta(days=60)
NEW_ACCOUNT = timedelta(days=1)
MAX_PHOTOS = 5
MAX_TEXT = 5_000
MAX_REPLY = 2_000
MAX_REASON = 1_000


class Kind(StrEnum):
    """What is reviewed."""

    LISTING = "listing"
    SELLER = "seller"


class State(StrEnum):
    """Only `published` reviews are seen and counted. `held` ones wait for an operator."""

    PUBLISHED = "published"
    HELD = "held"
    HIDDEN = "hidden"
    DELETED = "deleted"


class HeldFor(StrEnum):
    """Why a review is looked at before it is shown."""

    NEW_ACCOUNT = "new_account"
    LINK = "link"
    WORD = "word"
    HIDDEN_BEFORE = "hidden_before"


class ReportReason(StrEnum):
    """What somebody finds wrong with a review."""

    SPAM = "spam"
    ABUSE = "abuse"
    OFF_TOPIC = "off_topic"
    UNTRUE = "untrue"
    PRIVATE_DATA = "private_data"
    OTHER = "other"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PUBLISHED: frozenset({State.HELD, State.HIDDEN, State.DELETED}),
    State.HELD: frozenset({State.PUBLISHED, State.HIDDEN, State.DELETED}),
    # An author who changes a hidden review asks for another look at it.
    State.HIDDEN: frozenset({State.PUBLISHED, State.HELD, State.DELETED}),
    State.DELETED: frozenset(),
}
_LINK = re.compile(
    # Each run of letters is tried from its start alone: from everywhere, long ones take seconds.
    r"https?://|www\.|(?<![\w.+-])[\w.+-]++@[\w-]+\.\w{2,}"
    r"|(?<![a-z0-9-])[a-z0-9-]{2,}+\.(?:com|net|org|info|shop|biz|io|ru|cn|xyz|top|de|fr|it|es|nl|uk)\b",
    re.IGNORECASE,
)

_WORD = re.compile(r"\w+")


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A stored picture: `key` is the folder of its sizes; sides in pixels."""

    id: UUID
    key: str
    width: int
    height: int


class Review(msgspec.Struct, kw_only=True):
    """One buyer's words about one listing, or about the seller, of one seller order."""

    id: UUID
    kind: Kind
    subject_id: UUID
    seller_id: UUID
    order_id: UUID
    seller_order_id: UUID
    order_line_id: UUID | None
    author_id: UUID | None
    guest: bytes | None
    author_name: str
    title: str
    detail: str
    slug: str
    stars: int
    text: str
    state: State
    held_for: list[str] = msgspec.field(default_factory=list[str])
    note: str = ""
    was_hidden: bool = False
    announced: bool = False
    returned: bool = False
    helpful: int = 0
    reports: int = 0
    reply: str = ""
    replied_at: datetime | None = None
    created_at: datetime
    edited_at: datetime | None = None
    version: int = 1
    photos: list[Photo] = msgspec.field(default_factory=list[Photo])

    @property
    def counted(self) -> int | None:
        """The stars that the rating counts; None when it counts none."""
        return self.stars if self.state is State.PUBLISHED else None

    def move_to(self, wanted: State) -> None:
        """The one place where the state changes. Raises IllegalTransition."""
        if wanted not in TRANSITIONS[self.state]:
            raise IllegalTransition(subject="review", current=self.state, wanted=wanted)
        self.state = wanted

    def require_editable(self, now: datetime) -> None:
        """Raises TooLateToEdit, and IllegalTransition once it is deleted."""
        if self.state is State.DELETED:
            raise IllegalTransition(subject="review", current=self.state, wanted="changed")
        if now > self.created_at + EDIT_WINDOW:
            raise TooLateToEdit(days=EDIT_WINDOW.days)

    def edit(self, *, stars: int, text: str, held_for: list[str], now: datetime) -> None:
        """Say something else. What was hidden, or gives cause, waits for a look."""
        self.require_editable(now)
        self.stars, self.text, self.edited_at = stars, text, now
        found = set(held_for)
        if self.state is State.HIDDEN:
            found.add(HeldFor.HIDDEN_BEFORE)
        if self.state is State.HELD:
            found |= set(self.held_for)
        self.held_for = sorted(found)
        if found and self.state is not State.HELD:
            self.move_to(State.HELD)

    def delete(self) -> None:
        """Nothing of what was said is kept."""
        self.move_to(State.DELETED)
        self.text, self.photos, self.reply, self.replied_at = "", [], "", None

    def answer(self, text: str, now: datetime) -> bool:
        """The seller's reply; empty takes it away. True when it is the first one."""
        if self.state is not State.PUBLISHED:
            raise IllegalTransition(subject="review", current=self.state, wanted="answered")
        first = bool(text) and self.replied_at is None
        self.reply, self.replied_at = text, now if text else None
        return first

    def add_photo(self, photo: Photo) -> None:
        """Put a photo last. Raises TooManyPhotos."""
        if len(self.photos) >= MAX_PHOTOS:
            raise TooManyPhotos(most=MAX_PHOTOS)
        self.photos = [*self.photos, photo]


def require_in_time(received_at: datetime, now: datetime) -> None:
    """Raises TooLateToReview."""
    if now > received_at + WRITE_WINDOW:
        raise TooLateToReview(days=WRITE_WINDOW.days)


def clean_stars(stars: int) -> int:
    """1 to 5. Raises InvalidInput."""
    if not 1 <= stars <= 5:
        raise _wrong("stars", "range", "Choose from one to five stars.")
    return stars


def clean_words(text: str, *, path: str, least: int, most: int) -> str:
    """Text without control characters, its line breaks kept. Raises InvalidInput."""
    plain = "".join(c for c in text.replace("\r\n", "\n") if c == "\n" or c.isprintable())
    plain = re.sub(r"\n{3,}", "\n\n", plain).strip()
    if len(plain) < least:
        raise _wrong(path, "too_short", f"Write at least {least} characters.")
    if len(plain) > most:
        raise _wrong(path, "too_long", f"Shorten this to {most:,} characters.")
    return plain


def _wrong(path: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=[FieldProblem(path, code, message)])


def causes(
    text: str,
    *,
    words: Collection[str],
    account_age: timedelta | None = None,
    hidden_before: bool = False,
) -> list[str]:
    """Why a review is looked at first; empty shows it at once. Guests have no `account_age`."""
    found: list[str] = []
    if account_age is not None and account_age < NEW_ACCOUNT:
        found.append(HeldFor.NEW_ACCOUNT)
    if _LINK.search(text):
        found.append(HeldFor.LINK)
    said = f" {' '.join(_WORD.findall(text.casefold()))} "
    if any(f" {word} " in said for word in words):
        found.append(HeldFor.WORD)
    if hidden_before:
        found.append(HeldFor.HIDDEN_BEFORE)
    return found


def public_name(display_name: str) -> str:
    """How an author is shown: the first name, and the initial of the last."""
    parts = display_name.split()
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 else f"{parts[0]} {parts[-1][0].upper()}."
