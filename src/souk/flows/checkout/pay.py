"""Paying, with the gateway between two transactions and never inside one."""

from __future__ import annotations

from uuid import UUID

import structlog

from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.checkout import complete, flow
from souk.flows.checkout.complete import Settled
from souk.flows.checkout.view import CheckoutView
from souk.kernel.actor import Actor, system
from souk.platform.http.holder import Holder
from souk.platform.services import Services

log = structlog.get_logger()
SWEEPER = system("payments.sweep")


async def pay(
    services: Services,
    actor: Actor,
    holder: Holder,
    *,
    checkout_id: UUID,
    method_token: str | None,
    return_url: str,
    gateway: str = "sandbox",
) -> CheckoutView | Settled:
    """Begin a payment, ask the gateway, apply its answer.

    A process that dies in between leaves a payment whose outcome is unknown; the webhook or the
    sweeper settles it. Raises CheckoutIncomplete with what is missing or has changed.
    """
    begun = await services.db.transact(
        lambda tx: flow.begin_payment(
            tx,
            actor,
            holder,
            checkout_id=checkout_id,
            method_token=method_token,
            return_url=return_url,
            gateway=gateway,
        )
    )
    if begun.payment is None:
        if begun.view.order_id is not None:
            return begun.view
        raise orders.CheckoutIncomplete(
            [
                {"code": m.code, "severity": m.severity, "path": m.path, "text": m.text}
                for m in begun.view.messages
            ]
        )
    return await ask_and_settle(services, actor, begun.payment, source="api")


async def ask_and_settle(
    services: Services, actor: Actor, payment: payments.PaymentView, *, source: str
) -> Settled:
    """Ask the gateway what became of `payment`, creating it there if need be, and apply that."""
    outcome = await payments.execute(services.get(payments.Gateways), payment)
    return await services.db.transact(
        lambda tx: complete.settle(
            tx,
            actor,
            checkout_id=payment.checkout_id,
            payment_id=payment.id,
            outcome=outcome,
            source=source,
        )
    )
