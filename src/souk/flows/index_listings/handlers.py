"""Listing events that change what the index must hold."""

from __future__ import annotations

from souk.contexts.search import api as search
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, Subscription, subscribe
from souk.published.listings import (
    ListingArchived,
    ListingPaused,
    ListingPublished,
    ListingRejected,
    ListingSoldOut,
    ListingUpdated,
)

Changed = (
    ListingArchived
    | ListingPaused
    | ListingPublished
    | ListingRejected
    | ListingSoldOut
    | ListingUpdated
)


async def on_change(tx: WriteTx, event: Changed, _meta: EventMeta) -> None:
    """Have the listing indexed again, or taken out if it is no longer visible."""
    await search.mark_stale(tx, [event.listing_id])


_SUBSCRIBER = "search.index_listings"
subscriptions: list[Subscription] = [
    subscribe(_SUBSCRIBER, ListingArchived, on_change),
    subscribe(_SUBSCRIBER, ListingPaused, on_change),
    subscribe(_SUBSCRIBER, ListingPublished, on_change),
    subscribe(_SUBSCRIBER, ListingRejected, on_change),
    subscribe(_SUBSCRIBER, ListingSoldOut, on_change),
    subscribe(_SUBSCRIBER, ListingUpdated, on_change),
]
