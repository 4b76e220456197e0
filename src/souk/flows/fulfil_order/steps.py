"""Each step in one transaction. Locks: stock → seller order → payment → ledger accounts.

Cancelling and returning need the seller order before they know which stock to put back, so they
read the lines first, lock the stock, and check the seller order again under its lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import money
from souk.kernel.actor import Actor
from souk.kernel.errors import IllegalTransition
from souk.platform.database import WriteTx


async def ship(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_order_id: UUID,
    seller_id: UUID,
    quantities: Mapping[UUID, int] | None,
    carrier: str,
    tracking: str,
) -> None:
    """Hand a parcel over: `quantities` by order line, None for all that is left to ship.

    Raises OrderNotFound, QuantityNotLeft, IllegalTransition, InvalidInput.
    """
    part = await orders.lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
    if part.state is orders.SellerOrderState.CONFIRMED:
        previous = part.move(orders.SellerOrderState.PROCESSING)
        await orders.save_step(
            tx, actor, part, previous=previous, reason="The seller accepted the order."
        )
    if part.state is not orders.SellerOrderState.PROCESSING:
        shipped = orders.SellerOrderState.SHIPPED
        raise IllegalTransition(subject="order", current=part.state, wanted=shipped)
    left = {
        line.id: line.to_fulfil for line in part.lines if line.kind != "digital" and line.to_fulfil
    }
    sent = left if quantities is None else dict(quantities)
    # A download counts as handed over once its buyer has it, never by a parcel.
    part.require_parcels(sent)
    complete = part.fulfil(sent)
    await fulfilment.ship(
        tx,
        actor,
        seller_order_id=part.id,
        seller_id=seller_id,
        lines=[fulfilment.ShipLine(line_id, units) for line_id, units in sent.items()],
        carrier=carrier,
        tracking=tracking,
        days=(part.delivery.min_days, part.delivery.max_days),
    )
    if complete:
        previous = part.move(orders.SellerOrderState.SHIPPED)
        await orders.save_step(
            tx, actor, part, previous=previous, reason="Everything is on its way."
        )
    else:
        # What is left has to be packed anew.
        part.packed_at = None
        await orders.save_part(tx, part)


async def confirm_delivery(tx: WriteTx, actor: Actor, *, part: orders.SellerOrder) -> None:
    """Everything of a locked part has arrived: it is delivered, and complete when the buyer says so
    in person, since nothing is then left to inspect."""
    if part.state is orders.SellerOrderState.SHIPPED:
        await fulfilment.mark_delivered(tx, actor, seller_order_id=part.id)
        await arrive(tx, actor, part=part, reason="The order has arrived.")


async def arrive(tx: WriteTx, actor: Actor, *, part: orders.SellerOrder, reason: str) -> None:
    """A shipped, locked part is with its buyer: the return window begins."""
    previous = part.deliver(now=tx.clock.now())
    await orders.save_step(tx, actor, part, previous=previous, reason=reason)


async def complete(tx: WriteTx, actor: Actor, *, part: orders.SellerOrder, reason: str) -> None:
    """A delivered, locked part is done: the seller has earned the escrow, less commission."""
    previous = part.move(orders.SellerOrderState.COMPLETED)
    part.released = True
    await orders.save_step(tx, actor, part, previous=previous, reason=reason)
    await money.release(tx, actor, part=part)


async def cancel(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_order_id: UUID,
    seller_id: UUID | None = None,
    buyer_id: UUID | None = None,
    reason: str,
    seen: int | None = None,
) -> None:
    """Cancel before anything was sent: goods back on the shelf, all that was not given back yet
    to the buyer. `seen`: as for `cancel_lines`.

    Raises OrderNotFound, CancelTooLate, OrderChanged.
    """
    view = await orders.seller_order(tx, seller_order_id, seller_id=seller_id)
    back = {line.id: line.quantity - line.cancelled for line in view.lines}
    await _shelve(tx, actor, view=view, pieces=back)
    part = await orders.lock_part(
        tx, seller_order_id=seller_order_id, seller_id=seller_id, buyer_id=buyer_id
    )
    _require_as_seen(part, seen)
    before = {line.id: line.quantity - line.cancelled for line in part.lines}
    tax = part.totals.tax - orders.given_up_of(part).tax
    previous = part.cancel()
    if before != back:
        raise orders.OrderChanged
    amount = part.refundable
    part.refund(amount)
    await orders.save_step(tx, actor, part, previous=previous, reason=reason)
    await money.give_back(tx, actor, part=part, amount=amount, tax=tax, reason=reason)
    await _revoke_downloads(tx, actor, part)


async def cancel_lines(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_order_id: UUID,
    seller_id: UUID | None = None,
    pieces: Mapping[UUID, int],
    reason: str,
    seen: int | None = None,
) -> orders.GivenUp:
    """Cancel some pieces of some lines that were not sent: goods back on the shelf, their share of
    the price, its tax and the commission given back; the delivery, too, when nothing is left to
    send. Returns what was given back. Without `seller_id` it is for operators.

    `seen` is how many pieces were cancelled when it was asked for: a form that is sent twice then
    cancels once. Raises OrderNotFound, OrderChanged, LineNotFound, CancelTooLate, NothingToCancel,
    IllegalTransition.
    """
    view = await orders.seller_order(tx, seller_order_id, seller_id=seller_id)
    known = {line.id: line for line in view.lines}
    await _shelve(
        tx, actor, view=view, pieces={one: n for one, n in pieces.items() if one in known}
    )
    part = await orders.lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
    _require_as_seen(part, seen)
    done = orders.cancel_pieces(part, pieces, now=tx.clock.now())
    what = ", ".join(
        f"{pieces[line.id]} × {line.title}" for line in view.lines if pieces.get(line.id)
    )
    said = f"{what} cancelled: {reason}"
    await orders.save_cancellation(tx, actor, part, cancelled=done, reason=said)
    given = done.given_up
    await money.give_back(tx, actor, part=part, amount=given.refund, tax=given.tax, reason=said)
    if part.state is orders.SellerOrderState.CANCELLED:
        await _revoke_downloads(tx, actor, part)
    return given


def _require_as_seen(part: orders.SellerOrder, seen: int | None) -> None:
    if seen is not None and sum(line.cancelled for line in part.lines) != seen:
        raise orders.OrderChanged


async def _shelve(
    tx: WriteTx, actor: Actor, *, view: orders.SellerOrderView, pieces: Mapping[UUID, int]
) -> None:
    """Put pieces of lines back on the shelf."""
    lines = [(line.variant_id, pieces.get(line.id, 0)) for line in view.lines]
    await inventory.put_back(
        tx,
        actor,
        lines=[(variant_id, units) for variant_id, units in lines if units > 0],
        reference=f"order:{view.number}",
    )


async def request_return(
    tx: WriteTx, actor: Actor, *, part: orders.SellerOrder, reason: str
) -> None:
    """The buyer wants to send a locked part back. Raises ReturnWindowOver, IllegalTransition."""
    window = await orders.return_window(tx)
    previous = part.request_return(now=tx.clock.now(), window=window)
    await orders.save_step(tx, actor, part, previous=previous, reason=reason)


async def refuse_return(
    tx: WriteTx, actor: Actor, *, part: orders.SellerOrder, reason: str
) -> None:
    """The seller refuses, or the buyer keeps it after all."""
    previous = part.move(orders.SellerOrderState.DELIVERED)
    await orders.save_step(tx, actor, part, previous=previous, reason=reason)


async def take_back(
    tx: WriteTx, actor: Actor, *, seller_order_id: UUID, seller_id: UUID, reason: str
) -> None:
    """The goods are back with the seller: restock them and refund what the buyer paid.

    Raises OrderNotFound, IllegalTransition.
    """
    view = await orders.seller_order(tx, seller_order_id, seller_id=seller_id)
    await _shelve(tx, actor, view=view, pieces={line.id: line.fulfilled for line in view.lines})
    part = await orders.lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
    previous = part.take_back()
    amount = part.refundable
    tax = part.totals.tax - orders.given_up_of(part).tax
    part.refund(amount)
    await orders.save_step(tx, actor, part, previous=previous, reason=reason)
    await money.give_back(tx, actor, part=part, amount=amount, tax=tax, reason=reason)
    await _revoke_downloads(tx, actor, part)


async def _revoke_downloads(tx: WriteTx, actor: Actor, part: orders.SellerOrder) -> None:
    digital = [line.id for line in part.lines if line.kind == "digital"]
    if digital:
        await fulfilment.revoke_digital(tx, actor, order_line_ids=digital, reason="refund")
