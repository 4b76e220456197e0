"""Listings as the card macro wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from souk.contexts.listings import api as listings
from souk.web.page import media_url

_PER_SELLER = 2


def card_items(cards: Iterable[listings.ListingCard]) -> list[dict[str, Any]]:
    """For `card_grid` and `card_row`; listings without a price are left out."""
    return [_item(card) for card in cards if card.price is not None]


def _item(card: listings.ListingCard) -> dict[str, Any]:
    image = card.image
    return {
        "id": card.id,
        "slug": card.slug,
        "title": card.title,
        "url": f"/listing/{card.slug}",
        "image_url": media_url(image.key, 640) if image else None,
        "image_srcset": image.srcset if image else None,
        "image_alt": image.alt if image else "",
        "price": card.price,
        "compare_at": card.compare_at,
        "seller_name": card.seller.name,
        "seller_url": f"/s/{card.seller.slug}",
        "rating": card.rating,
        "rating_count": card.rating_count,
        "kind": card.kind,
        "condition": card.condition,
        "in_stock": card.state == "active",
        "place": card.location,
    }


def value_text(value: object, *, unit: str = "") -> str:
    """An attribute's value in words; booleans are left to the template."""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value} {unit}".strip()


def compare_url(slugs: Iterable[str], *, only: bool = False) -> str:
    """The page that shows these side by side; `only` leaves out the rows in which they agree."""
    params = [("listing", slug) for slug in slugs]
    return f"/compare?{urlencode([*params, ('differs', '1')] if only else params)}"


def gallery_images(images: Iterable[listings.ImageView], title: str) -> list[Mapping[str, str]]:
    """For the `gallery` macro."""
    return [
        {
            "url": image.srcset.split(", ")[-1].split()[0],
            "large_url": image.url,
            "thumb_url": media_url(image.key, 320) or "",
            "srcset": image.srcset,
            "alt": image.alt or title,
        }
        for image in images
    ]


def mixed(cards: Iterable[listings.ListingCard], *, most: int) -> list[listings.ListingCard]:
    """The first of `cards` with no seller and no kind of thing taking up the row.

    At most two per seller at first; what is still missing is filled up in order.
    """
    first: list[listings.ListingCard] = []
    rest: list[listings.ListingCard] = []
    by_seller: dict[object, int] = {}
    for card in cards:
        n = by_seller.get(card.seller.id, 0)
        by_seller[card.seller.id] = n + 1
        (first if n < _PER_SELLER and card.image is not None else rest).append(card)
    return [*first, *rest][:most]
