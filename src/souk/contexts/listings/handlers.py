"""Reactions to what sellers, the catalogue and inventory tell."""

from __future__ import annotations

from souk.contexts.listings import commands, projections
from souk.kernel.actor import system
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, Subscription, subscribe
from souk.published.catalog import CategoryMerged, CategoryMoved
from souk.published.inventory import StockChanged
from souk.published.reviews import RatingChanged
from souk.published.sellers import SellerApproved, SellerSuspended, StorefrontChanged

_ACTOR = system("listings")


async def on_seller_approved(tx: WriteTx, event: SellerApproved, _meta: EventMeta) -> None:
    """The seller's name is shown with each listing, and its goods can be bought."""
    await projections.seller_changed(
        tx,
        seller_id=event.seller_id,
        name=event.shop_name,
        slug=event.slug,
        suspended=False,
    )


async def on_seller_suspended(tx: WriteTx, event: SellerSuspended, _meta: EventMeta) -> None:
    """Nothing of the seller can be bought."""
    await projections.seller_suspended(tx, seller_id=event.seller_id)


async def on_storefront_changed(tx: WriteTx, event: StorefrontChanged, _meta: EventMeta) -> None:
    """Another name is shown, or the shop closes for a while."""
    await projections.seller_changed(
        tx, seller_id=event.seller_id, name=event.shop_name, slug=event.slug
    )
    await projections.seller_away(
        tx,
        seller_id=event.seller_id,
        away_from=event.holiday_from,
        away_until=event.holiday_until,
    )


async def on_stock_changed(tx: WriteTx, event: StockChanged, _meta: EventMeta) -> None:
    """A listing without stock leaves the lists, and comes back with it."""
    if event.in_stock:
        await commands.mark_in_stock(tx, _ACTOR, listing_id=event.listing_id)
    else:
        await commands.mark_sold_out(tx, _ACTOR, listing_id=event.listing_id)


async def on_category_moved(tx: WriteTx, event: CategoryMoved, _meta: EventMeta) -> None:
    """Everything below the category is found under its new ancestors."""
    for each in event.paths:
        await projections.refile(
            tx, category_id=each.category_id, under=each.category_id, path=each.path
        )


async def on_category_merged(tx: WriteTx, event: CategoryMerged, _meta: EventMeta) -> None:
    """What was filed under the category belongs to the one that took it in."""
    target = event.target
    await projections.refile(
        tx, category_id=event.category_id, under=target.category_id, path=target.path
    )
    for each in event.paths:
        await projections.refile(
            tx, category_id=each.category_id, under=each.category_id, path=each.path
        )


async def on_rating_changed(tx: WriteTx, event: RatingChanged, _meta: EventMeta) -> None:
    """The stars are shown with the listing; those of sellers are kept elsewhere."""
    if event.kind == "listing":
        await projections.rating_changed(
            tx, _ACTOR, listing_id=event.subject_id, total=event.sum, count=event.count
        )


subscriptions: list[Subscription] = [
    subscribe("listings.sellers", SellerApproved, on_seller_approved),
    subscribe("listings.sellers", SellerSuspended, on_seller_suspended),
    subscribe("listings.sellers", StorefrontChanged, on_storefront_changed),
    subscribe("listings.stock", StockChanged, on_stock_changed),
    subscribe("listings.ratings", RatingChanged, on_rating_changed),
    subscribe("listings.categories", CategoryMoved, on_category_moved),
    subscribe("listings.categories", CategoryMerged, on_category_merged),
]
