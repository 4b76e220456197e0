"""The sandbox's JSON, and what it means in the marketplace's words."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from souk.contexts.payments.domain import (
    GatewayOutcome,
    OutcomeKind,
    RefundOutcome,
    RefundState,
)
from souk.contexts.payments.ports import PayoutOutcome, WebhookFact
from souk.kernel.ids import parse_uuid

NAME = "sandbox"


class Action(msgspec.Struct):
    url: str


class Failure(msgspec.Struct):
    decline_code: str


class Intent(msgspec.Struct):
    id: str
    amount: int
    amount_captured: int
    currency: str
    status: str
    hosted: bool
    reference: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None
    next_action: Action | None = None
    last_payment_error: Failure | None = None


class Refund(msgspec.Struct):
    id: str
    status: str
    reference: str | None = None
    failure_code: str | None = None


class Payout(msgspec.Struct):
    id: str
    status: Literal["in_transit", "paid", "failed"]
    reference: str | None = None
    failure_code: str | None = None


class Error(msgspec.Struct):
    type: str
    code: str
    message: str
    payment_intent: Intent | None = None


class ErrorBody(msgspec.Struct):
    error: Error


class Settlement(msgspec.Struct):
    id: str
    day: date
    currency: str
    status: str
    gross: int
    refunds: int
    payouts: int
    fees: int
    net: int


class Line(msgspec.Struct):
    id: str
    type: Literal["charge", "refund", "payout", "payout_failure"]
    source: str
    reference: str | None
    amount: int
    fee: int
    created: int


class Intents(msgspec.Struct):
    data: list[Intent]


class Refunds(msgspec.Struct):
    data: list[Refund]


class Payouts(msgspec.Struct):
    data: list[Payout]


class Settlements(msgspec.Struct):
    data: list[Settlement]


class Lines(msgspec.Struct):
    data: list[Line]
    next: str | None


class EventData(msgspec.Struct):
    object: msgspec.Raw


class Event(msgspec.Struct):
    id: str
    type: str
    data: EventData


def outcome_of(intent: Intent) -> GatewayOutcome:
    kind = {
        "requires_action": OutcomeKind.REQUIRES_ACTION,
        "processing": OutcomeKind.PENDING,
        "requires_capture": OutcomeKind.AUTHORISED,
        "succeeded": OutcomeKind.CAPTURED,
        "canceled": OutcomeKind.CANCELLED,
    }.get(intent.status, OutcomeKind.PENDING)
    if intent.status == "requires_payment_method":
        # On the hosted page a declined buyer tries another card, so that payment is still alive.
        if intent.hosted:
            kind = OutcomeKind.REQUIRES_ACTION
        elif intent.last_payment_error is not None:
            kind = OutcomeKind.DECLINED
    amount = intent.amount if kind == OutcomeKind.AUTHORISED else intent.amount_captured
    return GatewayOutcome(
        kind=kind,
        gateway_ref=intent.id,
        amount=amount,
        currency=intent.currency,
        action_url=intent.next_action.url if intent.next_action else None,
        decline_code=intent.last_payment_error.decline_code if intent.last_payment_error else None,
        method_label=(
            f"{intent.card_brand} •••• {intent.card_last4}" if intent.card_brand else None
        ),
    )


def refund_outcome_of(refund: Refund) -> RefundOutcome:
    states = {"succeeded": RefundState.SUCCEEDED, "failed": RefundState.FAILED}
    return RefundOutcome(
        state=states.get(refund.status),
        gateway_ref=refund.id,
        failure_code=refund.failure_code,
    )


def payout_outcome_of(payout: Payout) -> PayoutOutcome:
    return PayoutOutcome(
        state=payout.status, gateway_ref=payout.id, failure_code=payout.failure_code
    )


def _uuid(reference: str | None) -> UUID | None:
    return parse_uuid(reference) if reference else None


def fact_of(event: Event) -> WebhookFact:
    if event.type.startswith("payment_intent."):
        intent = msgspec.json.decode(event.data.object, type=Intent)
        return WebhookFact(
            gateway=NAME,
            event_id=event.id,
            type=event.type,
            kind="payment",
            payment_id=_uuid(intent.reference),
            outcome=outcome_of(intent),
        )
    if event.type.startswith("refund."):
        refund = msgspec.json.decode(event.data.object, type=Refund)
        return WebhookFact(
            gateway=NAME,
            event_id=event.id,
            type=event.type,
            kind="refund",
            refund_id=_uuid(refund.reference),
            refund_outcome=refund_outcome_of(refund),
        )
    if event.type.startswith("payout."):
        payout = msgspec.json.decode(event.data.object, type=Payout)
        return WebhookFact(
            gateway=NAME,
            event_id=event.id,
            type=event.type,
            kind="payout",
            payout_id=_uuid(payout.reference),
            payout_outcome=payout_outcome_of(payout),
        )
    return WebhookFact(gateway=NAME, event_id=event.id, type=event.type, kind="other")
