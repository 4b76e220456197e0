"""The steps of a seller order over the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import post

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.holder import Holder

Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
Units = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Ship(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lines`: order line → units; null ships all that is left."""

    carrier: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    tracking: Annotated[str, msgspec.Meta(max_length=100)] = ""
    lines: dict[UUID, Units] | None = None


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence that the other side will read."""

    reason: Reason


class CancelLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lines`: order line → pieces to cancel; `reason`: a sentence to the buyer."""

    reason: Reason
    lines: Annotated[dict[UUID, Units], msgspec.Meta(min_length=1, max_length=500)]


@post(
    "/api/v1/seller/orders/{seller_order_id:uuid}/ship",
    access=access.SELLER,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def ship_order(
    data: Ship, db: Database, actor: Actor, seller_order_id: UUID
) -> orders.SellerOrderView:
    """Send a parcel with some or all of the units that are left."""
    return await _as_seller(
        db,
        actor,
        seller_order_id,
        lambda tx, seller_id: steps.ship(
            tx,
            actor,
            seller_order_id=seller_order_id,
            seller_id=seller_id,
            quantities=data.lines,
            carrier=data.carrier,
            tracking=data.tracking,
        ),
    )


@post(
    "/api/v1/seller/orders/{seller_order_id:uuid}/cancel",
    access=access.SELLER,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def cancel_as_seller(
    data: Why, db: Database, actor: Actor, seller_order_id: UUID
) -> orders.SellerOrderView:
    """Cancel what was not sent; the buyer gets everything back."""
    return await _as_seller(
        db,
        actor,
        seller_order_id,
        lambda tx, seller_id: steps.cancel(
            tx, actor, seller_order_id=seller_order_id, seller_id=seller_id, reason=data.reason
        ),
    )


@post(
    "/api/v1/seller/orders/{seller_order_id:uuid}/cancel-lines",
    access=access.SELLER,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def cancel_lines_as_seller(
    data: CancelLines, db: Database, actor: Actor, seller_order_id: UUID
) -> orders.SellerOrderView:
    """Cancel some pieces that were not sent; the buyer gets their price and tax back."""
    return await _as_seller(
        db,
        actor,
        seller_order_id,
        lambda tx, seller_id: steps.cancel_lines(
            tx,
            actor,
            seller_order_id=seller_order_id,
            seller_id=seller_id,
            pieces=data.lines,
            reason=data.reason,
        ),
    )


@post(
    "/api/v1/seller/orders/{seller_order_id:uuid}/returned",
    access=access.SELLER,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def take_back_order(
    data: Why, db: Database, actor: Actor, seller_order_id: UUID
) -> orders.SellerOrderView:
    """The returned goods are here; the buyer gets everything back."""
    return await _as_seller(
        db,
        actor,
        seller_order_id,
        lambda tx, seller_id: steps.take_back(
            tx, actor, seller_order_id=seller_order_id, seller_id=seller_id, reason=data.reason
        ),
    )


@post(
    "/api/v1/seller/orders/{seller_order_id:uuid}/refuse-return",
    access=access.SELLER,
    rate="write",
    status_code=200,
)
async def refuse_return(
    data: Why, db: Database, actor: Actor, seller_order_id: UUID
) -> orders.SellerOrderView:
    """Refuse a return, with the reason that the buyer will read."""

    async def refuse(tx: WriteTx, seller_id: UUID) -> None:
        part = await orders.lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
        await steps.refuse_return(tx, actor, part=part, reason=data.reason)

    return await _as_seller(db, actor, seller_order_id, refuse)


@post(
    "/api/v1/orders/{order_id:uuid}/parts/{seller_order_id:uuid}/confirm-delivery",
    access=access.HOLDER,
    rate="write",
    status_code=200,
)
async def confirm_delivery(
    db: Database, actor: Actor, holder: Holder, order_id: UUID, seller_order_id: UUID
) -> orders.OrderView:
    """The buyer has it and is content: the seller is paid."""

    async def confirm(tx: WriteTx, part: orders.SellerOrder) -> None:
        await steps.confirm_delivery(tx, actor, part=part)
        if part.state is not orders.SellerOrderState.COMPLETED:
            await steps.complete(
                tx, actor, part=part, reason="The buyer confirmed that everything is fine."
            )

    return await _as_buyer(db, holder, order_id, seller_order_id, confirm)


@post(
    "/api/v1/orders/{order_id:uuid}/parts/{seller_order_id:uuid}/cancel",
    access=access.HOLDER,
    idempotent=True,
    rate="write",
    status_code=200,
)
async def cancel_as_buyer(
    data: Why, db: Database, actor: Actor, holder: Holder, order_id: UUID, seller_order_id: UUID
) -> orders.OrderView:
    """Cancel what the seller has not sent yet; everything paid for it comes back."""
    async with db.read() as conn:
        await own_part(conn, holder, order_id, seller_order_id)
    await db.transact(
        lambda tx: steps.cancel(tx, actor, seller_order_id=seller_order_id, reason=data.reason)
    )
    return await _order(db, holder, order_id)


@post(
    "/api/v1/orders/{order_id:uuid}/parts/{seller_order_id:uuid}/request-return",
    access=access.HOLDER,
    rate="write",
    status_code=200,
)
async def request_return(
    data: Why, db: Database, actor: Actor, holder: Holder, order_id: UUID, seller_order_id: UUID
) -> orders.OrderView:
    """Ask to send it back, within the return window."""

    async def ask(tx: WriteTx, part: orders.SellerOrder) -> None:
        await steps.request_return(tx, actor, part=part, reason=data.reason)

    return await _as_buyer(db, holder, order_id, seller_order_id, ask)


async def own_part(
    conn: Any, holder: Holder, order_id: UUID, seller_order_id: UUID
) -> orders.SellerOrderView:
    """The part through its order's holder. Raises OrderNotFound."""
    order = await orders.order(conn, order_id, user_id=holder.user_id, guest=holder.guest)
    for part in order.seller_orders:
        if part.id == seller_order_id:
            return part
    raise orders.OrderNotFound


async def _as_buyer(
    db: Database,
    holder: Holder,
    order_id: UUID,
    seller_order_id: UUID,
    work: Callable[[WriteTx, orders.SellerOrder], Awaitable[object]],
) -> orders.OrderView:
    async def run(tx: WriteTx) -> None:
        await own_part(tx, holder, order_id, seller_order_id)
        await work(tx, await orders.lock_part(tx, seller_order_id=seller_order_id))

    await db.transact(run)
    return await _order(db, holder, order_id)


async def _order(db: Database, holder: Holder, order_id: UUID) -> orders.OrderView:
    async with db.read() as conn:
        return await orders.order(conn, order_id, user_id=holder.user_id, guest=holder.guest)


async def _as_seller(
    db: Database,
    actor: Actor,
    seller_order_id: UUID,
    step: Callable[[WriteTx, UUID], Awaitable[object]],
) -> orders.SellerOrderView:
    """One step of the seller's, which finds the order through the seller's id; then as it is."""
    seller_id = actor.seller_id
    assert seller_id is not None
    await db.transact(lambda tx: step(tx, seller_id))
    async with db.read() as conn:
        return await orders.seller_order(conn, seller_order_id, seller_id=seller_id)


routes: list[Any] = [
    ship_order,
    cancel_as_seller,
    cancel_lines_as_seller,
    take_back_order,
    refuse_return,
    confirm_delivery,
    cancel_as_buyer,
    request_return,
]
