"""`/api/v1/listings`: reading what is for sale.

The answers are bytes that were rendered when the listings changed; the annotations of the handlers
name their types for the API's description.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.flows.browse import comparing, flow
from souk.flows.browse.search import SearchAnswer, filters_of, found, query_log
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text
from souk.platform.services import Services

_JSON = "application/json"


class ListingDetail(listings.ListingDocument, frozen=True, kw_only=True):
    """A listing with how many of each variant can be bought now."""

    stock: list[flow.VariantStock]


@get(
    "/api/v1/listings",
    access=access.PUBLIC,
    shared=1.0,
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
    "/api/v1/listings/search",
    access=access.PUBLIC,
    rate="search",
    responses={200: ResponseSpec(SearchAnswer, generate_examples=False)},
)
async def search_listings(
    request: Request[Any, Any, Any],
    db: Database,
    services: Services,
    q: Annotated[str, QueryParameter(max_length=search.MAX_TEXT)] = "",
    category: Annotated[str, QueryParameter(max_length=80)] = "",
    seller: Annotated[UUID | None, QueryParameter()] = None,
    kind: Annotated[listings.Kind | None, QueryParameter()] = None,
    price_min: Annotated[int | None, QueryParameter(ge=0)] = None,
    price_max: Annotated[int | None, QueryParameter(ge=0)] = None,
    rating_min: Annotated[float | None, QueryParameter(ge=0, le=5)] = None,
    in_stock: Annotated[bool | None, QueryParameter()] = None,
    sort: Annotated[search.Sort, QueryParameter()] = search.Sort.RELEVANCE,
    page: Annotated[int, QueryParameter(ge=1, le=10_000)] = 1,
    limit: Annotated[int, QueryParameter(ge=1, le=search.MAX_SIZE)] = 20,
) -> Response[bytes]:
    """Search with facets. Attributes are `attr.<code>=<value>` (repeat for alternatives),
    `min.<code>` and `max.<code>`; prices are minor units; `category` is an id or a slug."""
    choices, ranges = filters_of(list(request.query_params.multi_items()))
    engine = services.get(search.SearchEngine)
    text = clean_text(q, path="q")
    async with db.read() as conn:
        category_id = None
        if category:
            key = parse_uuid(category) or clean_text(category, path="category")
            category_id = await flow.category_id_of(conn, key)
        query = search.SearchQuery(
            text=text,
            category_id=category_id,
            seller_ids=[seller] if seller else [],
            kinds=[kind.value] if kind else [],
            price_min=price_min,
            price_max=price_max,
            rating_min=rating_min,
            in_stock=in_stock,
            attributes=choices,
            ranges=ranges,
            sort=sort,
            page=page,
            size=limit,
        )
        answer, total = await found(conn, engine, query)
    if page == 1:
        await query_log.add(db, text=text, total=total)
    return Response(answer, media_type=_JSON)


@get("/api/v1/listings/suggest", access=access.PUBLIC, rate="search")
async def suggest(
    services: Services, prefix: Annotated[str, QueryParameter(max_length=200)]
) -> list[search.Suggestion]:
    """What the beginning of a search may become."""
    engine = services.get(search.SearchEngine)
    return engine.suggest(clean_text(prefix, path="prefix"))


@get("/api/v1/listings/compare", access=access.PUBLIC, rate="search")
async def compare_listings(
    db: Database,
    asked: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=200)]],
        QueryParameter(name="listing"),
    ],
) -> comparing.Comparison:
    """Two to four listings side by side: what each says of every attribute, and what differs.
    `listing` is an id or a slug, once for each; what is not for sale is named in `left_out`."""
    keys = list(dict.fromkeys(clean_text(key, path="listing") for key in asked))
    if not comparing.FEWEST <= len(keys) <= comparing.MOST:
        message = "Name two to four different listings, each as `listing=` with its id or slug."
        raise InvalidInput(message, problems=[FieldProblem("listing", "out_of_range", message)])
    async with db.read() as conn:
        return await comparing.compare(conn, keys)


@get(
    "/api/v1/listings/{key:str}",
    access=access.PUBLIC,
    shared=1.0,
    responses={200: ResponseSpec(ListingDetail, generate_examples=False)},
)
async def read_listing(
    db: Database, key: Annotated[str, PathParameter(max_length=80)]
) -> Response[bytes]:
    """One listing by id or slug, with live stock."""
    async with db.read() as conn:
        found = await flow.detail(conn, parse_uuid(key) or clean_text(key, path="key"))
    return Response(found, media_type=_JSON)


routes = [list_listings, search_listings, suggest, compare_listings, read_listing]
