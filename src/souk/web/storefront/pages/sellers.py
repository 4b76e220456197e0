"""The sellers, and each one's storefront."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.addresses import country_name
from souk.web.page import Req, language_of, media_url, page, pages_of
from souk.web.storefront.cards import card_items
from souk.web.storefront.reviews_view import reviews_of_shop

Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
Words = Annotated[str, QueryParameter(max_length=200)]
_SHOPS = 24


@get("/sellers", access=access.PUBLIC, include_in_schema=False)
async def sellers_page(request: Req, db: Database, cursor: Cursor = None) -> Response[bytes]:
    """Every open shop, newest first."""
    async with db.read() as conn:
        found = await sellers.open_shops(conn, cursor=cursor, limit=_SHOPS)
    language = language_of(request)
    shops = [
        {
            "name": shop.name,
            "url": f"/s/{shop.slug}",
            "image_url": media_url(shop.logo_key, 320),
            "rating": shop.rating,
            "rating_count": shop.rating_count,
            "place": country_name(shop.country, language),
        }
        for shop in found.items
    ]
    following = f"/sellers?cursor={found.next_cursor}" if found.next_cursor else None
    return await page(request, "storefront/sellers.html", shops=shops, next_url=following)


@get("/s/{slug:str}", access=access.PUBLIC, rate="search", include_in_schema=False)
async def storefront_page(
    request: Req,
    db: Database,
    settings: Settings,
    slug: FromPath[str],
    q: Words = "",
    cursor: Cursor = None,
) -> Response[bytes]:
    """One shop with its listings, and a search in them."""
    words = q.strip().replace("\x00", "")
    async with db.read() as conn:
        shop = await sellers.by_slug(conn, slug)
        if words:
            cards, total = await _searched(conn, pages_of(request).engine, shop.id, words)
            following = None
        else:
            found = await listings.newest(conn, seller_id=shop.id, cursor=cursor, limit=_SHOPS)
            cards, total, following = found.items, None, found.next_cursor
        said = await reviews_of_shop(request, conn, shop)
    return await page(
        request,
        "storefront/seller.html",
        shop=shop,
        country=country_name(shop.country, language_of(request)),
        words=words,
        # Every card is of this seller: the page has the name once.
        items=[{**item, "seller_name": None} for item in card_items(cards)],
        reviews=said,
        total=total,
        next_url=f"/s/{slug}?cursor={following}" if following else None,
        canonical_url=f"{settings.base_url}/s/{slug}",
        noindex=bool(words or cursor),
    )


async def _searched(
    conn: ReadConn, engine: search.SearchEngine, seller_id: UUID, words: str
) -> tuple[list[listings.ListingCard], int]:
    query = search.SearchQuery(text=words, seller_ids=[seller_id], size=60, facets=False)
    result = await search.search(engine, query)
    return await listings.cards(conn, result.ids), result.total


routes: list[Any] = [sellers_page, storefront_page]
