"""Messages about orders, parcels, downloads and money."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.notifications import api as notifications
from souk.contexts.notifications.api import contents
from souk.contexts.orders import api as orders
from souk.flows.notify.people import AnyContent, buyer, dedupe_key, shop_name, tell, tell_shop
from souk.platform import jobs
from souk.platform.database import ReadConn, WriteTx
from souk.platform.events import EventMeta
from souk.published.fulfilment import DownloadsGranted, ShipmentShipped
from souk.published.orders import (
    CheckoutReversed,
    LinesCancelled,
    OrderConfirmed,
    SellerOrderChanged,
)
from souk.published.payments import PaymentFailed, PaymentRefunded

_DIGITAL = "digital"
SEND_ORDER_MAIL = "notify.send_order_mail"


class SendOrderMail(msgspec.Struct, frozen=True):
    """A queued message to a guest, and the order whose link it gets when it is sent."""

    message_id: UUID
    order_id: UUID


async def _tell_buyer(
    tx: WriteTx, order: orders.OrderView, content: AnyContent, meta: EventMeta
) -> None:
    """A member has the order in the account. A guest's mail gets a link that opens it."""
    to = await buyer(tx, email=order.email, user_id=order.buyer_id)
    if to.user_id is not None:
        await tell(tx, to, content, meta)
    else:
        await mail_guest(tx, to, content, dedupe_key(content, meta, to.email), order_id=order.id)


async def mail_guest(
    tx: WriteTx, to: notifications.Recipient, content: AnyContent, key: str, *, order_id: UUID
) -> bool:
    """Mail a guest about an order, once per `key`; False when that is not wanted.

    The job that sends the mail makes the link that opens the order, so that no link is ever stored.
    """
    message_id = await notifications.send(tx, to=to, content=content, dedupe_key=key, by_job=False)
    if message_id is not None:
        await jobs.enqueue(tx, SEND_ORDER_MAIL, SendOrderMail(message_id, order_id))
    return message_id is not None


def _bought(lines: list[orders.LineView]) -> list[contents.Bought]:
    return [
        contents.Bought(
            line.title, line.variant_title, line.quantity, line.unit_price * line.quantity
        )
        for line in lines
    ]


async def on_order_confirmed(tx: WriteTx, event: OrderConfirmed, meta: EventMeta) -> None:
    """The buyer reads what was bought; each seller, what to do and what is earned."""
    order = await orders.order(tx, event.order_id, any_holder=True)
    lines = [line for part in order.seller_orders for line in part.lines]
    confirmation = contents.PurchaseConfirmed(
        order_id=order.id,
        number=order.number,
        currency=order.currency,
        lines=_bought(lines),
        delivery=order.delivery,
        discount=order.discount,
        tax=order.tax,
        total=order.total,
        has_digital=any(line.kind == _DIGITAL for line in lines),
    )
    await _tell_buyer(tx, order, confirmation, meta)
    for part in order.seller_orders:
        sale = contents.Sale(
            seller_order_id=part.id,
            number=order.number,
            currency=part.currency,
            lines=_bought(part.lines),
            total=part.total,
            earning=part.items
            - part.discount
            + part.delivery
            - part.commission
            - part.commission_tax,
            to_ship=any(line.kind != _DIGITAL for line in part.lines),
        )
        await tell_shop(tx, part.seller_id, sale, meta, about=part.id)


async def _order_of(
    conn: ReadConn, seller_order_id: UUID
) -> tuple[orders.SellerOrderView, orders.OrderView]:
    part = await orders.seller_order(conn, seller_order_id)
    return part, await orders.order(conn, part.order_id, any_holder=True)


async def on_shipped(tx: WriteTx, event: ShipmentShipped, meta: EventMeta) -> None:
    """The buyer can follow the parcel."""
    part, order = await _order_of(tx, event.seller_order_id)
    content = contents.Shipped(
        order_id=order.id,
        number=order.number,
        seller=await shop_name(tx, part.seller_id),
        carrier=fulfilment.carrier_name(event.carrier),
        tracking_number=event.tracking_number,
        estimate_from=event.estimate_from,
        estimate_to=event.estimate_to,
    )
    await _tell_buyer(tx, order, content, meta)


async def on_seller_order_changed(tx: WriteTx, event: SellerOrderChanged, meta: EventMeta) -> None:
    """The buyer reads of an arrival or a cancellation; downloads have a message of their own."""
    if event.state not in {"delivered", "cancelled"}:
        return
    part, order = await _order_of(tx, event.seller_order_id)
    shop = await shop_name(tx, part.seller_id)
    if event.state == "cancelled":
        cancelled = contents.OrderCancelled(
            order_id=order.id, number=order.number, seller=shop, reason=event.reason
        )
        await _tell_buyer(tx, order, cancelled, meta)
    elif any(line.kind != _DIGITAL for line in part.lines):
        arrived = contents.Delivered(order_id=order.id, number=order.number, seller=shop)
        await _tell_buyer(tx, order, arrived, meta)


async def on_lines_cancelled(tx: WriteTx, event: LinesCancelled, meta: EventMeta) -> None:
    """The buyer reads what will not come, why, and what goes back."""
    part, order = await _order_of(tx, event.seller_order_id)
    content = contents.LinesCancelled(
        order_id=order.id,
        number=order.number,
        seller=await shop_name(tx, part.seller_id),
        reason=event.reason,
        refund=event.refund,
        currency=event.currency,
    )
    await tell(tx, await buyer(tx, email=order.email, user_id=order.buyer_id), content, meta)


async def on_downloads_granted(tx: WriteTx, event: DownloadsGranted, meta: EventMeta) -> None:
    """The buyer can download; a seller whose keys ran out has to add some."""
    part, order = await _order_of(tx, event.seller_order_id)
    wanted = set(event.order_line_ids)
    ready = contents.DownloadReady(
        order_id=order.id,
        number=order.number,
        titles=[line.title for line in part.lines if line.id in wanted],
    )
    await _tell_buyer(tx, order, ready, meta)
    if event.keys_missing:
        missing = contents.KeysMissing(
            seller_order_id=part.id, number=order.number, count=event.keys_missing
        )
        await tell_shop(tx, part.seller_id, missing, meta)


async def on_payment_failed(tx: WriteTx, event: PaymentFailed, meta: EventMeta) -> None:
    """The buyer can try again."""
    checkout = await orders.find_checkout(tx, event.checkout_id)
    if checkout is None or not checkout.email:
        return
    content = contents.PaymentFailed(
        checkout_id=checkout.id, amount=event.amount, currency=event.currency
    )
    to = await buyer(tx, email=checkout.email, user_id=checkout.user_id)
    await tell(tx, to, content, meta)


async def on_refunded(tx: WriteTx, event: PaymentRefunded, meta: EventMeta) -> None:
    """The buyer reads what comes back. Reversed checkouts have a message of their own."""
    checkout = await orders.find_checkout(tx, event.checkout_id)
    if checkout is None or checkout.order_id is None:
        return
    order = await orders.order(tx, checkout.order_id, any_holder=True)
    content = contents.Refunded(
        order_id=order.id, number=order.number, amount=event.amount, currency=event.currency
    )
    await _tell_buyer(tx, order, content, meta)


async def on_checkout_reversed(tx: WriteTx, event: CheckoutReversed, meta: EventMeta) -> None:
    """The buyer's payment came when the goods were gone."""
    checkout = await orders.find_checkout(tx, event.checkout_id)
    if checkout is None or not checkout.email:
        return
    content = contents.SoldOutRefunded(amount=event.amount, currency=event.currency)
    to = await buyer(tx, email=checkout.email, user_id=checkout.user_id)
    await tell(tx, to, content, meta)
