"""What changes listings. Each runs inside the caller's transaction.

Categories and attributes arrive already checked against the catalogue, and `in_stock` from
inventory: the flow that calls asks those contexts first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from souk.contexts.listings import domain, store
from souk.contexts.listings.domain import (
    Condition,
    Kind,
    Listing,
    SellerFacts,
    State,
    Variant,
    check_fields,
    check_variants,
    slugify,
)
from souk.contexts.listings.errors import listing_not_found
from souk.contexts.listings.importing.text import clean_text, description_html
from souk.kernel.actor import Actor
from souk.kernel.errors import FieldProblem, IllegalTransition, InvalidInput
from souk.kernel.ids import human_number, uuid7
from souk.platform import audit, outbox
from souk.platform.database import WriteTx
from souk.platform.events import Event
from souk.published import listings as events

_SKU_STEM = 12


class VariantInput(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as a seller gives it: `id` names an existing one; an empty SKU is generated."""

    price: int
    id: UUID | None = None
    options: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    sku: str = ""
    compare_at: int | None = None
    weight_g: int | None = None
    active: bool = True


class NewListing(msgspec.Struct, frozen=True, kw_only=True):
    """A listing as a seller gives it. `description` is HTML or plain text; it is sanitised."""

    kind: Kind
    title: str
    currency: str
    slug: str = ""
    description: str = ""
    category_id: UUID | None = None
    category_path: list[UUID] = msgspec.field(default_factory=list[UUID])
    species_id: UUID | None = None
    attributes: dict[str, object] = msgspec.field(default_factory=dict[str, object])
    tags: list[str] = msgspec.field(default_factory=list[str])
    condition: Condition | None = None
    condition_note: str = ""
    location: str = ""
    live_plant: bool = False
    seo_title: str = ""
    seo_description: str = ""
    variants: list[VariantInput] = msgspec.field(default_factory=list[VariantInput])


class ListingChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; everything unset stays. `category_path` goes with `category_id`."""

    title: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    category_id: UUID | UnsetType = UNSET
    category_path: list[UUID] | UnsetType = UNSET
    species_id: UUID | UnsetType | None = UNSET
    attributes: dict[str, object] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    condition: Condition | UnsetType | None = UNSET
    condition_note: str | UnsetType = UNSET
    location: str | UnsetType = UNSET
    live_plant: bool | UnsetType = UNSET
    seo_title: str | UnsetType = UNSET
    seo_description: str | UnsetType = UNSET


_PLAIN = ("condition_note", "location", "seo_title", "seo_description")


async def create(
    tx: WriteTx,
    actor: Actor,  # noqa: ARG001 - every command has the same first two arguments
    *,
    seller_id: UUID,
    data: NewListing,
) -> Listing:
    """A draft of the seller's. Raises InvalidInput, SlugTaken, SkuTaken."""
    now = tx.clock.now()
    given = {name: getattr(data, name) for name in data.__struct_fields__}
    del given["variants"]
    fields = _cleaned(given)
    fields["slug"] = data.slug or await _free_slug(tx, fields["title"])
    listing = Listing(
        id=uuid7(), seller_id=seller_id, created_at=now, updated_at=now, version=1, **fields
    )
    check_fields(listing)
    listing.variants = _variants(listing, data.variants)
    await store.insert(tx, listing, await store.seller_facts(tx, seller_id))
    return listing


async def _free_slug(tx: WriteTx, title: str) -> str:
    slug = slugify(title)
    if len(slug) < 3 or slug in domain.RESERVED_SLUGS:
        slug = f"{slug or 'item'}-{human_number(groups=1, size=6).lower()}"
    elif await store.slug_taken(tx, slug):
        slug = f"{slug}-{human_number(groups=1, size=6).lower()}"
    return slug


def _cleaned(given: dict[str, Any]) -> dict[str, Any]:
    """What a seller gave, by the entity's names and fit to be shown."""
    if "title" in given:
        given["title"] = clean_text(given["title"])
    if "description" in given:
        given["description_html"] = description_html(given.pop("description"))
    if "tags" in given:
        given["tags"] = _clean_tags(given["tags"])
    for name in _PLAIN:
        if name in given:
            given[name] = clean_text(given[name])
    return given


def _clean_tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag for tag in map(clean_text, tags) if tag))


def _variants(listing: Listing, inputs: Sequence[VariantInput]) -> list[Variant]:
    known = {variant.id: variant for variant in listing.variants}
    for index, given in enumerate(inputs):
        if given.id is not None and given.id not in known:
            message = "This variant is not part of the listing. Leave the id out to add a new one."
            path = f"variants[{index}].id"
            raise InvalidInput(message, problems=[FieldProblem(path, "unknown", message)])
    made = [
        Variant(
            id=given.id or uuid7(),
            options={clean_text(k): clean_text(v) for k, v in given.options.items()},
            sku=given.sku.strip() or (known[given.id].sku if given.id else _new_sku(listing)),
            price=given.price,
            compare_at=given.compare_at,
            weight_g=given.weight_g,
            active=given.active,
        )
        for given in inputs
    ]
    if len({variant.id for variant in made}) < len(made):
        message = "A variant is named twice. Name each once."
        raise InvalidInput(message, problems=[FieldProblem("variants", "duplicate", message)])
    check_variants(made, kind=listing.kind, currency=listing.currency)
    return made


def _new_sku(listing: Listing) -> str:
    stem = slugify(listing.title)[:_SKU_STEM].strip("-").upper() or "ITEM"
    return f"{stem}-{human_number(groups=1, size=8)}"


async def update(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    listing_id: UUID,
    changes: ListingChanges,
    version: int | None = None,
) -> Listing:
    """Change some fields. `version` is the one that the caller saw; None changes any.

    Raises NotFound, StaleListing, ListingArchived, InvalidInput, SlugTaken.
    """
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(version)
    before = listing.content
    _apply(listing, changes)
    check_fields(listing)
    stay_ready(listing)
    listing.note_content(before, trusted=seller.trusted, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=changes.category_id is not UNSET)
    changed(tx, actor, listing)
    return listing


def _apply(listing: Listing, changes: ListingChanges) -> None:
    given = {
        name: value
        for name in changes.__struct_fields__
        if (value := getattr(changes, name)) is not UNSET
    }
    for name, value in _cleaned(given).items():
        setattr(listing, name, value)


def stay_ready(listing: Listing) -> None:
    """A visible listing cannot be edited into one that could not have been published."""
    if listing.visible:
        listing.require_ready(in_stock=True)


async def set_variants(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_id: UUID,
    listing_id: UUID,
    variants: Sequence[VariantInput],
    version: int | None = None,
) -> Listing:
    """Replace all variants; those with an id keep it and what is not named goes.

    Raises NotFound, StaleListing, ListingArchived, InvalidInput, SkuTaken.
    """
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.check_editable(version)
    listing.variants = _variants(listing, variants)
    stay_ready(listing)
    await store.save(tx, listing, seller, variants=True)
    changed(tx, actor, listing)
    return listing


async def submit(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, in_stock: bool, trusted: bool
) -> Listing:
    """Publish a draft, or send it to review when neither it nor its seller is trusted.

    Raises NotFound, InvalidInput with everything that is missing, IllegalTransition.
    """
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.publish(in_stock=in_stock, trusted=trusted, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    if listing.state is State.ACTIVE:
        _emit(tx, actor, events.ListingPublished, listing)
    return listing


async def approve(tx: WriteTx, actor: Actor, *, listing_id: UUID) -> Listing:
    """An operator shows a listing that was in review or flagged, or has looked at what was changed
    in one that is shown already."""
    listing, seller = await _any(tx, listing_id)
    if listing.visible and listing.relook_at is not None:
        listing.relook_at = None
        await store.save(tx, listing, seller)
        await audit.record(tx, actor, "listings.looked_over", f"listing:{listing.id}")
        return listing
    listing.require_ready(in_stock=True)
    listing.review_note, listing.relook_at = "", None
    listing.move_to(State.ACTIVE, now=tx.clock.now())
    listing.follow_shop(suspended=seller.suspended)
    await store.save(tx, listing, seller, placed=True)
    _emit(tx, actor, events.ListingPublished, listing)
    await audit.record(tx, actor, "listings.approved", f"listing:{listing.id}")
    return listing


async def reject(tx: WriteTx, actor: Actor, *, listing_id: UUID, reason: str) -> Listing:
    """An operator sends a listing in review, or a flagged one, back to its seller as a draft."""
    listing, seller = await _any(tx, listing_id)
    listing.move_to(State.DRAFT, now=tx.clock.now())
    listing.review_note, listing.relook_at = _reason(reason), None
    listing.reviewed = False
    await store.save(tx, listing, seller, placed=True)
    rejected = events.ListingRejected(
        listing_id=listing.id,
        seller_id=listing.seller_id,
        title=listing.title,
        reason=listing.review_note,
    )
    outbox.add(tx, rejected, actor=actor)
    await audit.record(
        tx, actor, "listings.rejected", f"listing:{listing.id}", reason=listing.review_note
    )
    return listing


async def flag(tx: WriteTx, actor: Actor, *, listing_id: UUID, reason: str) -> Listing:
    """An operator takes a listing out of sight until it is looked into."""
    listing, seller = await _any(tx, listing_id)
    listing.review_note, listing.relook_at = _reason(reason), None
    listing.move_to(State.FLAGGED, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    paused = events.ListingPaused(
        listing_id=listing.id, seller_id=listing.seller_id, reason=listing.review_note
    )
    outbox.add(tx, paused, actor=actor)
    await audit.record(
        tx, actor, "listings.flagged", f"listing:{listing.id}", reason=listing.review_note
    )
    return listing


def _reason(reason: str) -> str:
    text = clean_text(reason)
    if not 3 <= len(text) <= 1_000:
        message = "Give the seller a reason of 3 to 1,000 characters."
        raise InvalidInput(message, problems=[FieldProblem("reason", "length", message)])
    return text


async def pause(tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID) -> Listing:
    """Take a visible listing out of sight. `resume` brings it back."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.move_to(State.PAUSED, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    _emit(tx, actor, events.ListingPaused, listing)
    return listing


async def resume(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID, in_stock: bool
) -> Listing:
    """Show a paused listing again. Raises as `submit` does."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.require_ready(in_stock=in_stock)
    if listing.state is not State.PAUSED:
        raise IllegalTransition(subject="listing", current=listing.state, wanted=State.ACTIVE)
    listing.move_to(State.ACTIVE, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    _emit(tx, actor, events.ListingPublished, listing)
    return listing


async def archive(tx: WriteTx, actor: Actor, *, seller_id: UUID, listing_id: UUID) -> Listing:
    """Put a listing away for good."""
    listing, seller = await owned(tx, listing_id, seller_id)
    listing.move_to(State.ARCHIVED, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    _emit(tx, actor, events.ListingArchived, listing)
    return listing


async def mark_sold_out(tx: WriteTx, actor: Actor, *, listing_id: UUID) -> None:
    """The last piece is gone. Does nothing unless the listing is active."""
    found = await store.lock(tx, listing_id, seller_id=None)
    if found is None or found[0].kind is Kind.DIGITAL:
        return
    listing, seller = found
    if listing.suspended_from is not None:
        await _note_stock(tx, listing, seller, in_stock=False)
        return
    if listing.state is not State.ACTIVE:
        return
    listing.move_to(State.SOLD_OUT, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    _emit(tx, actor, events.ListingSoldOut, listing)


async def mark_in_stock(tx: WriteTx, actor: Actor, *, listing_id: UUID) -> None:
    """There is something to sell again. Does nothing unless the listing is sold out."""
    found = await store.lock(tx, listing_id, seller_id=None)
    if found is None:
        return
    listing, seller = found
    if listing.suspended_from is not None:
        await _note_stock(tx, listing, seller, in_stock=True)
        return
    if listing.state is not State.SOLD_OUT:
        return
    listing.move_to(State.ACTIVE, now=tx.clock.now())
    await store.save(tx, listing, seller, placed=True)
    _emit(tx, actor, events.ListingUpdated, listing)


async def _note_stock(
    tx: WriteTx, listing: Listing, seller: SellerFacts, *, in_stock: bool
) -> None:
    listing.note_stock(in_stock=in_stock)
    await store.save(tx, listing, seller)


async def owned(tx: WriteTx, listing_id: UUID, seller_id: UUID) -> tuple[Listing, SellerFacts]:
    """The seller's listing, locked. Raises NotFound for anybody else's."""
    found = await store.lock(tx, listing_id, seller_id=seller_id)
    if found is None:
        raise listing_not_found()
    return found


async def _any(tx: WriteTx, listing_id: UUID) -> tuple[Listing, SellerFacts]:
    found = await store.lock(tx, listing_id, seller_id=None)
    if found is None:
        raise listing_not_found()
    return found


_Plain = (
    type[events.ListingPublished]
    | type[events.ListingUpdated]
    | type[events.ListingPaused]
    | type[events.ListingArchived]
    | type[events.ListingSoldOut]
)


def _emit(tx: WriteTx, actor: Actor, kind: _Plain, listing: Listing) -> None:
    event: Event = kind(listing_id=listing.id, seller_id=listing.seller_id)
    outbox.add(tx, event, actor=actor)


def changed(tx: WriteTx, actor: Actor, listing: Listing) -> None:
    """Tell that a listing changed, if anybody but its seller can see it."""
    if listing.visible:
        _emit(tx, actor, events.ListingUpdated, listing)
