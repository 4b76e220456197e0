"""Reading orders over the API: buyers, sellers, operators."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import Parameter, QueryParameter

from souk.contexts.orders import commands, queries
from souk.contexts.orders.queries import OrderRow, OrderView, SellerOrderRow, SellerOrderView
from souk.kernel.actor import Actor, Permission
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder
from souk.platform.http.wire import Limit, Listed

_Cursor = Annotated[str | None, Parameter(max_length=1024)]
_States = Annotated[str, QueryParameter(name="state", max_length=200)]


@get("/api/v1/orders", access=access.HOLDER)
async def list_orders(
    db: Database, holder: Holder, cursor: _Cursor = None, limit: Limit = 20
) -> Listed[OrderRow]:
    """The caller's orders, newest first."""
    async with db.read() as conn:
        page = await queries.orders_of(
            conn, user_id=holder.user_id, guest=holder.guest, cursor=cursor, limit=limit
        )
    return Listed.of(page)


@get("/api/v1/orders/{order_id:uuid}", access=access.HOLDER)
async def read_order(db: Database, holder: Holder, order_id: UUID) -> OrderView:
    """One of the caller's orders, with every part, line and step."""
    async with db.read() as conn:
        return await queries.order(conn, order_id, user_id=holder.user_id, guest=holder.guest)


@get("/api/v1/seller/orders", access=access.SELLER)
async def list_seller_orders(
    db: Database, actor: Actor, states: _States = "", cursor: _Cursor = None, limit: Limit = 20
) -> Listed[SellerOrderRow]:
    """The seller's own orders, newest first; `state` may name several, separated by commas."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        page = await queries.seller_orders(
            conn,
            seller_id=actor.seller_id,
            states=[part for part in states.split(",") if part],
            cursor=cursor,
            limit=limit,
        )
    return Listed.of(page)


@get("/api/v1/seller/orders/{seller_order_id:uuid}", access=access.SELLER)
async def read_seller_order(db: Database, actor: Actor, seller_order_id: UUID) -> SellerOrderView:
    """One of the seller's own orders."""
    async with db.read() as conn:
        return await queries.seller_order(conn, seller_order_id, seller_id=actor.seller_id)


@post(
    "/api/v1/seller/orders/{seller_order_id:uuid}/accept",
    access=access.SELLER,
    rate="write",
    status_code=200,
)
async def accept_order(db: Database, actor: Actor, seller_order_id: UUID) -> SellerOrderView:
    """Take the order on."""
    seller_id = actor.seller_id
    assert seller_id is not None
    await db.transact(
        lambda tx: commands.accept(tx, actor, seller_order_id=seller_order_id, seller_id=seller_id)
    )
    async with db.read() as conn:
        return await queries.seller_order(conn, seller_order_id, seller_id=seller_id)


@get("/api/v1/admin/orders", access=access.operator(Permission.ORDERS_VIEW))
async def list_all_orders(
    db: Database,
    search: Annotated[str, Parameter(max_length=254)] = "",
    cursor: _Cursor = None,
    limit: Limit = 20,
) -> Listed[OrderRow]:
    """Every order, newest first; `search` is an order number or an e-mail address."""
    async with db.read() as conn:
        return Listed.of(await queries.all_orders(conn, search=search, cursor=cursor, limit=limit))


@get("/api/v1/admin/orders/{order_id:uuid}", access=access.operator(Permission.ORDERS_VIEW))
async def read_any_order(db: Database, order_id: UUID) -> OrderView:
    """Any order."""
    async with db.read() as conn:
        return await queries.order(conn, order_id, any_holder=True)


routes = [
    list_orders,
    read_order,
    list_seller_orders,
    read_seller_order,
    accept_order,
    list_all_orders,
    read_any_order,
]
