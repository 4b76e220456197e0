"""Calls to the gateways: always outside a transaction, always repeatable."""

from __future__ import annotations

import structlog

from souk.contexts.payments.domain import GatewayOutcome, OutcomeKind, RefundOutcome
from souk.contexts.payments.gateways import Gateways
from souk.contexts.payments.ports import (
    ChargeOrder,
    GatewayRefused,
    GatewayUnreachable,
    RefundOrder,
)
from souk.contexts.payments.queries import PaymentAttempt, RefundRequest

log = structlog.get_logger()


def charge_order(attempt: PaymentAttempt) -> ChargeOrder:
    """What to ask of the gateway for this attempt."""
    payment = attempt.payment
    return ChargeOrder(
        payment_id=payment.id,
        gateway=payment.gateway,
        amount=payment.amount,
        currency=payment.currency,
        token=attempt.method.token,
        return_url=attempt.return_url,
        gateway_ref=attempt.gateway_ref,
    )


def refund_order(request: RefundRequest) -> RefundOrder:
    """What to ask of the gateway for this refund."""
    refund = request.refund
    return RefundOrder(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        gateway=refund.gateway,
        payment_ref=request.payment_ref,
        amount=refund.amount,
        currency=refund.currency,
        reason=refund.reason,
    )


async def execute(gateways: Gateways, attempt: PaymentAttempt) -> GatewayOutcome:
    """Charge, or ask what became of a charge that the gateway has already.

    An unknown outcome is resolved by asking; what stays unknown is said to be so.
    `UNKNOWN` and `PENDING` are settled later by a webhook or the sweeper; after `UNAVAILABLE`
    nothing was sent and the same attempt may be executed again.
    """
    if attempt.gateway_ref is not None:
        return await resolve(gateways, attempt)
    order = charge_order(attempt)
    try:
        return await gateways.call(order.gateway, "charge", lambda port: port.charge(order))
    except GatewayRefused:
        return GatewayOutcome(kind=OutcomeKind.UNAVAILABLE)
    except GatewayUnreachable as error:
        if not error.sent:
            return GatewayOutcome(kind=OutcomeKind.UNAVAILABLE)
    found = await resolve(gateways, attempt)
    if found.kind == OutcomeKind.ABSENT:
        # The request that timed out may still arrive there: absent now is not absent for good.
        return GatewayOutcome(kind=OutcomeKind.UNKNOWN)
    return found


async def resolve(gateways: Gateways, attempt: PaymentAttempt) -> GatewayOutcome:
    """Ask what became of a payment: `ABSENT` when the gateway knows nothing of it."""
    order = charge_order(attempt)
    try:
        found = await gateways.call(order.gateway, "find", lambda port: port.find(order))
    except (GatewayUnreachable, GatewayRefused):
        return GatewayOutcome(kind=OutcomeKind.UNKNOWN)
    return found or GatewayOutcome(kind=OutcomeKind.ABSENT)


async def execute_cancel(gateways: Gateways, attempt: PaymentAttempt) -> GatewayOutcome:
    """Give a payment up for good; the answer is `CAPTURED` when the money had moved already."""
    order = charge_order(attempt)
    try:
        return await gateways.call(order.gateway, "cancel", lambda port: port.cancel(order))
    except (GatewayUnreachable, GatewayRefused):
        return GatewayOutcome(kind=OutcomeKind.UNKNOWN)


async def execute_capture(gateways: Gateways, attempt: PaymentAttempt) -> GatewayOutcome:
    """Take money that is held (`authorised`)."""
    order = charge_order(attempt)
    try:
        return await gateways.call(order.gateway, "capture", lambda port: port.capture(order))
    except (GatewayUnreachable, GatewayRefused):
        return await resolve(gateways, attempt)


async def execute_refund(gateways: Gateways, request: RefundRequest) -> RefundOutcome:
    """Send money back; repeating it with the same request cannot send it twice."""
    order = refund_order(request)
    try:
        return await gateways.call(order.gateway, "refund", lambda port: port.refund(order))
    except GatewayRefused as error:
        log.warning("refund_refused", refund_id=str(order.refund_id), code=error.code)
        return RefundOutcome(state=None)
    except GatewayUnreachable:
        pass
    try:
        found = await gateways.call(
            order.gateway, "find_refund", lambda port: port.find_refund(order)
        )
    except (GatewayUnreachable, GatewayRefused):
        found = None
    return found or RefundOutcome(state=None)
