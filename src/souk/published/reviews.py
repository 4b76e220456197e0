"""What reviews tell the others."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class ReviewPublished(Event, frozen=True, kw_only=True):
    """A review is seen by everybody for the first time. `kind` is `listing` or `seller`."""

    name: ClassVar[str] = "reviews.review_published.v1"
    key: ClassVar[str] = "review_id"

    review_id: UUID
    kind: str
    subject_id: UUID
    seller_id: UUID
    stars: int


class ReviewReplied(Event, frozen=True, kw_only=True):
    """The seller answered a review for the first time."""

    name: ClassVar[str] = "reviews.review_replied.v1"
    key: ClassVar[str] = "review_id"

    review_id: UUID
    seller_id: UUID


class ReviewModerated(Event, frozen=True, kw_only=True):
    """An operator decided on a review: `state` is `published` or `hidden`."""

    name: ClassVar[str] = "reviews.review_moderated.v1"
    key: ClassVar[str] = "review_id"

    review_id: UUID
    state: str
    reason: str


class RatingChanged(Event, frozen=True, kw_only=True):
    """The published reviews of a listing or a seller come to another sum or count of stars."""

    name: ClassVar[str] = "reviews.rating_changed.v1"
    key: ClassVar[str] = "subject_id"

    kind: str
    subject_id: UUID
    seller_id: UUID
    count: int
    sum: int
