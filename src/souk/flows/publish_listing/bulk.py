"""One change for many listings: what it would do to each, and doing it one by one."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec import UNSET

from souk.contexts.listings import api as listings
from souk.flows.publish_listing import flow
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.platform.database import WriteTx

MOST = 100
"""Listings in one change."""
WHOLE = 10_000
"""A price in basis points: 100 %."""


class BulkChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays.

    `price_percent` is in basis points (-1500 lowers by 15 %), `price_amount` in minor units (-100
    lowers by 1.00), one of the two. With `as_sale` a lowered price shows the former one beside it.
    `weight_g` is what delivery is priced by.
    """

    price_percent: int | None = None
    price_amount: int | None = None
    as_sale: bool = False
    category_id: UUID | None = None
    weight_g: int | None = None

    def check(self) -> None:
        """Raises InvalidInput unless it changes something, and that unambiguously."""
        if self.price_percent is not None and self.price_amount is not None:
            _refuse("price_amount", "Change prices by percent or by an amount, not by both.")
        if self.price_percent is not None and not -9_900 <= self.price_percent <= 100_000:
            _refuse("price_percent", "Write a percentage from -99 to 1000.")
        if self.weight_g is not None and not 0 <= self.weight_g <= 1_000_000:
            _refuse("weight_g", "Give the weight in grams, 0 to 1,000,000.")
        if self.category_id is None and not changes_variants(self):
            _refuse("price_percent", "Say what should change.")


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What the change does to one listing. Prices are the lowest and highest, in minor units.

    `refusal` says why it cannot be done; `sale_ends` that a former price is no longer shown.
    """

    id: UUID
    title: str
    currency: str
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    refusal: str = ""
    sale_ends: bool = False


def _refuse(path: str, message: str) -> None:
    raise InvalidInput(message, problems=[FieldProblem(path, "invalid", message)])


def plan(listing: listings.Listing, change: BulkChange) -> Planned:
    """What would happen to the listing. Pure."""
    made = variants_after(listing, change)
    prices = [variant.price for variant in made if variant.active]
    low, high = listings.price_bounds(listing.currency)
    refusal = ""
    if listing.state is listings.State.ARCHIVED:
        refusal = "It is archived and cannot be changed."
    elif change.category_id is not None and listing.category_id == change.category_id:
        refusal = "" if changes_variants(change) else "It is in this category already."
    if any(not low <= variant.price <= high for variant in made):
        refusal = "A price would be lower or higher than the market allows."
    ended = any(
        old.compare_at is not None and new.compare_at is None
        for old, new in zip(listing.variants, made, strict=True)
    )
    return Planned(
        id=listing.id,
        title=listing.title,
        currency=listing.currency,
        before=listing.prices,
        after=(min(prices), max(prices)) if prices else None,
        refusal=refusal,
        sale_ends=ended,
    )


def changes_variants(change: BulkChange) -> bool:
    """Whether prices or weights change."""
    return bool(change.price_percent or change.price_amount) or change.weight_g is not None


def variants_after(listing: listings.Listing, change: BulkChange) -> list[listings.VariantInput]:
    """The variants with their new prices and weights. Pure."""
    found: list[listings.VariantInput] = []
    for variant in listing.variants:
        price = _price(variant.price, change)
        former = variant.compare_at
        if change.as_sale and price < variant.price:
            former = max(variant.price, former or 0)
        found.append(
            listings.VariantInput(
                id=variant.id,
                price=price,
                options=variant.options,
                sku=variant.sku,
                compare_at=former if former is not None and former > price else None,
                weight_g=variant.weight_g if change.weight_g is None else change.weight_g,
                active=variant.active,
            )
        )
    return found


def _price(price: int, change: BulkChange) -> int:
    """Rounded to the minor unit, half of it upwards."""
    if change.price_percent:
        return (price * (WHOLE + change.price_percent) + WHOLE // 2) // WHOLE
    return price + (change.price_amount or 0)


async def apply(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, change: BulkChange
) -> None:
    """Change one listing. Raises NotFound, ListingArchived, InvalidInput."""
    listing = await listings.own(tx, listing_id, seller_id=seller_id)
    if change.category_id is not None and change.category_id != listing.category_id:
        await flow.change(
            tx,
            actor,
            seller_id=seller_id,
            listing_id=listing_id,
            changes=listings.ListingChanges(category_id=change.category_id or UNSET),
        )
    if changes_variants(change):
        await listings.set_variants(
            tx,
            actor,
            seller_id=seller_id,
            listing_id=listing_id,
            variants=variants_after(listing, change),
        )
