"""What listings keep of sellers and categories, brought up to date when those change.

A shop may have tens of thousands of listings: the event only notes the fact, and a job follows it
through the listings, a batch in each transaction. What it does to a listing depends on the facts
of that moment alone, so it may run late, twice or side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings import store
from souk.contexts.listings.commands import changed
from souk.contexts.listings.domain import SellerFacts
from souk.kernel.actor import Actor
from souk.platform import jobs, outbox
from souk.platform.database import WriteTx
from souk.published import listings as events

BATCH = 200
_FIRST = UUID(int=0)
FOLLOW_SELLER = "listings.follow_seller"
FOLLOW_CATEGORY = "listings.follow_category"


class FollowSeller(msgspec.Struct, frozen=True):
    """The job that brings a seller's listings up to date, by id from after `after`."""

    seller_id: UUID
    after: UUID = _FIRST


class FollowCategory(msgspec.Struct, frozen=True):
    """The job that brings the listings of a category to where it hangs now."""

    category_id: UUID


async def know_seller(
    tx: WriteTx, *, seller_id: UUID, name: str, slug: str, trusted: bool | None = None
) -> None:
    """Keep a seller's name, address and trust for what is listed from now on; None leaves the
    trust as it is. What is listed already is not rendered anew: see `seller_changed`."""
    facts = SellerFacts(id=seller_id, name=name, slug=slug)
    await store.save_seller(tx, facts, trusted=trusted)


async def seller_changed(
    tx: WriteTx, *, seller_id: UUID, name: str, slug: str, suspended: bool | None = None
) -> None:
    """Keep the facts, and have the seller's listings follow."""
    facts = SellerFacts(id=seller_id, name=name, slug=slug)
    await store.save_seller(tx, facts, suspended=suspended)
    await jobs.enqueue(tx, FOLLOW_SELLER, FollowSeller(seller_id))


async def seller_suspended(tx: WriteTx, *, seller_id: UUID) -> None:
    """Nothing of the seller can be bought from now on, and soon nothing is shown, until it is
    approved again."""
    await store.set_suspended(tx, seller_id, suspended=True)
    await jobs.enqueue(tx, FOLLOW_SELLER, FollowSeller(seller_id))


async def follow_seller(tx: WriteTx, actor: Actor, *, seller_id: UUID, after: UUID) -> None:
    """One batch of a seller's listings; queues the next."""
    ids = await store.ids_of_seller(tx, seller_id, after=after, limit=BATCH)
    found = await store.lock_many(tx, ids)
    rendered = await store.render_again(tx, found)
    for listing, seller in found:
        before = listing.state
        listing.follow_shop(suspended=seller.suspended)
        if listing.state is not before:
            await store.save(tx, listing, seller, placed=True)
        if seller.suspended and listing.state is not before:
            paused = events.ListingPaused(listing_id=listing.id, seller_id=listing.seller_id)
            outbox.add(tx, paused, actor=actor)
        elif listing.state is not before or listing.id in rendered:
            changed(tx, actor, listing)
    if len(ids) == BATCH:
        await jobs.enqueue(tx, FOLLOW_SELLER, FollowSeller(seller_id, ids[-1]))


async def seller_away(
    tx: WriteTx, *, seller_id: UUID, away_from: datetime | None, away_until: datetime | None
) -> None:
    """Nothing of the seller can be bought between the two instants."""
    await store.save_absence(tx, seller_id, away_from=away_from, away_until=away_until)


async def rating_changed(
    tx: WriteTx, actor: Actor, *, listing_id: UUID, total: int, count: int
) -> None:
    """The listing's reviews come to this sum and number of stars."""
    for listing, seller in await store.lock_many(tx, [listing_id]):
        if (listing.rating_sum, listing.rating_count) == (total, count):
            continue
        listing.rating_sum, listing.rating_count = total, count
        await store.save_rating(tx, listing, seller)
        changed(tx, actor, listing)


async def refile(tx: WriteTx, *, category_id: UUID, under: UUID, path: Sequence[UUID]) -> None:
    """Listings of `category_id` belong to the category `under` now, whose path this is."""
    await store.save_place(tx, category_id, under=under, path=path)
    await jobs.enqueue(tx, FOLLOW_CATEGORY, FollowCategory(category_id))


async def follow_category(tx: WriteTx, actor: Actor, *, category_id: UUID) -> None:
    """One batch of a category's listings that are not where it hangs now; queues the next."""
    place = await store.place_of(tx, category_id)
    if place is None:
        return
    under, path = place
    ids = await store.ids_elsewhere(tx, category_id, under=under, path=path, limit=BATCH)
    for listing, seller in await store.lock_many(tx, ids):
        if listing.category_id == category_id:
            listing.category_id, listing.category_path = under, path
            await store.save(tx, listing, seller, placed=True)
            changed(tx, actor, listing)
    if len(ids) == BATCH:
        await jobs.enqueue(tx, FOLLOW_CATEGORY, FollowCategory(category_id))
