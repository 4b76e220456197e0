"""Messages about applications to sell and about listings."""

from __future__ import annotations

from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.notifications.api import contents
from souk.flows.notify.people import account, shop_name, tell, tell_shop
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta
from souk.published.inventory import LowStock
from souk.published.listings import ListingPaused, ListingPublished, ListingRejected
from souk.published.sellers import SellerApproved, SellerInfoRequested, SellerRejected


async def on_approved(tx: WriteTx, event: SellerApproved, meta: EventMeta) -> None:
    """The applicant may sell."""
    content = contents.SellerApproved(shop=event.shop_name)
    await tell(tx, await account(tx, event.user_id), content, meta)


async def on_rejected(tx: WriteTx, event: SellerRejected, meta: EventMeta) -> None:
    """The applicant reads why not."""
    shop = await shop_name(tx, event.seller_id)
    content = contents.SellerRejected(shop=shop, reason=event.reason)
    await tell(tx, await account(tx, event.user_id), content, meta)


async def on_info_requested(tx: WriteTx, event: SellerInfoRequested, meta: EventMeta) -> None:
    """The applicant reads what is missing."""
    shop = await shop_name(tx, event.seller_id)
    content = contents.SellerAsked(shop=shop, question=event.question)
    await tell(tx, await account(tx, event.user_id), content, meta)


async def on_published(tx: WriteTx, event: ListingPublished, meta: EventMeta) -> None:
    """A shop is told of a listing that somebody else let through, not of what it did itself."""
    people = await identity.members(tx, seller_id=event.seller_id)
    if not meta.actor.startswith("user:") or meta.actor in {f"user:{one}" for one in people}:
        return
    listing = await listings.any_state(tx, event.listing_id)
    content = contents.ListingApproved(listing_id=listing.id, title=listing.title)
    await tell_shop(tx, event.seller_id, content, meta)


async def on_listing_rejected(tx: WriteTx, event: ListingRejected, meta: EventMeta) -> None:
    """A shop reads what to change."""
    content = contents.ListingRejected(
        listing_id=event.listing_id, title=event.title, reason=event.reason
    )
    await tell_shop(tx, event.seller_id, content, meta)


async def on_listing_paused(tx: WriteTx, event: ListingPaused, meta: EventMeta) -> None:
    """A shop reads why a listing was taken out of sight; its own pauses have no reason."""
    if not event.reason:
        return
    listing = await listings.any_state(tx, event.listing_id)
    content = contents.ListingTakenDown(
        listing_id=listing.id, title=listing.title, reason=event.reason
    )
    await tell_shop(tx, event.seller_id, content, meta)


async def on_low_stock(tx: WriteTx, event: LowStock, meta: EventMeta) -> None:
    """A shop reads what runs low; of a variant that was removed meanwhile, nothing."""
    names = await listings.variant_names(tx, event.seller_id, [event.variant_id])
    if event.variant_id in names:
        content = contents.LowStock(
            variant_id=event.variant_id,
            name=names[event.variant_id].name,
            on_hand=event.on_hand,
        )
        await tell_shop(tx, event.seller_id, content, meta)
