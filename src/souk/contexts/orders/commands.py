"""Every change of `orders`. Callers bring the transaction; flows bring stock and money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.orders import store
from souk.contexts.orders.cancellation import Cancelled
from souk.contexts.orders.domain import (
    ARRIVES_WITHIN,
    CHECKOUT_LIFE,
    Checkout,
    CheckoutLine,
    CheckoutState,
    OrderLine,
    Priced,
    SellerOrder,
    SellerOrderState,
    SellerTotals,
    by_seller,
)
from souk.contexts.orders.errors import CheckoutNotFound, EmptyCheckout, OrderNotFound
from souk.contexts.orders.options import return_window
from souk.kernel.actor import Actor
from souk.kernel.ids import human_number, uuid7
from souk.kernel.money import Money
from souk.platform import outbox
from souk.platform.database import ReadConn, WriteTx
from souk.published.orders import (
    CheckoutReversed,
    LinesCancelled,
    OrderConfirmed,
    SellerOrderChanged,
    SellerOrderRef,
)


class LineCommission(msgspec.Struct, frozen=True):
    """Commission and its tax for one checkout line, in minor units, with the rule that said so."""

    rule_id: UUID | None
    amount: int
    tax: int


class PlacedOrder(msgspec.Struct, frozen=True):
    """A new order as the flows need it."""

    id: UUID
    number: str
    seller_orders: list[SellerOrder]


async def open_checkout(tx: WriteTx, checkout: Checkout) -> None:
    """Store a new checkout. Raises EmptyCheckout when it has no lines."""
    if not checkout.lines:
        raise EmptyCheckout
    checkout.reprice()
    await store.insert_checkout(tx, checkout)


def new_checkout(
    *,
    now: datetime,
    user_id: UUID | None,
    guest: bytes | None,
    cart_id: UUID | None,
    currency: str,
    tax_rate: int,
    lines: Sequence[CheckoutLine],
) -> Checkout:
    """A checkout of these lines that is not stored yet."""
    return Checkout(
        id=uuid7(),
        state=CheckoutState.OPEN,
        currency=currency,
        user_id=user_id,
        guest=guest,
        cart_id=cart_id,
        lines=list(lines),
        created_at=now,
        expires_at=now + CHECKOUT_LIFE,
        tax_rate=tax_rate,
    )


async def lock_checkout(
    tx: WriteTx, *, checkout_id: UUID, user_id: UUID | None = None, guest: bytes | None = None
) -> Checkout:
    """Lock the holder's checkout. Raises CheckoutNotFound for an absent or another's one."""
    checkout = await store.lock_checkout(tx, checkout_id)
    if checkout is None or not held_by(checkout, user_id=user_id, guest=guest):
        raise CheckoutNotFound
    return checkout


async def lock_any_checkout(tx: WriteTx, *, checkout_id: UUID) -> Checkout:
    """Lock a checkout whoever holds it, for the program itself. Raises CheckoutNotFound."""
    checkout = await store.lock_checkout(tx, checkout_id)
    if checkout is None:
        raise CheckoutNotFound
    return checkout


def held_by(checkout: Checkout, *, user_id: UUID | None, guest: bytes | None) -> bool:
    """Does this user or guest hold the checkout?"""
    if checkout.user_id is not None:
        return checkout.user_id == user_id
    return guest is not None and checkout.guest == guest


async def place(
    tx: WriteTx,
    actor: Actor,
    *,
    checkout: Checkout,
    payment_id: UUID,
    commissions: Sequence[LineCommission],
) -> PlacedOrder:
    """Turn a paid, locked checkout into an order. `commissions` are in the order of its lines.

    There is one order for one checkout and one for one payment, by unique constraints.
    """
    now = tx.clock.now()
    order_id = uuid7()
    priced = checkout.reprice()
    by_variant = {
        line.variant_id: commission
        for line, commission in zip(checkout.lines, commissions, strict=True)
    }
    parts = _split(checkout, priced, order_id=order_id, commissions=by_variant)
    number = human_number(groups=2, size=5)
    checkout.move(CheckoutState.COMPLETED)
    checkout.order_id = order_id
    checkout.payment_id = payment_id
    await store.insert_order(
        tx,
        checkout,
        order_id=order_id,
        number=number,
        payment_id=payment_id,
        placed_at=now,
        seller_orders=parts,
        actor=actor.label(),
    )
    event = OrderConfirmed(
        order_id=order_id,
        checkout_id=checkout.id,
        payment_id=payment_id,
        buyer_id=checkout.user_id,
        number=number,
        currency=checkout.currency,
        total=checkout.totals.total,
        seller_orders=[
            SellerOrderRef(
                seller_order_id=part.id,
                seller_id=part.seller_id,
                total=part.totals.total,
                has_digital=any(line.kind == "digital" for line in part.lines),
            )
            for part in parts
        ],
    )
    outbox.add(tx, event, actor=actor)
    return PlacedOrder(order_id, number, parts)


def _split(
    checkout: Checkout,
    priced: Priced,
    *,
    order_id: UUID,
    commissions: Mapping[UUID, LineCommission],
) -> list[SellerOrder]:
    groups = by_seller(checkout.lines)
    return [
        _part(checkout, part, groups[part.seller_id], order_id=order_id, commissions=commissions)
        for part in priced.sellers
    ]


def _part(
    checkout: Checkout,
    part: SellerTotals,
    lines: Sequence[CheckoutLine],
    *,
    order_id: UUID,
    commissions: Mapping[UUID, LineCommission],
) -> SellerOrder:
    order_lines: list[OrderLine] = []
    for line, totals in zip(lines, part.lines, strict=True):
        commission = commissions[line.variant_id]
        order_lines.append(
            OrderLine(
                id=uuid7(),
                variant_id=line.variant_id,
                listing_id=line.listing_id,
                kind=line.kind,
                title=line.title,
                variant_title=line.variant_title,
                sku=line.sku,
                slug=line.slug,
                image_key=line.image_key,
                unit_price=line.unit_price,
                quantity=line.quantity,
                discount=totals.discount,
                tax=totals.tax,
                total=totals.total,
                commission=commission.amount,
                commission_tax=commission.tax,
                commission_rule_id=commission.rule_id,
                file_ids=line.file_ids,
            )
        )
    return SellerOrder(
        id=uuid7(),
        order_id=order_id,
        seller_id=part.seller_id,
        buyer_id=checkout.user_id,
        currency=checkout.currency,
        state=SellerOrderState.CONFIRMED,
        totals=part.totals,
        delivery_tax=part.delivery_tax,
        commission=sum(line.commission for line in order_lines),
        commission_tax=sum(line.commission_tax for line in order_lines),
        delivery=part.delivery,
        lines=order_lines,
    )


def reverse(
    tx: WriteTx, actor: Actor, *, checkout: Checkout, payment_id: UUID, amount: Money
) -> None:
    """Say that a payment came too late for its goods; the caller saves and refunds `amount`."""
    event = CheckoutReversed(
        checkout_id=checkout.id,
        payment_id=payment_id,
        buyer_id=checkout.user_id,
        amount=amount.amount,
        currency=amount.currency,
    )
    outbox.add(tx, event, actor=actor)


async def lock_part(
    tx: WriteTx,
    *,
    seller_order_id: UUID,
    seller_id: UUID | None = None,
    buyer_id: UUID | None = None,
) -> SellerOrder:
    """Lock one seller order through its seller or its buyer; with neither, for the system.

    Raises OrderNotFound when it is absent or belongs to somebody else.
    """
    parts = await store.lock_seller_orders(tx, [seller_order_id])
    if not parts:
        raise OrderNotFound
    part = parts[0]
    if seller_id is not None and part.seller_id != seller_id:
        raise OrderNotFound
    if buyer_id is not None and part.buyer_id != buyer_id:
        raise OrderNotFound
    return part


async def save_step(
    tx: WriteTx, actor: Actor, part: SellerOrder, *, previous: SellerOrderState, reason: str
) -> None:
    """Save a step that a method of `part` took: row, timeline and event."""
    await store.save_seller_order(tx, part)
    await store.add_transition(tx, part, previous=previous, actor=actor.label(), reason=reason)
    event = SellerOrderChanged(
        seller_order_id=part.id,
        order_id=part.order_id,
        seller_id=part.seller_id,
        buyer_id=part.buyer_id,
        previous=previous,
        state=part.state,
        reason=reason,
    )
    outbox.add(tx, event, actor=actor)


async def save_cancellation(
    tx: WriteTx, actor: Actor, part: SellerOrder, *, cancelled: Cancelled, reason: str
) -> None:
    """Save pieces that `cancel_pieces` cancelled: row, timeline and events.

    `reason` says which and why.
    """
    given = cancelled.given_up
    event = LinesCancelled(
        seller_order_id=part.id,
        order_id=part.order_id,
        seller_id=part.seller_id,
        buyer_id=part.buyer_id,
        refund=given.refund,
        currency=part.currency,
        reason=reason,
    )
    if part.state is not cancelled.previous:
        await save_step(tx, actor, part, previous=cancelled.previous, reason=reason)
    else:
        await store.save_seller_order(tx, part)
        await store.add_transition(
            tx, part, previous=part.state, actor=actor.label(), reason=reason
        )
    if part.state is not SellerOrderState.CANCELLED:
        outbox.add(tx, event, actor=actor)


async def accept(tx: WriteTx, actor: Actor, *, seller_order_id: UUID, seller_id: UUID) -> None:
    """The seller takes the order on. Accepting twice changes nothing."""
    part = await lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
    if part.state is SellerOrderState.PROCESSING:
        return
    previous = part.move(SellerOrderState.PROCESSING)
    await save_step(tx, actor, part, previous=previous, reason="The seller accepted the order.")


async def pack(tx: WriteTx, actor: Actor, *, seller_order_id: UUID, seller_id: UUID) -> None:
    """The goods are packed and wait for the carrier; taken on first if they were not. Packing
    twice changes nothing. Raises OrderNotFound, IllegalTransition."""
    await accept(tx, actor, seller_order_id=seller_order_id, seller_id=seller_id)
    part = await lock_part(tx, seller_order_id=seller_order_id, seller_id=seller_id)
    if part.packed_at is not None:
        return
    part.packed_at = tx.clock.now()
    await store.save_seller_order(tx, part)
    await store.add_transition(
        tx, part, previous=part.state, actor=actor.label(), reason="The parcel is packed."
    )


async def mark_digital_delivered(tx: WriteTx, actor: Actor, *, seller_order_id: UUID) -> None:
    """Downloads were granted: count digital lines as handed over; a part that has nothing else is
    delivered. Repeating changes nothing."""
    part = await lock_part(tx, seller_order_id=seller_order_id)
    units = {
        line.id: line.to_fulfil
        for line in part.lines
        if line.kind == "digital" and line.to_fulfil > 0
    }
    if not units or part.state is SellerOrderState.CANCELLED:
        return
    complete = part.fulfil(units)
    if complete and part.state is SellerOrderState.CONFIRMED:
        previous = part.deliver(now=tx.clock.now())
        await save_step(tx, actor, part, previous=previous, reason="The downloads are ready.")
    elif complete and part.state is SellerOrderState.PROCESSING:
        # The parcels went out first, or were cancelled; nothing is left that could take the order
        # further.
        if any(line.fulfilled for line in part.lines if line.kind != "digital"):
            previous = part.move(SellerOrderState.SHIPPED)
            await save_step(tx, actor, part, previous=previous, reason="Everything is on its way.")
        else:
            previous = part.deliver(now=tx.clock.now())
            await save_step(tx, actor, part, previous=previous, reason="The downloads are ready.")
    else:
        await store.save_seller_order(tx, part)


async def due_for_completion(
    conn: ReadConn, *, limit: int, without: Sequence[UUID] = ()
) -> list[UUID]:
    """Delivered parts whose return window is over, longest ago first, `without` some of them."""
    before = conn.clock.now() - await return_window(conn)
    return await store.due_deliveries(conn, delivered_before=before, without=without, limit=limit)


async def long_on_the_way(
    conn: ReadConn, *, limit: int, without: Sequence[UUID] = ()
) -> list[UUID]:
    """Parts that were sent so long ago that they must have arrived, `without` some of them."""
    before = conn.clock.now() - ARRIVES_WITHIN
    return await store.sent_before(conn, before, without=without, limit=limit)


async def window_is_over(conn: ReadConn, part: SellerOrder) -> bool:
    """Whether a locked part is delivered and can no longer be sent back."""
    if part.state is not SellerOrderState.DELIVERED or part.delivered_at is None:
        return False
    return part.delivered_at < conn.clock.now() - await return_window(conn)
