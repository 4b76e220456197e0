"""`/api/v1/checkouts`: the checkout as a resource, and its payment."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, patch, post

from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.checkout import expire, flow, pay, refunds
from souk.flows.checkout.complete import Settled
from souk.flows.checkout.flow import Item, Parts
from souk.flows.checkout.options import may_buy
from souk.flows.checkout.view import CheckoutView
from souk.kernel.actor import Actor, Permission
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.options import Options
from souk.platform.services import Services
from souk.platform.settings import Settings


class OpenCheckout(Parts, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`items` null means: what is in the caller's cart."""

    items: Annotated[list[Item], msgspec.Meta(min_length=1, max_length=100)] | None = None


class ReplaceParts(Parts, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parts that are to be replaced."""


class OrderPayment(msgspec.Struct, frozen=True):
    """A payment with its timeline and refunds."""

    payment: payments.PaymentView
    steps: list[payments.PaymentStep]
    refunds: list[payments.RefundView]


class Pay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`method` is a token of the gateway; null sends the buyer to the gateway's own page."""

    method: Annotated[str, msgspec.Meta(max_length=200)] | None = None


@post("/api/v1/checkouts", access=access.HOLDER, idempotent=True, rate="checkout")
async def open_checkout(
    data: OpenCheckout, db: Database, holder: Holder, settings: Settings, options: Options
) -> Response[CheckoutView]:
    """Begin a checkout of the cart or of the items named."""
    may_buy(options, holder)
    view = await db.transact(
        lambda tx: flow.open_checkout(tx, holder, items=data.items, parts=data, settings=settings),
        losable=orders.LOSABLE,
    )
    return hand_over(Response(view, status_code=201), holder, settings)


@get("/api/v1/checkouts/{checkout_id:uuid}", access=access.HOLDER)
async def read_checkout(db: Database, holder: Holder, checkout_id: UUID) -> CheckoutView:
    """The whole state, with the prices and stock of this moment."""
    async with db.read() as conn:
        return await flow.read(conn, holder, checkout_id)


@patch("/api/v1/checkouts/{checkout_id:uuid}", access=access.HOLDER, rate="checkout")
async def replace_parts(
    data: ReplaceParts, db: Database, holder: Holder, settings: Settings, checkout_id: UUID
) -> CheckoutView:
    """Replace the contact, addresses or ways of delivery."""
    return await db.transact(
        lambda tx: flow.replace_parts(
            tx, holder, checkout_id=checkout_id, parts=data, settings=settings
        )
    )


@post(
    "/api/v1/checkouts/{checkout_id:uuid}/payment",
    access=access.HOLDER,
    idempotent=True,
    rate="checkout",
    status_code=200,
)
async def pay_checkout(
    data: Pay,
    services: Services,
    actor: Actor,
    holder: Holder,
    settings: Settings,
    checkout_id: UUID,
) -> CheckoutView | Settled:
    """Reserve the goods and pay. Answers the order's id, or the step that the buyer must take."""
    return await pay.pay(
        services,
        actor,
        holder,
        checkout_id=checkout_id,
        method_token=data.method,
        return_url=f"{settings.base_url}/checkout/{checkout_id}/return",
    )


@post(
    "/api/v1/checkouts/{checkout_id:uuid}/cancel",
    access=access.HOLDER,
    rate="checkout",
    status_code=200,
)
async def cancel_checkout(
    services: Services, actor: Actor, holder: Holder, checkout_id: UUID
) -> CheckoutView:
    """Give up: the goods go back on sale, a payment under way is cancelled at the gateway."""
    return await expire.cancel(services, actor, holder, checkout_id=checkout_id)


@get("/api/v1/orders/{order_id:uuid}/payment", access=access.HOLDER)
async def read_payment(db: Database, holder: Holder, order_id: UUID) -> OrderPayment:
    """How one of the caller's orders was paid, step by step, with its refunds."""
    async with db.read() as conn:
        order = await orders.order(conn, order_id, user_id=holder.user_id, guest=holder.guest)
        payment = await payments.find(conn, order.payment_id)
        assert payment is not None
        return OrderPayment(
            payment,
            await payments.history(conn, payment.id),
            await payments.refunds_of(conn, payment.id),
        )


@post(
    "/api/v1/admin/refunds/{refund_id:uuid}/again",
    access=access.operator(Permission.MONEY_MANAGE),
    idempotent=True,
    rate="write",
    status_code=200,
)
async def send_refund_again(db: Database, actor: Actor, refund_id: UUID) -> payments.RefundView:
    """Have a refund that failed sent once more."""
    return await db.transact(lambda tx: refunds.send_again(tx, actor, refund_id=refund_id))


routes: list[Any] = [
    send_refund_again,
    read_payment,
    open_checkout,
    read_checkout,
    replace_parts,
    pay_checkout,
    cancel_checkout,
]
