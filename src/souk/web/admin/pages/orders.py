"""Orders with everything that is known of them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import queues
from souk.web.desk import address
from souk.web.page import Req, page

_MAY = access.operator(Permission.ORDERS_VIEW)
_LIST = "/admin/orders"


@get(_LIST, access=_MAY, include_in_schema=False)
async def orders_page(
    request: Req,
    db: Database,
    actor: Actor,
    q: Annotated[str, QueryParameter(max_length=254)] = "",
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """All orders, newest first, by number or e-mail address."""
    async with db.read() as conn:
        found = await orders.all_orders(conn, search=clean_text(q, path="q"), cursor=cursor)
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/orders.html",
        rows=found.items,
        q=q,
        next_url=address(_LIST, q=q, cursor=found.next_cursor) if found.next_cursor else None,
        desk_counts=waiting,
    )


@get(_LIST + "/{order_id:uuid}", access=_MAY, include_in_schema=False)
async def order_page(
    request: Req, db: Database, actor: Actor, order_id: FromPath[UUID]
) -> Response[bytes]:
    """One order: parts, payments, webhooks, refunds, ledger, one timeline of it all."""
    async with db.read() as conn:
        order = await orders.order(conn, order_id, any_holder=True)
        parts = [part.id for part in order.seller_orders]
        tries = await payments.attempts(conn, order.checkout_id)
        steps = await payments.history(conn, order.payment_id)
        refunds = await payments.refunds_of(conn, order.payment_id)
        webhooks = await payments.inbox(conn, payment_id=order.payment_id)
        parcels = await fulfilment.of_orders(conn, parts)
        shops = await sellers.cards(conn, [part.seller_id for part in order.seller_orders])
        entries: list[ledger.EntryDetail] = []
        if actor.may(Permission.MONEY_VIEW):
            causes = [f"order:{order.id}", f"checkout:{order.checkout_id}"]
            causes += [f"seller_order:{part}" for part in parts]
            entries = await ledger.entries_of(conn, causes)
        waiting = await queues(conn, actor)
    sent_to = order.shipping_address
    return await page(
        request,
        "admin/order.html",
        order=order,
        attempts=tries,
        refunds=refunds,
        webhooks=webhooks,
        parcels=parcels,
        shops=shops,
        entries=entries,
        sees_money=actor.may(Permission.MONEY_VIEW),
        address=fulfilment.address_lines(fulfilment.Address(**sent_to)) if sent_to else [],
        steps=_timeline(order, steps),
        desk_counts=waiting,
    )


def _timeline(
    order: orders.OrderView, payment: list[payments.PaymentStep]
) -> list[dict[str, object]]:
    """What happened to the order and its payment, in the order in which it did."""
    found: list[dict[str, object]] = [
        {
            "when": step.at,
            "title": step.state,
            "by": step.actor,
            "text": step.reason,
            "what": "order",
        }
        for part in order.seller_orders
        for step in part.timeline
    ]
    found.extend(
        {
            "when": step.at,
            "title": step.state,
            "by": f"{step.actor}, {step.source}",
            "text": step.detail,
            "what": "payment",
        }
        for step in payment
    )
    return sorted(found, key=lambda step: str(step["when"]))


routes: list[Any] = [orders_page, order_page]
