"""A buyer's orders. A guest finds an order by the cookie with which it was placed, or by the link
of a mail about it, which leaves a cookie that is sent to the pages of this one order alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.flows.fulfil_order import steps
from souk.flows.review_purchase import flow
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.kernel.ids import fingerprint
from souk.platform.database import Database, ReadConn, WriteTx
from souk.platform.http import access
from souk.platform.http.holder import guest_token_of, holder_of
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web.account.order_link import ORDER_COOKIE, buyer_of, opens
from souk.web.account.timeline import part_view
from souk.web.addresses import country_name
from souk.web.forms import check, summary
from souk.web.page import (
    Flash,
    Req,
    field_errors,
    form_of,
    language_of,
    page,
    pages_of,
    redirect,
    translate,
)

Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
Act = Literal["cancel", "return"]
Key = Annotated[str, QueryParameter(max_length=100)]
_OPEN_FOR = 60 * 60 * 24
_FRESH = timedelta(minutes=2)
"""How long an order is thanked for, and its page renews itself until its files are there."""


@get("/account/orders", access=access.SIGNED_IN, include_in_schema=False)
async def orders_page(
    request: Req, db: Database, actor: Actor, cursor: Cursor = None
) -> Response[bytes]:
    """Every order of a member, newest first."""
    async with db.read() as conn:
        found = await orders.orders_of(conn, user_id=actor.user_id, cursor=cursor)
    following = f"/account/orders?cursor={found.next_cursor}" if found.next_cursor else None
    return await page(request, "account/orders.html", rows=found.items, next_url=following)


async def _own(conn: ReadConn, request: Req, actor: Actor, order_id: UUID) -> orders.OrderView:
    """The caller's order, as a member, as the guest who placed it, or by the link of a mail.

    Raises OrderNotFound, OrderLinkOver.
    """
    if opens(request, conn, order_id):
        return await orders.order(conn, order_id, any_holder=True)
    token = guest_token_of(request)
    guest = fingerprint(token) if token else None
    return await orders.order(conn, order_id, user_id=actor.user_id, guest=guest)


@get(
    "/account/orders/{order_id:uuid}/open",
    access=access.HOLDER,
    rate="write",
    include_in_schema=False,
)
async def open_order(
    db: Database, settings: Settings, order_id: FromPath[UUID], key: Key
) -> Response[bytes]:
    """The link of a mail: goes on to the order at once, so that the key leaves the address bar."""
    orders.check_order_key(key, order_id, secret=settings.secret_key, now=db.clock.now())
    path = f"/account/orders/{order_id}"
    response = redirect(path)
    response.set_cookie(
        ORDER_COOKIE,
        key,
        path=path,
        max_age=_OPEN_FOR,
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )
    response.headers["referrer-policy"] = "no-referrer"
    return response


@get("/account/orders/{order_id:uuid}", access=access.HOLDER, include_in_schema=False)
async def order_page(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    order_id: FromPath[UUID],
) -> Response[bytes]:
    """Where everything of an order is, and why."""
    async with db.read() as conn:
        order = await _own(conn, request, actor, order_id)
        ids = [part.id for part in order.seller_orders]
        parcels = await fulfilment.of_orders(conn, ids)
        links = await fulfilment.links(conn, seller_order_ids=ids, secret=settings.secret_key)
        keys = await fulfilment.licence_keys(conn, seller_order_ids=ids)
        shops = await sellers.cards(conn, [part.seller_id for part in order.seller_orders])
        payment = await payments.find(conn, order.payment_id)
        buyer = await buyer_of(request, conn, order_id)
        to_review = await flow.reviewable(conn, buyer, order_id=order.id)
    now = db.clock.now()
    address = order.shipping_address
    fresh = now - order.placed_at < _FRESH
    parts = [
        part_view(
            part,
            shop=shops.get(part.seller_id),
            parcels=parcels.get(part.id, []),
            links=links.get(part.id, []),
            now=now,
            return_days=pages_of(request).services.options[orders.RETURN_DAYS],
        )
        for part in order.seller_orders
    ]
    return await page(
        request,
        "account/order.html",
        order=order,
        parts=parts,
        fresh=fresh,
        renews=fresh and any(part["preparing"] for part in parts),
        keys=keys,
        to_review=to_review,
        may_change=buyer.is_same(await holder_of(request)),
        payment=payment,
        address=_address_lines(address, language_of(request)) if address else [],
        noindex=True,
    )


def _address_lines(address: dict[str, str], language: str) -> list[str]:
    lines = fulfilment.address_lines(fulfilment.Address(**address))
    return [*lines[:-1], country_name(address["country"], language)] if lines else []


@post(
    "/account/orders/{order_id:uuid}/parts/{part_id:uuid}/confirm",
    access=access.HOLDER,
    rate="write",
    include_in_schema=False,
)
async def confirm_delivery(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
) -> Response[bytes]:
    """The buyer has it and is content."""

    async def confirm(tx: WriteTx, part: orders.SellerOrder) -> None:
        await steps.confirm_delivery(tx, actor, part=part)
        if part.state is not orders.SellerOrderState.COMPLETED:
            reason = "The buyer confirmed that everything is fine."
            await steps.complete(tx, actor, part=part, reason=reason)

    to = f"/account/orders/{order_id}"
    try:
        await _with_part(request, db, actor, order_id, part_id, confirm)
    except orders.OrderNotFound:
        raise
    except DomainError as error:
        return redirect(to, flash=Flash("error", error.message), settings=settings)
    text = translate(request, "Thank you. The seller is paid now.")
    return redirect(to, flash=Flash("success", text), settings=settings)


async def _with_part(
    request: Req,
    db: Database,
    actor: Actor,
    order_id: UUID,
    part_id: UUID,
    work: Callable[[WriteTx, orders.SellerOrder], Awaitable[None]],
) -> None:
    async def run(tx: WriteTx) -> None:
        await _part(tx, request, actor, order_id, part_id)
        await work(tx, await orders.lock_part(tx, seller_order_id=part_id))

    await db.transact(run)


async def _part(
    conn: ReadConn, request: Req, actor: Actor, order_id: UUID, part_id: UUID
) -> orders.SellerOrderView:
    order = await _own(conn, request, actor, order_id)
    for part in order.seller_orders:
        if part.id == part_id:
            return part
    raise orders.OrderNotFound


@get(
    "/account/orders/{order_id:uuid}/parts/{part_id:uuid}/{act:str}",
    access=access.HOLDER,
    include_in_schema=False,
)
async def act_page(
    request: Req,
    db: Database,
    actor: Actor,
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
    act: FromPath[Act],
) -> Response[bytes]:
    """Asks why, and says what will happen."""
    async with db.read() as conn:
        part = await _part(conn, request, actor, order_id, part_id)
    return await page(request, "account/order_act.html", part=part, act=act, form={}, noindex=True)


@post(
    "/account/orders/{order_id:uuid}/parts/{part_id:uuid}/{act:str}",
    access=access.HOLDER,
    rate="write",
    include_in_schema=False,
)
async def act_on_part(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    order_id: FromPath[UUID],
    part_id: FromPath[UUID],
    act: FromPath[Act],
) -> Response[bytes]:
    """Cancel what was not sent, or ask to send back what arrived."""
    form = await form_of(request)
    try:
        check(form, {"reason": (3, 500)})
        if act == "cancel":
            await _cancel(request, db, actor, order_id, part_id, form["reason"])
            text = "It is cancelled. Your money is on its way back."
        else:

            async def ask(tx: WriteTx, part: orders.SellerOrder) -> None:
                await steps.request_return(tx, actor, part=part, reason=form["reason"])

            await _with_part(request, db, actor, order_id, part_id, ask)
            text = "The seller has your request and will answer."
    except orders.OrderNotFound:
        raise
    except DomainError as error:
        async with db.read() as conn:
            part = await _part(conn, request, actor, order_id, part_id)
        errors = field_errors(error)
        return await page(
            request, "account/order_act.html", status=STATUS[error.kind], part=part, act=act,
            form=form, errors=errors, problems=summary(errors), noindex=True,
        )  # fmt: skip
    flash = Flash("success", translate(request, text))
    return redirect(f"/account/orders/{order_id}", flash=flash, settings=settings)


async def _cancel(
    request: Req, db: Database, actor: Actor, order_id: UUID, part_id: UUID, reason: str
) -> None:
    async with db.read() as conn:
        await _part(conn, request, actor, order_id, part_id)
    await db.transact(lambda tx: steps.cancel(tx, actor, seller_order_id=part_id, reason=reason))


routes: list[Any] = [orders_page, open_order, order_page, confirm_delivery, act_page, act_on_part]
