"""`/api/v1/listings`: writing listings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, patch, post, put
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from souk.contexts.listings import api as listings
from souk.flows.publish_listing import bulk, flow
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Amount, CurrencyCode, Text, clean_text
from souk.platform.settings import Settings

_Html = Annotated[str, Meta(max_length=100_000)]
_Slug = Annotated[str, Meta(max_length=80)]
_Note = Annotated[str, Meta(max_length=1_000)]
_Word = Annotated[str, Meta(max_length=80)]
_Tags = Annotated[list[Annotated[str, Meta(max_length=80)]], Meta(max_length=40)]
_Attributes = Annotated[dict[str, object], Meta(max_length=200)]
_Stock = Annotated[int, Meta(ge=0, le=10_000_000)]
_Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class VariantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`price` and `compare_at` are minor units of the listing's currency. `on_hand` counts for new
    variants only; null leaves stock uncounted."""

    price: Amount
    id: UUID | None = None
    options: Annotated[dict[_Word, _Word], Meta(max_length=10)] = msgspec.field(
        default_factory=dict[str, Any]
    )
    sku: Annotated[str, Meta(max_length=64)] = ""
    compare_at: Amount | None = None
    weight_g: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    active: bool = True
    on_hand: _Stock | None = 0

    def stocked(self) -> flow.VariantStock:
        fields = msgspec.structs.asdict(self)
        on_hand = fields.pop("on_hand")
        return flow.VariantStock(variant=listings.VariantInput(**fields), on_hand=on_hand)


_Variants = Annotated[list[VariantBody], Meta(max_length=listings.MAX_VARIANTS)]


class CreateListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`description` is HTML or plain text and is sanitised; an empty `slug` is made from the title;
    `currency` defaults to the marketplace's."""

    kind: listings.Kind
    title: Text
    currency: CurrencyCode | None = None
    slug: _Slug = ""
    description: _Html = ""
    category_id: UUID | None = None
    species_id: UUID | None = None
    attributes: _Attributes = msgspec.field(default_factory=dict[str, Any])
    tags: _Tags = msgspec.field(default_factory=list[Any])
    condition: listings.Condition | None = None
    condition_note: _Note = ""
    location: Annotated[str, Meta(max_length=120)] = ""
    live_plant: bool = False
    seo_title: Annotated[str, Meta(max_length=120)] = ""
    seo_description: Annotated[str, Meta(max_length=320)] = ""
    variants: _Variants = msgspec.field(default_factory=list[Any])


class ChangeListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays. `version` is the one that you saw: another is refused."""

    version: _Version | None = None
    title: Text | UnsetType = UNSET
    slug: _Slug | UnsetType = UNSET
    description: _Html | UnsetType = UNSET
    category_id: UUID | UnsetType = UNSET
    species_id: UUID | UnsetType | None = UNSET
    attributes: _Attributes | UnsetType = UNSET
    tags: _Tags | UnsetType = UNSET
    condition: listings.Condition | UnsetType | None = UNSET
    condition_note: _Note | UnsetType = UNSET
    location: Annotated[str, Meta(max_length=120)] | UnsetType = UNSET
    live_plant: bool | UnsetType = UNSET
    seo_title: Annotated[str, Meta(max_length=120)] | UnsetType = UNSET
    seo_description: Annotated[str, Meta(max_length=320)] | UnsetType = UNSET


class SetVariants(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All variants of the listing: those that are not named go."""

    variants: _Variants
    version: _Version | None = None


class BulkEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same change for up to 100 listings. With `preview` nothing is changed."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=bulk.MOST)]
    change: bulk.BulkChange
    preview: bool = False


class BulkRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became, or would become, of one listing; `refusal` is empty when it is done."""

    id: UUID
    refusal: str
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None


def _seller(actor: Actor) -> UUID:
    assert actor.seller_id is not None
    return actor.seller_id


@post("/api/v1/listings", access=access.SELLER, idempotent=True, rate="write")
async def create_listing(
    data: CreateListing, db: Database, settings: Settings, actor: Actor
) -> listings.OwnListing:
    """Create a draft with its variants and their stock."""
    clean_text(data.title, path="title")
    fields = msgspec.structs.asdict(data)
    del fields["variants"]
    fields["currency"] = data.currency or settings.currency
    new = listings.NewListing(**fields)
    listing = await db.transact(
        lambda tx: flow.create(
            tx,
            actor,
            seller_id=_seller(actor),
            data=new,
            variants=[variant.stocked() for variant in data.variants],
        )
    )
    return listings.own_view(listing)


@post("/api/v1/listings/bulk", access=access.SELLER, rate="write", status_code=200)
async def edit_many(data: BulkEdit, db: Database, actor: Actor) -> list[BulkRow]:
    """Change many listings alike, each on its own: one that is refused keeps no other back."""
    data.change.check()
    seller_id = _seller(actor)
    async with db.read() as conn:
        found = await listings.own_many(conn, list(dict.fromkeys(data.ids)), seller_id=seller_id)
    rows: list[BulkRow] = []
    for planned in (bulk.plan(listing, data.change) for listing in found):
        refusal = planned.refusal
        if not refusal and not data.preview:
            refusal = await _apply(db, actor, planned.id, data.change)
        rows.append(
            BulkRow(id=planned.id, refusal=refusal, before=planned.before, after=planned.after)
        )
    return rows


async def _apply(db: Database, actor: Actor, listing_id: UUID, change: bulk.BulkChange) -> str:
    try:
        await db.transact(
            lambda tx: bulk.apply(
                tx, actor, seller_id=_seller(actor), listing_id=listing_id, change=change
            )
        )
    except DomainError as error:
        return error.message
    return ""


@patch("/api/v1/listings/{listing_id:uuid}", access=access.SELLER, rate="write")
async def change_listing(
    data: ChangeListing, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> listings.OwnListing:
    """Change some fields."""
    fields = msgspec.structs.asdict(data)
    version = fields.pop("version")
    changes = listings.ListingChanges(**fields)
    listing = await db.transact(
        lambda tx: flow.change(
            tx,
            actor,
            seller_id=_seller(actor),
            listing_id=listing_id,
            changes=changes,
            version=version,
        )
    )
    return listings.own_view(listing)


@put("/api/v1/listings/{listing_id:uuid}/variants", access=access.SELLER, rate="write")
async def set_variants(
    data: SetVariants, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> listings.OwnListing:
    """Replace all variants."""
    listing = await db.transact(
        lambda tx: flow.set_variants(
            tx,
            actor,
            seller_id=_seller(actor),
            listing_id=listing_id,
            variants=[variant.stocked() for variant in data.variants],
            version=data.version,
        )
    )
    return listings.own_view(listing)


@post(
    "/api/v1/listings/{listing_id:uuid}/submit", access=access.SELLER, rate="write", status_code=200
)
async def submit(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> listings.OwnListing:
    """Publish a draft, or send it to review."""
    listing = await db.transact(
        lambda tx: flow.submit(tx, actor, seller_id=_seller(actor), listing_id=listing_id)
    )
    return listings.own_view(listing)


class PublishAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`publish_at` with its offset from UTC."""

    publish_at: Annotated[datetime, Meta(tz=True)]


@put(
    "/api/v1/listings/{listing_id:uuid}/schedule",
    access=access.SELLER,
    rate="write",
    status_code=204,
)
async def schedule(data: PublishAt, db: Database, actor: Actor, listing_id: FromPath[UUID]) -> None:
    """Publish a draft at a time, instead of at the one that was chosen before."""
    await db.transact(
        lambda tx: listings.scheduling.plan(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id, at=data.publish_at
        )
    )


@delete("/api/v1/listings/{listing_id:uuid}/schedule", access=access.SELLER, rate="write")
async def cancel_schedule(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> None:
    """The draft no longer publishes itself."""
    await db.transact(
        lambda tx: listings.scheduling.cancel(
            tx, actor, seller_id=_seller(actor), listing_id=listing_id
        )
    )


@post(
    "/api/v1/listings/{listing_id:uuid}/resume", access=access.SELLER, rate="write", status_code=200
)
async def resume(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> listings.OwnListing:
    """Show a paused listing again."""
    listing = await db.transact(
        lambda tx: flow.resume(tx, actor, seller_id=_seller(actor), listing_id=listing_id)
    )
    return listings.own_view(listing)


@post(
    "/api/v1/admin/listings/{listing_id:uuid}/approve",
    access=access.operator(Permission.LISTINGS_REVIEW),
    rate="write",
    status_code=200,
)
async def approve(db: Database, actor: Actor, listing_id: FromPath[UUID]) -> listings.OwnListing:
    """Show a listing that waited for review or was flagged."""
    listing = await db.transact(lambda tx: flow.approve(tx, actor, listing_id=listing_id))
    return listings.own_view(listing)


routes = [
    create_listing, edit_many, change_listing, set_variants, submit, schedule, cancel_schedule,
    resume, approve,
]  # fmt: skip
