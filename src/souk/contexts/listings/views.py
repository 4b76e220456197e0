"""A listing as its own seller and the operator see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings.domain import Listing, publishing_problems
from souk.contexts.listings.rendering import ImageView, image_view


class OwnVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant, inactive ones included; amounts are minor units of the listing's currency."""

    id: UUID
    title: str
    options: dict[str, str]
    sku: str
    price: int
    compare_at: int | None
    weight_g: int | None
    active: bool


class OwnFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that buyers get now; `size` in bytes."""

    id: UUID
    filename: str
    media_type: str
    size: int
    sha256: str
    version: int
    created_at: datetime


class Missing(msgspec.Struct, frozen=True):
    """Something that publishing still needs; stock is not judged here."""

    path: str
    code: str
    message: str


class OwnListing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a listing. Send `version` back with a change to notice others' changes."""

    id: UUID
    seller_id: UUID
    kind: str
    state: str
    title: str
    slug: str
    description_html: str
    category_id: UUID | None
    species_id: UUID | None
    attributes: dict[str, object]
    tags: list[str]
    currency: str
    condition: str | None
    condition_note: str
    location: str
    live_plant: bool
    seo_title: str
    seo_description: str
    review_note: str
    version: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    variants: list[OwnVariant]
    images: list[ImageView]
    files: list[OwnFile]
    missing: list[Missing]


_SAME = [
    name
    for name in OwnListing.__struct_fields__
    if name not in {"variants", "images", "files", "missing"}
]


def own_view(listing: Listing) -> OwnListing:
    """The listing with what is still missing, and without where its files lie."""
    fields = {name: getattr(listing, name) for name in _SAME}
    return OwnListing(
        **fields,
        variants=[
            OwnVariant(
                id=variant.id,
                title=variant.title,
                options=variant.options,
                sku=variant.sku,
                price=variant.price,
                compare_at=variant.compare_at,
                weight_g=variant.weight_g,
                active=variant.active,
            )
            for variant in listing.variants
        ],
        images=[image_view(image) for image in listing.images],
        files=[
            OwnFile(
                id=file.id,
                filename=file.filename,
                media_type=file.media_type,
                size=file.size,
                sha256=file.sha256,
                version=file.version,
                created_at=file.created_at,
            )
            for file in listing.current_files
        ],
        missing=[
            Missing(problem.path, problem.code, problem.message)
            for problem in publishing_problems(listing, in_stock=True)
        ],
    )
