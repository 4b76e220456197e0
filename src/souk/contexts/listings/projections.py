"""What listings keep of sellers and categories, brought up to date when those change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from souk.contexts.listings import store
from souk.contexts.listings.commands import changed
from souk.contexts.listings.domain import SellerFacts
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx

_BATCH = 200


async def know_seller(
    tx: WriteTx, *, seller_id: UUID, name: str, slug: str, suspended: bool | None = None
) -> None:
    """Keep a seller's name and address for what is listed from now on.

    `suspended` None leaves that as it is. What is listed already is not rendered anew: see
    `seller_changed`.
    """
    facts = SellerFacts(id=seller_id, name=name, slug=slug)
    await store.save_seller(tx, facts, suspended=suspended)


async def seller_changed(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    name: str,
    slug: str,
    suspended: bool | None = None,
) -> None:
    """Keep the facts and render the seller's listings anew if they show another name."""
    facts = SellerFacts(id=seller_id, name=name, slug=slug)
    before = await store.seller_facts(tx, seller_id)
    await store.save_seller(tx, facts, suspended=suspended)
    if before == facts:
        return
    after = UUID(int=0)
    while ids := await store.ids_of_seller(tx, seller_id, after=after, limit=_BATCH):
        found = await store.lock_many(tx, ids)
        await store.render_again(tx, found)
        for listing, _ in found:
            changed(tx, actor, listing)
        after = ids[-1]


async def seller_suspended(tx: WriteTx, *, seller_id: UUID) -> None:
    """Nothing of the seller can be bought until it is approved again."""
    await store.set_suspended(tx, seller_id, suspended=True)


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


async def refile(
    tx: WriteTx, actor: Actor, *, category_id: UUID, under: UUID, path: Sequence[UUID]
) -> None:
    """Listings of `category_id` belong to the category `under` now, whose path this is."""
    ids = await store.ids_in_category(tx, category_id)
    for start in range(0, len(ids), _BATCH):
        for listing, seller in await store.lock_many(tx, ids[start : start + _BATCH]):
            listing.category_id, listing.category_path = under, list(path)
            await store.save(tx, listing, seller, placed=True)
            changed(tx, actor, listing)
