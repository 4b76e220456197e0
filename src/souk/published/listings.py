"""What listings tell the others."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class ListingPublished(Event, frozen=True, kw_only=True):
    """A listing became visible to buyers, for the first time or again after a pause."""

    name: ClassVar[str] = "listings.listing_published.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID


class ListingUpdated(Event, frozen=True, kw_only=True):
    """Something that buyers see of a visible listing changed, its return into stock included."""

    name: ClassVar[str] = "listings.listing_updated.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID


class ListingPaused(Event, frozen=True, kw_only=True):
    """A listing is no longer visible: its seller paused it, or an operator flagged it."""

    name: ClassVar[str] = "listings.listing_paused.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID
    reason: str = ""


class ListingArchived(Event, frozen=True, kw_only=True):
    """A listing was put away for good."""

    name: ClassVar[str] = "listings.listing_archived.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID


class ListingSoldOut(Event, frozen=True, kw_only=True):
    """The last piece is gone; the page stays, the lists leave it out."""

    name: ClassVar[str] = "listings.listing_sold_out.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID


class ListingRejected(Event, frozen=True, kw_only=True):
    """A moderator sent a listing back to its seller with a reason."""

    name: ClassVar[str] = "listings.listing_rejected.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID
    title: str
    reason: str
