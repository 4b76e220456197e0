"""`/api/v1/listings`: reading what is for sale.

The answers are bytes that were rendered when the listings changed; the annotations of the handlers
name their types for the API's description.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter

from souk.contexts.listings import api as listings
from souk.flows.browse import flow
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text

_JSON = "application/json"


class ListingDetail(listings.ListingDocument, frozen=True, kw_only=True):
    """A listing with how many of each variant can be bought now."""

    stock: list[flow.VariantStock]


@get(
    "/api/v1/listings",
    access=access.PUBLIC,
    responses={200: ResponseSpec(Listed[listings.ListingCard], generate_examples=False)},
)
async def list_listings(
    db: Database,
    category: Annotated[str, QueryParameter(max_length=80)] = "",
    seller: Annotated[UUID | None, QueryParameter()] = None,
    kind: Annotated[listings.Kind | None, QueryParameter()] = None,
    cursor: Annotated[str | None, QueryParameter(max_length=1024)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
) -> Response[bytes]:
    """What is for sale, newest first; `category` is an id or a slug and includes all below it."""
    async with db.read() as conn:
        category_id = None
        if category:
            key = parse_uuid(category) or clean_text(category, path="category")
            category_id = await flow.category_id_of(conn, key)
        page = await listings.newest_bytes(
            conn,
            category_id=category_id,
            seller_id=seller,
            kind=kind,
            cursor=cursor,
            limit=limit,
        )
    return Response(flow.listed(page), media_type=_JSON)


@get(
    "/api/v1/listings/{key:str}",
    access=access.PUBLIC,
    responses={200: ResponseSpec(ListingDetail, generate_examples=False)},
)
async def read_listing(
    db: Database, key: Annotated[str, PathParameter(max_length=80)]
) -> Response[bytes]:
    """One listing by id or slug, with live stock."""
    async with db.read() as conn:
        found = await flow.detail(conn, parse_uuid(key) or clean_text(key, path="key"))
    return Response(found, media_type=_JSON)


routes = [list_listings, read_listing]
