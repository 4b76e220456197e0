"""What machines read of a listing: schema.org JSON-LD, and a short description."""

from __future__ import annotations

from typing import Any

import msgspec

from souk.contexts.listings import api as listings
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


def product_json(document: listings.ListingDocument, *, settings: Settings, in_stock: bool) -> str:
    """A schema.org Product, safe inside a script element: `<` cannot end it."""
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
    text = msgspec.json.encode(product).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _decimal(amount: int, currency: str) -> str:
    places = exponent(currency)
    return f"{amount / 10**places:.{places}f}"
