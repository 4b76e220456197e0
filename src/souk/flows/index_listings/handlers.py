"""Events that change what the index must hold."""

from __future__ import annotations

from souk.contexts.search import api as search
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, Subscription, subscribe
from souk.published.catalog import CategoryChanged, CategoryMerged, CategoryMoved
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


async def on_category_change(
    tx: WriteTx, _event: CategoryChanged | CategoryMoved | CategoryMerged, _meta: EventMeta
) -> None:
    """Paths and names are in every document below the category: build the index anew."""
    await search.ask_for_rebuild(tx)


_SUBSCRIBER = "search.index_listings"
subscriptions: list[Subscription] = [
    subscribe(_SUBSCRIBER, ListingArchived, on_change),
    subscribe(_SUBSCRIBER, ListingPaused, on_change),
    subscribe(_SUBSCRIBER, ListingPublished, on_change),
    subscribe(_SUBSCRIBER, ListingRejected, on_change),
    subscribe(_SUBSCRIBER, ListingSoldOut, on_change),
    subscribe(_SUBSCRIBER, ListingUpdated, on_change),
    subscribe(_SUBSCRIBER, CategoryChanged, on_category_change),
    subscribe(_SUBSCRIBER, CategoryMoved, on_category_change),
    subscribe(_SUBSCRIBER, CategoryMerged, on_category_change),
]
