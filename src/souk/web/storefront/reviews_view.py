"""Reviews as templates want them: on a listing's or shop's page, and on pages of their own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.platform.database import ReadConn
from souk.web.page import Req, pages_of, translate, viewer_of
from souk.web.storefront.structured import product_json

_FIRST = 4
_PAGE = 20


class Asked(msgspec.Struct, frozen=True):
    """Which reviews a visitor wants to read, and from where on."""

    stars: int | None = None
    photos: bool = False
    sort: reviews.Order = reviews.Order.HELPFUL
    cursor: str | None = None

    def query(self, **changes: object) -> str:
        """The address's query with some parts changed; what is as usual is left out."""
        said: dict[str, object] = {
            "stars": self.stars,
            "photos": 1 if self.photos else None,
            "sort": None if self.sort is reviews.Order.HELPFUL else self.sort.value,
            "cursor": self.cursor,
        } | changes
        kept = {name: value for name, value in said.items() if value is not None}
        return f"?{urlencode(kept)}" if kept else ""


def rating_item(found: reviews.Rating) -> dict[str, Any]:
    """For `rating_head`."""
    counts = {number: found.stars[number - 1] for number in range(1, 6)}
    return {"average": found.average, "count": found.count, "counts": counts}


async def _view(
    request: Req,
    conn: ReadConn,
    subject_id: UUID,
    *,
    about: str,
    title: str,
    seller_name: str,
    asked: Asked,
    limit: int,
) -> dict[str, Any]:
    """Two statements, three for somebody who is signed in."""
    page = await reviews.of_subject(
        conn,
        subject_id,
        stars=asked.stars,
        with_photos=asked.photos,
        order=asked.sort,
        cursor=asked.cursor,
        limit=limit,
    )
    found = await reviews.rating(conn, subject_id)
    viewer = await viewer_of(request)
    voted: frozenset[UUID] = frozenset()
    if viewer is not None and viewer.actor.user_id is not None and page.items:
        ids = [one.id for one in page.items]
        voted = await reviews.voted(conn, viewer.actor.user_id, ids)
    url = f"{about}/reviews"
    more = page.next_cursor
    return {
        "rating": rating_item(found),
        "items": page.items,
        "voted": voted,
        "title": title,
        "seller_name": seller_name,
        "about": about,
        "back": about,
        "url": url,
        "here": url + asked.query(),
        "next_url": url + asked.query(cursor=more) if more else None,
        "first_url": url + asked.query(cursor=None) if asked.cursor else None,
        "sort": asked.sort.value,
        "stars": asked.stars,
        "photos": asked.photos,
        "chips": _chips(request, asked, url),
    }


def _chips(request: Req, asked: Asked, url: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    if asked.stars:
        text = translate(request, "Stars: %(n)s") % {"n": asked.stars}
        without = url + asked.query(stars=None, cursor=None)
        found.append({"text": text, "remove_url": without})
    if asked.photos:
        without = url + asked.query(photos=None, cursor=None)
        found.append({"text": translate(request, "With photos"), "remove_url": without})
    return found


async def reviews_of_listing(
    request: Req,
    conn: ReadConn,
    document: listings.ListingDocument,
    *,
    asked: Asked | None = None,
) -> dict[str, Any]:
    """`reviews` for `storefront/reviews_of.html` or, with `asked`, for the page of reviews."""
    found = await _view(
        request,
        conn,
        document.id,
        about=f"/listing/{document.slug}",
        title=document.title,
        seller_name=document.seller.name,
        asked=asked or Asked(),
        limit=_PAGE if asked else _FIRST,
    )
    text = "Nobody has reviewed this yet. Who buys it here can be the first."
    return found | {"empty": translate(request, text)}


async def reviews_of_shop(
    request: Req, conn: ReadConn, shop: sellers.SellerView, *, asked: Asked | None = None
) -> dict[str, Any]:
    """As `reviews_of_listing`, of the seller."""
    found = await _view(
        request,
        conn,
        shop.id,
        about=f"/s/{shop.slug}",
        title=shop.name,
        seller_name=shop.name,
        asked=asked or Asked(),
        limit=_PAGE if asked else _FIRST,
    )
    text = "Nobody has reviewed this seller yet. Who buys here can be the first."
    return found | {"empty": translate(request, text)}


async def listing_extras(
    request: Req, document: listings.ListingDocument, *, in_stock: bool
) -> dict[str, Any]:
    """What reviews add to a listing's page: their section, and their part of the JSON-LD."""
    services = pages_of(request).services
    async with services.db.read() as conn:
        found = await reviews_of_listing(request, conn, document)
    data = product_json(
        document,
        settings=services.settings,
        in_stock=in_stock,
        rating=found["rating"],
        said=found["items"],
    )
    return {"reviews": found, "json_ld": data}
