"""What machines read of a listing: schema.org JSON-LD, and a short description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.kernel.money import exponent
from souk.platform.settings import Settings

_CONDITIONS = {
    "new": "NewCondition",
    "like_new": "UsedCondition",
    "good": "UsedCondition",
    "fair": "UsedCondition",
    "poor": "DamagedCondition",
}
_SHORT = 155


def summary_of(document: listings.ListingDocument) -> str:
    """The first words of the description, for search engines and links."""
    text = listings.plain_text(document.description_html)
    if len(text) <= _SHORT:
        return text or document.title
    return text[:_SHORT].rsplit(" ", 1)[0] + "…"


def product_json(
    document: listings.ListingDocument,
    *,
    settings: Settings,
    in_stock: bool,
    rating: Mapping[str, Any] | None = None,
    said: Sequence[reviews.ReviewView] = (),
) -> str:
    """A schema.org Product, safe inside a script element: `<` cannot end it.

    `rating` has `average` and `count`; `said` are the reviews that the page shows.
    """
    condition = _CONDITIONS.get(document.condition or "new", "NewCondition")
    state = "InStock" if in_stock else "OutOfStock"
    product: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": document.title,
        "description": summary_of(document),
        "url": f"{settings.base_url}/listing/{document.slug}",
        "image": [settings.base_url + image.url for image in document.images],
        "itemCondition": f"https://schema.org/{condition}",
        "offers": [
            {
                "@type": "Offer",
                "sku": variant.sku,
                "price": _decimal(variant.price.amount, variant.price.currency),
                "priceCurrency": variant.price.currency,
                "availability": f"https://schema.org/{state}",
                "seller": {"@type": "Organization", "name": document.seller.name},
            }
            for variant in document.variants
        ],
    }
    if rating is not None and rating["count"]:
        product["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": rating["average"],
            "reviewCount": rating["count"],
            "bestRating": 5,
            "worstRating": 1,
        }
        product["review"] = [_review(one) for one in said]
    text = msgspec.json.encode(product).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _review(review: reviews.ReviewView) -> dict[str, Any]:
    return {
        "@type": "Review",
        "author": {"@type": "Person", "name": review.author or "A buyer"},
        "datePublished": review.created_at.date().isoformat(),
        "reviewBody": review.text,
        "reviewRating": {"@type": "Rating", "ratingValue": review.stars, "bestRating": 5},
    }


def _decimal(amount: int, currency: str) -> str:
    places = exponent(currency)
    return f"{amount / 10**places:.{places}f}"
