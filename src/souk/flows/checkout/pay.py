"""Paying, with the gateway between two transactions and never inside one."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.checkout import complete, flow
from souk.flows.checkout.complete import Settled
from souk.flows.checkout.refunds import SWEEPER
from souk.flows.checkout.view import CheckoutView
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.http.holder import Holder
from souk.platform.services import Services

log = structlog.get_logger()
_WAITS = {payments.OutcomeKind.PENDING, payments.OutcomeKind.REQUIRES_ACTION}


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
    gateways = services.get(payments.Gateways)
    outcome = await payments.execute(gateways, begun.payment)
    outcome = await payments.take_held(gateways, begun.payment, outcome)
    return await settle(services, actor, begun.payment, outcome, source="answer")


async def settle(
    services: Services,
    actor: Actor,
    payment: payments.PaymentView,
    outcome: payments.GatewayOutcome,
    *,
    source: str,
) -> Settled:
    """Apply what the gateway said of this payment, in a transaction of its own."""
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


async def refresh(services: Services, actor: Actor, payment_id: UUID) -> Settled | None:
    """Ask the gateway what became of a payment, as when the buyer comes back from its page."""
    async with services.db.read() as conn:
        payment = await payments.find(conn, payment_id)
    if payment is None:
        return None
    gateways = services.get(payments.Gateways)
    outcome = await payments.resolve(gateways, payment)
    outcome = await payments.take_held(gateways, payment, outcome)
    return await settle(services, actor, payment, outcome, source="answer")


async def _ask_about(services: Services, payment: payments.PaymentView) -> None:
    gateways = services.get(payments.Gateways)
    outcome = await payments.resolve(gateways, payment)
    age = services.clock.now() - payment.created_at
    waits = outcome.kind in _WAITS and age > orders.RESERVATION_LIFE
    if outcome.kind is payments.OutcomeKind.ABSENT or waits:
        outcome = await payments.cancel(gateways, payment)
    outcome = await payments.take_held(gateways, payment, outcome)
    await settle(services, SWEEPER, payment, outcome, source="sweeper")


async def sweep(services: Services, *, older_than: timedelta, limit: int) -> int:
    """Settle payments that nobody has heard of for a while; returns how many were looked at.

    One that never reached the gateway, or that waits too long for its buyer, is cancelled there
    first, so that no money can move afterwards.
    """
    async with services.db.read() as conn:
        stale = await payments.stale(conn, older_than=older_than, limit=limit)
    for payment in stale:
        try:
            await _ask_about(services, payment)
        except DomainError as error:
            log.warning("payment_not_settled", payment=str(payment.id), code=error.code)
            await services.db.transact(partial(payments.set_aside, payment_id=payment.id))
    return len(stale)
