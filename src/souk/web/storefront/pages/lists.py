"""The wishlist, and what was looked at."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Response, get, post
from litestar.params import QueryParameter

from souk.contexts.carts import api as carts
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.cart import flow as cart_flow
from souk.flows.lists import flow
from souk.kernel.errors import DomainError, InvalidInput, NotFound
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.settings import Settings
from souk.web.hearts import mark_wished
from souk.web.page import (
    Flash,
    Req,
    form_of,
    fragment,
    page,
    redirect,
    translate,
)
from souk.web.storefront.cards import card_items
from souk.web.storefront.seen import ROW, SEEN_COOKIE, looked_at
from souk.web.ways import safe_path

_WANTS_DATA = "application/json"


@get("/wishlist", access=access.HOLDER, include_in_schema=False)
async def wishlist_page(request: Req, db: Database, holder: Holder) -> Response[bytes]:
    """What the visitor keeps in view, with what became cheaper or came back."""
    async with db.read() as conn:
        wishes = await flow.wishes(conn, holder)
        seen = card_items(await looked_at(conn, request, holder, limit=ROW))
    rows = [
        {
            "wish": wish,
            "item": next(iter(card_items([wish.listing])), None) if wish.listing else None,
        }
        for wish in wishes
    ]
    return await page(request, "storefront/wishlist.html", rows=rows, seen=seen, noindex=True)


@post("/wishlist/items", access=access.HOLDER, rate="write", include_in_schema=False)
async def change_wishlist(
    request: Req, db: Database, holder: Holder, settings: Settings
) -> Response[bytes]:
    """`wish` is `add:<listing>` or `drop:<listing>`: the value of the heart that was pressed."""
    form = await form_of(request)
    act, _, value = form.get("wish", "").partition(":")
    listing_id = parse_uuid(value)
    if act not in {"add", "drop"} or listing_id is None:
        raise InvalidInput("Press the heart of a listing to keep it on your wishlist.")
    if act == "add":
        await db.transact(lambda tx: flow.wish(tx, holder, listing_id=listing_id))
        text = translate(request, "It is on your wishlist.")
    else:
        await db.transact(lambda tx: carts.unwish(tx, holder, listing_id=listing_id))
        text = translate(request, "It is off your wishlist.")
    if _WANTS_DATA in request.headers.get("accept", ""):
        return hand_over(Response(b"", status_code=204), holder, settings)
    flash = Flash("success", text)
    return hand_over(redirect(_back(request), flash=flash, settings=settings), holder, settings)


def _back(request: Req) -> str:
    """The page of ours that the form stood on."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host", ""):
        return "/wishlist"
    return safe_path(f"{came.path}?{came.query}" if came.query else came.path)


@post("/wishlist/to-cart", access=access.HOLDER, rate="write", include_in_schema=False)
async def move_to_cart(
    request: Req, db: Database, holder: Holder, settings: Settings
) -> Response[bytes]:
    """Into the cart and off the list; a listing of several kinds is chosen from on its page."""
    listing_id = parse_uuid((await form_of(request)).get("listing_id", ""))
    if listing_id is None:
        raise NotFound("There is no such listing. Go back to your wishlist.")
    async with db.read() as conn:
        document = await listings.detail(conn, listing_id)
        ids = [variant.id for variant in document.variants]
        stock = await inventory.availability(conn, ids)
    if len(ids) != 1:
        text = translate(request, "There are several kinds of this. Choose one.")
        to = f"/listing/{document.slug}"
        return redirect(to, flash=Flash("info", text), settings=settings)
    left = stock.get(ids[0])

    async def work(tx: WriteTx) -> None:
        await cart_flow.add(tx, holder, variant_id=ids[0], quantity=1, currency=settings.currency)
        await carts.unwish(tx, holder, listing_id=listing_id)

    try:
        if left is not None and left.tracked and left.available < 1:
            raise InvalidInput("This is sold out at the moment. It stays on your wishlist.")
        await db.transact(work)
    except DomainError as error:
        return redirect("/wishlist", flash=Flash("error", error.message), settings=settings)
    text = translate(request, "It is in your cart now.")
    response = redirect("/wishlist", flash=Flash("success", text), settings=settings)
    return hand_over(response, holder, settings)


@get("/recently-viewed", access=access.HOLDER, include_in_schema=False)
async def viewed_page(request: Req, db: Database, holder: Holder) -> Response[bytes]:
    """The last listings that the visitor looked at."""
    async with db.read() as conn:
        items = card_items(await looked_at(conn, request, holder, limit=carts.MAX_VIEWED))
    return await page(request, "storefront/viewed.html", items=items, noindex=True)


@get("/recently-viewed/row", access=access.HOLDER, include_in_schema=False)
async def viewed_row(
    request: Req,
    db: Database,
    holder: Holder,
    but: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[bytes]:
    """The row for other pages, without the listing `but`; nothing when there is nothing."""
    async with db.read() as conn:
        items = card_items(await looked_at(conn, request, holder, limit=ROW, but=but))
    if not items:
        return Response(b"", status_code=204)
    wished: tuple[UUID, ...] = ()
    if holder.new_token is None:
        async with db.read() as conn:
            wished = (await carts.badge(conn, holder)).wished
    response = fragment(request, "storefront/viewed_row.html", items=items)
    response.content = mark_wished(response.content, wished)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@post("/recently-viewed/clear", access=access.HOLDER, rate="write", include_in_schema=False)
async def forget_viewed(
    request: Req, db: Database, holder: Holder, settings: Settings
) -> Response[bytes]:
    """Forget all of it, here and with the account."""
    if holder.user_id is not None:
        await db.transact(lambda tx: carts.forget_viewed(tx, holder))
    text = translate(request, "Forgotten. Nobody can see what you looked at.")
    response = redirect("/recently-viewed", flash=Flash("success", text), settings=settings)
    response.delete_cookie(SEEN_COOKIE)
    return response


routes: list[Any] = [
    wishlist_page,
    change_wishlist,
    move_to_cart,
    viewed_page,
    viewed_row,
    forget_viewed,
]
