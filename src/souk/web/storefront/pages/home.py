"""The home page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get

from souk.contexts.listings import api as listings
from souk.platform.http import access
from souk.web.page import Req, cached_page, media_url, pages_of, tree_of
from souk.web.storefront.cards import card_items

_ROOTS = 8
_ROWS = 4
_FRESH = 10


@get("/", access=access.PUBLIC, include_in_schema=False)
async def home_page(request: Req) -> Response[bytes]:
    """What is new, and a row per category; the rows are looked at again every minute."""
    db, settings = pages_of(request).services.db, pages_of(request).settings
    async with db.read() as conn:
        fresh = await listings.newest(conn, limit=_FRESH)

    async def build() -> Mapping[str, Any]:
        roots = (await tree_of(request)).roots[:_ROOTS]
        rows: list[dict[str, Any]] = []
        categories: list[dict[str, Any]] = []
        async with db.read() as conn:
            for root in roots:
                found = (await listings.newest(conn, category_id=root.id, limit=10)).items
                image = next((card.image for card in found if card.image), None)
                picture = media_url(image.key, 320) if image else None
                categories.append({"name": root.name, "slug": root.slug, "image_url": picture})
                if len(found) > 3 and len(rows) < _ROWS:
                    url = f"/c/{root.slug}"
                    rows.append({"name": root.name, "url": url, "items": card_items(found)})
        return {
            "fresh": card_items(fresh.items),
            "rows": rows,
            "categories": categories,
            "arches": [c["image_url"] for c in categories if c["image_url"]],
            "canonical_url": f"{settings.base_url}/",
        }

    minute = int(db.clock.now().timestamp()) // 60
    key = (minute, *((card.id, card.price, card.state) for card in fresh.items))
    return await cached_page(request, "storefront/home.html", key=key, build=build)


routes: list[Any] = [home_page]
