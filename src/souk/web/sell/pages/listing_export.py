"""All listings that the list would show, as the product CSV that the import takes back."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from souk.contexts.listings import api as listings
from souk.flows.publish_listing import export
from souk.kernel.actor import Actor
from souk.kernel.page import Page
from souk.platform.database import Database
from souk.platform.http import access, csv
from souk.platform.settings import Settings
from souk.web.desk import seller_of
from souk.web.sell.pages.listings import Asked

_BATCH = 100
"""Listings at once: each comes with its variants, pictures and description."""


@get("/sell/listings/table.csv", access=access.SELLER, include_in_schema=False)
async def listings_csv(
    db: Database,
    actor: Actor,
    settings: Settings,
    chosen: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    q: Annotated[str, QueryParameter(max_length=200)] = "",
    kind: Annotated[str, QueryParameter(max_length=20)] = "",
    category: Annotated[str, QueryParameter(max_length=40)] = "",
    sort: Annotated[str, QueryParameter(max_length=20)] = "",
) -> Stream:
    """One row per variant, as many as there are."""
    seller_id = seller_of(actor)
    asked = Asked(chosen, q, kind, category, sort)
    async with db.read() as conn:
        head = await export.head_of(conn, seller_id)

    async def load(cursor: str | None) -> Page[dict[str, str]]:
        async with db.read() as conn:
            found = await asked.page(conn, seller_id, cursor=cursor, limit=_BATCH)
            ids = [row.id for row in found.items]
            own = await listings.own_many(conn, ids, seller_id=seller_id)
            rows = await export.rows_of(conn, own, base_url=settings.base_url, names=head.names)
        return Page(rows, found.next_cursor)

    return csv.table("listings", head.columns, csv.batches(load), head.cells)


routes: list[Any] = [listings_csv]
