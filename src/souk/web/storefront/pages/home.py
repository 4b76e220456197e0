"""The home page."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.platform.database import ReadConn
from souk.platform.http import access
from souk.web.addresses import country_name
from souk.web.page import Req, cached_page, language_of, media_url, pages_of, tree_of
from souk.web.storefront.cards import card_items, mixed

_ROOTS = 8
_ROWS = 2
_FRESH = 10
_LOOKED_AT = 100
_SHOPS = 6
_FEW = 4


@get("/", access=access.PUBLIC, include_in_schema=False)
async def home_page(request: Req) -> Response[bytes]:
    """What is new and popular, second-hand finds, files, and the categories as the operator
    ordered them; the rows are looked at again every minute."""
    db, settings = pages_of(request).services.db, pages_of(request).settings
    async with db.read() as conn:
        fresh = await listings.newest(conn, limit=_FRESH)

    async def build() -> Mapping[str, Any]:
        tree = await tree_of(request)
        async with db.read() as conn:
            newest = (await listings.newest(conn, limit=_LOOKED_AT)).items
            shown = mixed(newest, most=_FRESH)
            known = {card.id for card in shown}
            categories, rows = await _categories(conn, tree, known)
            kinds = await _kinds(conn)
            shops = (await sellers.open_shops(conn, limit=_SHOPS)).items
            popular = await _popular(conn, pages_of(request).engine)
        language = language_of(request)
        return {
            "fresh": card_items(shown),
            "popular": [item for item in popular if item["id"] not in known],
            **kinds,
            "categories": categories,
            "rows": rows,
            "shops": [_shop(shop, language) for shop in shops],
            "canonical_url": f"{settings.base_url}/",
        }

    minute = int(db.clock.now().timestamp()) // 60
    key = (minute, *((card.id, card.price, card.state) for card in fresh.items))
    return await cached_page(request, "storefront/home.html", key=key, build=build)


async def _categories(
    conn: ReadConn, tree: catalog.Tree, known: Container[UUID]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The arcade of categories with a picture each, and the first ones with their listings; what
    is `known` from another row comes last."""
    arcade: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for root in tree.roots[:_ROOTS]:
        found = (await listings.newest(conn, category_id=root.id, limit=30)).items
        image = next((card.image for card in found if card.image), None)
        picture = media_url(image.key, 320) if image else None
        arcade.append({"name": root.name, "slug": root.slug, "image_url": picture})
        if len(found) >= _FEW and len(rows) < _ROWS:
            ordered = sorted(found, key=lambda card: card.id in known)
            below = [
                {"text": each.name, "url": f"/c/{each.slug}"} for each in tree.children(root.id)
            ]
            rows.append(
                {
                    "name": root.name,
                    "text": root.description,
                    "url": f"/c/{root.slug}",
                    "below": below[:8],
                    "items": card_items(mixed(ordered, most=_FEW)),
                }
            )
    return arcade, rows


async def _kinds(conn: ReadConn) -> dict[str, Any]:
    used = await listings.newest(conn, kind=listings.Kind.SECONDHAND, limit=24)
    files = await listings.newest(conn, kind=listings.Kind.DIGITAL, limit=24)
    return {
        "used": card_items(mixed(used.items, most=10)),
        "files": card_items(mixed(files.items, most=10)),
    }


async def _popular(conn: ReadConn, engine: search.SearchEngine) -> list[dict[str, Any]]:
    """What is bought and looked at most; nothing while the index is new."""
    query = search.SearchQuery(sort=search.Sort.POPULAR, in_stock=True, size=40, facets=False)
    try:
        result = await search.search(engine, query)
    except search.SearchUnavailable:
        return []
    return card_items(mixed(await listings.cards(conn, result.ids), most=12))


def _shop(shop: sellers.SellerCard, language: str) -> dict[str, Any]:
    return {
        "name": shop.name,
        "url": f"/s/{shop.slug}",
        "image_url": media_url(shop.logo_key, 320),
        "rating": shop.rating,
        "rating_count": shop.rating_count,
        "place": country_name(shop.country, language),
    }


routes: list[Any] = [home_page]
