"""Creating, changing and publishing, across sellers, catalogue, listings and inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from msgspec import UNSET

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.publish_listing.options import REVIEW
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, Forbidden, InvalidInput
from souk.platform.database import ReadConn, WriteTx
from souk.platform.options import value_of

_TRUSTED = sellers.Tier.PREMIUM


class VariantStock(msgspec.Struct, frozen=True, kw_only=True):
    """A variant with its first stock. `on_hand` None leaves the stock uncounted (goods) or means
    one piece (second-hand); that of digital goods is never counted."""

    variant: listings.VariantInput
    on_hand: int | None = 0


async def create(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    data: listings.NewListing,
    variants: Sequence[VariantStock],
) -> listings.Listing:
    """A draft with its stock. `data.variants` and `data.category_path` are set here.

    Raises Forbidden when the shop is not open, NotFound for an unknown category or species,
    InvalidInput, SlugTaken, SkuTaken.
    """
    await _open_shop(tx, seller_id)
    path, attributes = await _filed(tx, data.category_id, data.attributes)
    if data.species_id is not None:
        await catalog.species(tx, data.species_id)
    complete = msgspec.structs.replace(
        data,
        category_path=path,
        attributes=attributes,
        variants=[each.variant for each in variants],
    )
    listing = await listings.create(tx, actor, seller_id=seller_id, data=complete)
    await _stock_up(tx, actor, listing, [each.on_hand for each in variants])
    return listing


async def _open_shop(tx: WriteTx, seller_id: UUID) -> sellers.SellerAccount:
    """The seller, if it may list; what listings show of it is brought up to date on the way."""
    shop = await sellers.account(tx, seller_id=seller_id)
    if shop.state != sellers.SellerState.APPROVED:
        raise Forbidden("Your shop is not open. Its page says what is missing.")
    trusted = shop.tier == _TRUSTED
    await listings.know_seller(
        tx, seller_id=seller_id, name=shop.name, slug=shop.slug, trusted=trusted
    )
    return shop


async def _filed(
    conn: ReadConn, category_id: UUID | None, attributes: dict[str, object]
) -> tuple[list[UUID], dict[str, object]]:
    """The category's path and the attributes in one notation; a draft may leave some out."""
    if category_id is None:
        if attributes:
            message = "Choose a category before its attributes."
            problem = FieldProblem("category_id", "missing", message)
            raise InvalidInput(message, problems=[problem])
        return [], {}
    tree = await catalog.tree(conn)
    path = tree.get(category_id).path
    values = await catalog.validate_attributes(conn, category_id, attributes, complete=False)
    return path, values


async def _stock_up(
    tx: WriteTx, actor: Actor, listing: listings.Listing, on_hand: Sequence[int | None]
) -> None:
    default = 1 if listing.kind is listings.Kind.SECONDHAND else None
    # Files never run out, but checkout asks inventory for everything alike: their stock is there
    # and uncounted.
    counted = listing.kind is not listings.Kind.DIGITAL
    wanted = [(default if count is None else count) if counted else None for count in on_hand]
    await inventory.set_up(
        tx,
        actor,
        items=[
            inventory.StockSetUp(
                variant_id=variant.id,
                listing_id=listing.id,
                seller_id=listing.seller_id,
                on_hand=count or 0,
                tracked=count is not None,
            )
            for variant, count in zip(listing.variants, wanted, strict=True)
        ],
    )


async def change(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    listing_id: UUID,
    changes: listings.ListingChanges,
    version: int | None = None,
) -> listings.Listing:
    """Change some fields. Raises what `listings.update` and the catalogue's validation raise."""
    before = await listings.own(tx, listing_id, seller_id=seller_id)
    refiled = changes.category_id is not UNSET
    if refiled or changes.attributes is not UNSET:
        category_id = changes.category_id if refiled else before.category_id
        attributes = before.attributes if changes.attributes is UNSET else changes.attributes
        assert category_id is not UNSET
        if refiled and changes.attributes is UNSET and category_id is not None:
            known = await catalog.attributes_for(tx, category_id)
            codes = {assignment.attribute.code for assignment in known}
            attributes = {code: value for code, value in attributes.items() if code in codes}
        path, values = await _filed(tx, category_id, attributes)
        changes = msgspec.structs.replace(changes, category_path=path, attributes=values)
        if before.visible and category_id is not None:
            await catalog.validate_attributes(tx, category_id, values)
    if isinstance(changes.species_id, UUID):
        await catalog.species(tx, changes.species_id)
    return await listings.update(
        tx, actor, seller_id=seller_id, listing_id=listing_id, changes=changes, version=version
    )


async def set_variants(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    listing_id: UUID,
    variants: Sequence[VariantStock],
    version: int | None = None,
) -> listings.Listing:
    """Replace the variants. Stock is set for new ones only: that of others changes by movements."""
    listing = await listings.set_variants(
        tx,
        actor,
        seller_id=seller_id,
        listing_id=listing_id,
        variants=[each.variant for each in variants],
        version=version,
    )
    await _stock_up(tx, actor, listing, [each.on_hand for each in variants])
    return listing


async def recount(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, changes: Mapping[UUID, int]
) -> None:
    """Put so many pieces more, or fewer, into stock, by variant. Raises StockTooLow, NotFound."""
    for variant_id, delta in sorted(changes.items()):
        reason = inventory.Reason.RESTOCK if delta > 0 else inventory.Reason.CORRECTION
        await inventory.adjust(
            tx, actor, seller_id=seller_id, variant_id=variant_id, delta=delta, reason=reason
        )


async def in_stock(conn: ReadConn, listing: listings.Listing) -> bool:
    """Whether at least one active variant can be bought now."""
    if listing.kind is listings.Kind.DIGITAL:
        return True
    ids = [variant.id for variant in listing.variants if variant.active]
    stock = await inventory.availability(conn, ids)
    return any(each.available > 0 for each in stock.values())


async def submit(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID
) -> listings.Listing:
    """Publish a draft, or send it to review: that is the operator's policy (`REVIEW`).

    Raises NotFound, Forbidden, IllegalTransition, InvalidInput naming all that is missing.
    """
    shop = await _open_shop(tx, seller_id)
    listing = await listings.own(tx, listing_id, seller_id=seller_id)
    await _complete(tx, listing)
    policy = await value_of(tx, REVIEW)
    return await listings.submit(
        tx,
        actor,
        seller_id=seller_id,
        listing_id=listing_id,
        in_stock=await in_stock(tx, listing),
        trusted=policy == "none" or (policy == "standard" and shop.tier == _TRUSTED),
    )


async def resume(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID
) -> listings.Listing:
    """Show a paused listing again. Raises as `submit` does."""
    await _open_shop(tx, seller_id)
    listing = await listings.own(tx, listing_id, seller_id=seller_id)
    await _complete(tx, listing)
    return await listings.resume(
        tx,
        actor,
        seller_id=seller_id,
        listing_id=listing_id,
        in_stock=await in_stock(tx, listing),
    )


async def approve(tx: WriteTx, actor: Actor, *, listing_id: UUID) -> listings.Listing:
    """An operator shows a listing; one that sold out meanwhile is shown as such."""
    listing = await listings.approve(tx, actor, listing_id=listing_id)
    if not await in_stock(tx, listing):
        await listings.mark_sold_out(tx, actor, listing_id=listing_id)
        return await listings.any_state(tx, listing_id)
    return listing


async def _complete(conn: ReadConn, listing: listings.Listing) -> None:
    """Raises InvalidInput when a required attribute is missing, also one required since."""
    if listing.category_id is not None:
        await catalog.validate_attributes(conn, listing.category_id, listing.attributes)
