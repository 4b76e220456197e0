"""The public JSON of a listing, rendered once per change and not once per request. Pure.

A page of a list is the joined `card` bytes of its rows; a detail answer is the `document` bytes
with live stock added. Both are stored beside the listing in the transaction that changes it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.listings.domain import Image, Listing, SellerFacts, Variant
from souk.platform.http.wire import MoneyWire

RENDITION_WIDTHS = (320, 480, 640, 960, 1280)
MEDIA_PATH = "/media/"


class ImageView(msgspec.Struct, frozen=True):
    """`url` is the full size, for a close look; `srcset` has each rendition's address and width."""

    id: UUID
    key: str
    alt: str
    width: int
    height: int
    url: str
    srcset: str


class SellerRef(msgspec.Struct, frozen=True):
    """Whose listing it is."""

    id: UUID
    name: str
    slug: str


class ListingCard(msgspec.Struct, frozen=True, kw_only=True):
    """A listing in a list. `price` is the lowest; `price_max` is there when prices differ. `rating`
    is the average of its reviews, from 1 to 5."""

    id: UUID
    slug: str
    title: str
    kind: str
    state: str
    seller: SellerRef
    price: MoneyWire | None
    price_max: MoneyWire | None = None
    compare_at: MoneyWire | None = None
    image: ImageView | None = None
    category_id: UUID | None = None
    condition: str | None = None
    location: str = ""
    live_plant: bool = False
    rating: float | None = None
    rating_count: int = 0
    published_at: datetime | None = None


class VariantView(msgspec.Struct, frozen=True, kw_only=True):
    """One variant as buyers see it."""

    id: UUID
    title: str
    options: dict[str, str]
    sku: str
    price: MoneyWire
    compare_at: MoneyWire | None
    weight_g: int | None


class FileView(msgspec.Struct, frozen=True):
    """A digital file as buyers see it before they buy: no key, no address."""

    id: UUID
    filename: str
    media_type: str
    size: int


class ListingDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A listing's public detail. Stock is not part of it: it is added when it is read."""

    id: UUID
    slug: str
    title: str
    kind: str
    state: str
    seller: SellerRef
    price: MoneyWire | None
    price_max: MoneyWire | None
    description_html: str
    category_id: UUID | None
    category_path: list[UUID]
    species_id: UUID | None
    attributes: dict[str, object]
    tags: list[str]
    condition: str | None
    condition_note: str
    location: str
    live_plant: bool
    seo_title: str
    seo_description: str
    variants: list[VariantView]
    images: list[ImageView]
    files: list[FileView]
    published_at: datetime | None
    updated_at: datetime
    version: int
    rating: float | None = None
    rating_count: int = 0


_encode = msgspec.json.Encoder().encode


def rendition_widths(width: int) -> tuple[int, ...]:
    """The names of the renditions of a picture of this width, in pixels; the last may be wider than
    the picture, and then has its width."""
    narrower = sum(each < width for each in RENDITION_WIDTHS)
    return RENDITION_WIDTHS[: narrower + 1]


def image_view(image: Image) -> ImageView:
    """A picture with the addresses of its sizes; `srcset` names widths in pixels."""
    base = f"{MEDIA_PATH}{image.key}"
    srcset = [
        f"{base}/{width}.webp {min(width, image.width)}w" for width in rendition_widths(image.width)
    ]
    return ImageView(
        id=image.id,
        key=image.key,
        alt=image.alt,
        width=image.width,
        height=image.height,
        url=f"{base}/full.webp",
        srcset=", ".join(srcset),
    )


def card_of(listing: Listing, seller: SellerFacts) -> ListingCard:
    low, high = _price_range(listing)
    cheapest = _cheapest(listing)
    return ListingCard(
        id=listing.id,
        slug=listing.slug,
        title=listing.title,
        kind=listing.kind,
        state=listing.state,
        seller=SellerRef(seller.id, seller.name, seller.slug),
        price=low,
        price_max=high if high != low else None,
        compare_at=_money(cheapest.compare_at, listing.currency) if cheapest else None,
        image=image_view(listing.images[0]) if listing.images else None,
        category_id=listing.category_id,
        condition=listing.condition,
        location=listing.location,
        live_plant=listing.live_plant,
        rating=listing.rating,
        rating_count=listing.rating_count,
        published_at=listing.published_at,
    )


def document_of(listing: Listing, seller: SellerFacts) -> ListingDocument:
    low, high = _price_range(listing)
    return ListingDocument(
        id=listing.id,
        slug=listing.slug,
        title=listing.title,
        kind=listing.kind,
        state=listing.state,
        seller=SellerRef(seller.id, seller.name, seller.slug),
        price=low,
        price_max=high if high != low else None,
        description_html=listing.description_html,
        category_id=listing.category_id,
        category_path=listing.category_path,
        species_id=listing.species_id,
        attributes=listing.attributes,
        tags=listing.tags,
        condition=listing.condition,
        condition_note=listing.condition_note,
        location=listing.location,
        live_plant=listing.live_plant,
        seo_title=listing.seo_title or listing.title,
        seo_description=listing.seo_description,
        variants=[
            variant_view(variant, listing.currency)
            for variant in listing.variants
            if variant.active
        ],
        images=[image_view(image) for image in listing.images],
        files=[
            FileView(file.id, file.filename, file.media_type, file.size)
            for file in listing.current_files
        ],
        published_at=listing.published_at,
        updated_at=listing.updated_at,
        version=listing.version,
        rating=listing.rating,
        rating_count=listing.rating_count,
    )


def variant_view(variant: Variant, currency: str) -> VariantView:
    """What buyers see of a variant, its prices in `currency`."""
    return VariantView(
        id=variant.id,
        title=variant.title,
        options=variant.options,
        sku=variant.sku,
        price=MoneyWire(variant.price, currency),
        compare_at=_money(variant.compare_at, currency),
        weight_g=variant.weight_g,
    )


def render(listing: Listing, seller: SellerFacts) -> tuple[bytes, bytes]:
    """The stored `card` and `document`."""
    return _encode(card_of(listing, seller)), _encode(document_of(listing, seller))


def _money(amount: int | None, currency: str) -> MoneyWire | None:
    return None if amount is None else MoneyWire(amount, currency)


def _price_range(listing: Listing) -> tuple[MoneyWire | None, MoneyWire | None]:
    prices = listing.prices
    if prices is None:
        return None, None
    return MoneyWire(prices[0], listing.currency), MoneyWire(prices[1], listing.currency)


def _cheapest(listing: Listing) -> Variant | None:
    active = [variant for variant in listing.variants if variant.active]
    return min(active, key=lambda variant: variant.price, default=None)
