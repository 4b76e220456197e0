"""`/api/v1/wishlist` and `/api/v1/recently-viewed`: for members, and guests with a token."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath

from souk.contexts.carts import api as carts
from souk.contexts.listings import api as listings
from souk.flows.lists import flow
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.settings import Settings


class Wishlist(msgspec.Struct, frozen=True):
    """The whole list, newest first; it is bounded."""

    items: list[flow.WishView]


class Viewed(msgspec.Struct, frozen=True):
    """Listings looked at, the last first; the list is bounded."""

    items: list[listings.ListingCard]


class PutWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A visible listing of anybody's."""

    listing_id: UUID


class NoteViewed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids of listings, the one looked at last first."""

    listing_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=carts.MAX_VIEWED)]


@get("/api/v1/wishlist", access=access.HOLDER)
async def read_wishlist(db: Database, holder: Holder) -> Wishlist:
    """The caller's wishlist, with what became cheaper or is back in stock."""
    async with db.read() as conn:
        return Wishlist(await flow.wishes(conn, holder))


@post("/api/v1/wishlist", access=access.HOLDER, rate="write", status_code=200)
async def add_to_wishlist(
    data: PutWish, db: Database, holder: Holder, settings: Settings
) -> Response[Wishlist]:
    """Put a listing on the list. A guest without a token receives one."""
    await db.transact(lambda tx: flow.wish(tx, holder, listing_id=data.listing_id))
    async with db.read() as conn:
        answer = Wishlist(await flow.wishes(conn, holder))
    return hand_over(Response(answer), holder, settings)


@delete("/api/v1/wishlist/{listing_id:uuid}", access=access.HOLDER, rate="write", status_code=204)
async def remove_from_wishlist(listing_id: FromPath[UUID], db: Database, holder: Holder) -> None:
    """Take a listing off the list; one that is not on it is off it already."""
    await db.transact(lambda tx: carts.unwish(tx, holder, listing_id=listing_id))


@get("/api/v1/recently-viewed", access=access.HOLDER)
async def read_viewed(db: Database, holder: Holder) -> Viewed:
    """What the caller looked at last."""
    async with db.read() as conn:
        return Viewed(await flow.viewed(conn, holder))


@post("/api/v1/recently-viewed", access=access.HOLDER, rate="write", status_code=200)
async def note_viewed(
    data: NoteViewed, db: Database, holder: Holder, settings: Settings
) -> Response[Viewed]:
    """Note what was looked at, for clients that show listings themselves."""
    await db.transact(
        lambda tx: flow.note_viewed(tx, holder, listing_ids=data.listing_ids),
        losable=carts.LOSABLE,
    )
    async with db.read() as conn:
        answer = Viewed(await flow.viewed(conn, holder))
    return hand_over(Response(answer), holder, settings)


@delete("/api/v1/recently-viewed", access=access.HOLDER, rate="write", status_code=204)
async def forget_viewed(db: Database, holder: Holder) -> None:
    """Forget everything that the caller looked at."""
    await db.transact(lambda tx: carts.forget_viewed(tx, holder))


routes: list[Any] = [
    read_wishlist,
    add_to_wishlist,
    remove_from_wishlist,
    read_viewed,
    note_viewed,
    forget_viewed,
]
