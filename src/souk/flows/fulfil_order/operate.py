"""Operators cancel what a seller has not sent: the seller's own steps, with the right to do so
asked for, everything quoted beforehand, and an audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError, ErrorKind, Forbidden
from souk.kernel.money import Money
from souk.platform import audit
from souk.platform.database import ReadConn, WriteTx


class AlreadySent(DomainError):
    """What an operator wants to cancel has left the seller."""

    code = "already_sent"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "This is on its way or delivered already, so it can no longer be cancelled. Once it "
            "has arrived, the buyer can ask for a return."
        )


class AlreadyCancelled(DomainError):
    """There is nothing left to cancel."""

    code = "already_cancelled"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This is cancelled already. Nothing was cancelled or refunded twice.")


_OPEN = frozenset({"pending", "confirmed", "processing"})


async def part_of(
    conn: ReadConn, *, order_id: UUID, seller_order_id: UUID
) -> orders.SellerOrderView:
    """A part through its order. Raises OrderNotFound."""
    part = await orders.seller_order(conn, seller_order_id)
    if part.order_id != order_id:
        raise orders.OrderNotFound
    return part


def whole_of(part: orders.SellerOrderView) -> dict[UUID, int]:
    """Every piece of a part of which nothing was sent. Raises AlreadyCancelled, AlreadySent."""
    if part.state == "cancelled":
        raise AlreadyCancelled
    if part.state not in _OPEN or any(line.fulfilled for line in part.lines):
        raise AlreadySent
    return {
        line.id: line.quantity - line.cancelled
        for line in part.lines
        if line.quantity > line.cancelled
    }


async def cancel(
    tx: WriteTx,
    actor: Actor,
    *,
    order_id: UUID,
    seller_order_id: UUID,
    pieces: Mapping[UUID, int] | None,
    reason: str,
    seen: int | None,
) -> Money:
    """Cancel a part of an order, or some pieces of it, in the place of its seller; returns what the
    buyer gets back.

    `pieces` by line, None for all of it. `seen` is how many pieces were cancelled when it was asked
    for. Raises Forbidden, OrderNotFound, AlreadySent, AlreadyCancelled, OrderChanged, and what
    `steps.cancel_lines` raises.
    """
    if not actor.may(Permission.ORDERS_MANAGE):
        raise Forbidden("Your account may not do this. Ask an administrator for the right.")
    before = await part_of(tx, order_id=order_id, seller_order_id=seller_order_id)
    cancelled = whole_of(before) if pieces is None else pieces
    if pieces is None:
        await steps.cancel(tx, actor, seller_order_id=seller_order_id, reason=reason, seen=seen)
        given = before.total - before.refunded
    else:
        done = await steps.cancel_lines(
            tx,
            actor,
            seller_order_id=seller_order_id,
            pieces=pieces,
            reason=reason,
            seen=seen,
        )
        given = done.refund
    refund = Money(given, before.currency)
    await audit.record(
        tx,
        actor,
        "orders.cancelled",
        f"order:{order_id}",
        seller_order=str(seller_order_id),
        pieces=[f"{n} × {line.title}" for line in before.lines if (n := cancelled.get(line.id))],
        refund=str(refund),
        reason=reason,
    )
    return refund
