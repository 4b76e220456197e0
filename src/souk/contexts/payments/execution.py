"""Calls to the gateways: always outside a transaction, always repeatable."""

from __future__ import annotations

import msgspec
import structlog

from souk.contexts.payments.domain import GatewayOutcome, OutcomeKind, RefundOutcome
from souk.contexts.payments.errors import UnknownGateway
from souk.contexts.payments.gateways import Gateways
from souk.contexts.payments.ports import (
    ChargeOrder,
    GatewayRefused,
    GatewayUnreachable,
    RefundOrder,
)
from souk.contexts.payments.queries import PaymentView, RefundView

log = structlog.get_logger()


def charge_order(payment: PaymentView) -> ChargeOrder:
    """What to ask of the gateway for this payment."""
    return ChargeOrder(
        payment_id=payment.id,
        gateway=payment.gateway,
        amount=payment.amount,
        currency=payment.currency,
        token=payment.method_token,
        return_url=payment.return_url,
        gateway_ref=payment.gateway_ref,
    )


def refund_order(refund: RefundView) -> RefundOrder:
    """What to ask of the gateway for this refund."""
    return RefundOrder(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        gateway=refund.gateway,
        payment_ref=refund.payment_ref,
        amount=refund.amount,
        currency=refund.currency,
        reason=refund.reason,
    )


async def execute(gateways: Gateways, payment: PaymentView) -> GatewayOutcome:
    """Charge, or ask what became of a charge that the gateway has already.

    An unknown outcome is resolved by asking; what stays unknown is said to be so.
    `UNKNOWN` and `PENDING` are settled later by a webhook or the sweeper; after `UNAVAILABLE`
    nothing was sent and the same attempt may be executed again.
    """
    if payment.gateway_ref is not None:
        return await resolve(gateways, payment)
    order = charge_order(payment)
    try:
        return await gateways.call(order.gateway, "charge", lambda port: port.charge(order))
    except GatewayRefused:
        return GatewayOutcome(kind=OutcomeKind.UNAVAILABLE)
    except GatewayUnreachable as error:
        if not error.sent:
            return GatewayOutcome(kind=OutcomeKind.UNAVAILABLE)
    found = await resolve(gateways, payment)
    if found.kind == OutcomeKind.ABSENT:
        # The request that timed out may still arrive there: absent now is not absent for good.
        return GatewayOutcome(kind=OutcomeKind.UNKNOWN)
    return found


async def resolve(gateways: Gateways, payment: PaymentView) -> GatewayOutcome:
    """Ask what became of a payment: `ABSENT` when the gateway knows nothing of it."""
    order = charge_order(payment)
    try:
        found = await gateways.call(order.gateway, "find", lambda port: port.find(order))
    except (GatewayUnreachable, GatewayRefused):
        return GatewayOutcome(kind=OutcomeKind.UNKNOWN)
    return found or GatewayOutcome(kind=OutcomeKind.ABSENT)


async def cancel(gateways: Gateways, payment: PaymentView) -> GatewayOutcome:
    """Give a payment up for good; the answer is `CAPTURED` when the money had moved already."""
    order = charge_order(payment)
    try:
        return await gateways.call(order.gateway, "cancel", lambda port: port.cancel(order))
    except (GatewayUnreachable, GatewayRefused):
        return GatewayOutcome(kind=OutcomeKind.UNKNOWN)


async def capture(gateways: Gateways, payment: PaymentView) -> GatewayOutcome:
    """Take money that is held (`authorised`)."""
    order = charge_order(payment)
    try:
        return await gateways.call(order.gateway, "capture", lambda port: port.capture(order))
    except (GatewayUnreachable, GatewayRefused):
        return await resolve(gateways, payment)


async def take_held(
    gateways: Gateways, payment: PaymentView, outcome: GatewayOutcome
) -> GatewayOutcome:
    """Take money that a gateway merely holds: an order is paid when the money is ours. Every other
    outcome is answered as it is."""
    if outcome.kind is not OutcomeKind.AUTHORISED or outcome.gateway_ref is None:
        return outcome
    named = msgspec.structs.replace(payment, gateway_ref=outcome.gateway_ref)
    return await capture(gateways, named)


async def execute_refund(gateways: Gateways, refund: RefundView) -> RefundOutcome:
    """Send money back; repeating it with the same request cannot send it twice."""
    order = refund_order(refund)
    try:
        return await gateways.call(order.gateway, "refund", lambda port: port.refund(order))
    except GatewayRefused as error:
        log.warning("refund_refused", refund_id=str(order.refund_id), code=error.code)
        return RefundOutcome(state=None)
    except UnknownGateway:
        log.warning("refund_has_no_gateway", refund_id=str(order.refund_id), gateway=order.gateway)
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
