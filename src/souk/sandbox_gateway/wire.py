"""What goes over the wire: requests, answers and event payloads, all JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from souk.sandbox_gateway.model import BalanceTransaction, Intent, Payout, Refund

Amount = Annotated[int, Meta(ge=1, le=99_999_999_999)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Reference = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=500)]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s]{1,2000}$")]


class CreateIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`hosted` lets the buyer type the card at `/pay/{client_secret}`, as often as needed."""

    amount: Amount
    currency: Currency
    payment_method: Text | None = None
    confirm: bool = False
    hosted: bool = False
    capture_method: Literal["automatic", "manual"] = "automatic"
    return_url: Url | None = None
    reference: Reference | None = None
    metadata: dict[Text, Text] = {}


class ConfirmIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    payment_method: Text | None = None


class CaptureIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount: Amount | None = None


class CreateRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    payment_intent: Text
    amount: Amount | None = None
    reason: Text | None = None
    reference: Reference | None = None


class CreatePayout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount: Amount
    currency: Currency
    destination: Text
    reference: Reference | None = None


class CreatePaymentMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    number: Annotated[str, Meta(max_length=40)]
    exp_month: Annotated[int, Meta(ge=1, le=12)]
    exp_year: Annotated[int, Meta(ge=2000, le=2100)]
    cvc: Annotated[str, Meta(max_length=4)] = ""


class NextAction(msgspec.Struct, frozen=True):
    type: Literal["redirect_to_url"]
    url: str


class Failure(msgspec.Struct, frozen=True):
    code: str
    decline_code: str
    message: str


class IntentWire(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "payment_intent"
    amount: int
    amount_captured: int
    amount_refunded: int
    currency: str
    status: str
    capture_method: str
    hosted: bool
    payment_method: str | None
    card_brand: str | None
    card_last4: str | None
    client_secret: str
    return_url: str | None
    reference: str | None
    metadata: dict[str, str]
    next_action: NextAction | None
    last_payment_error: Failure | None
    created: int


class RefundWire(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "refund"
    payment_intent: str
    amount: int
    currency: str
    status: str
    failure_code: str | None
    reason: str | None
    reference: str | None
    created: int


class PayoutWire(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "payout"
    amount: int
    currency: str
    destination: str
    status: str
    failure_code: str | None
    reference: str | None
    created: int


class BalanceTransactionWire(msgspec.Struct, frozen=True, kw_only=True):
    """`net` is `amount - fee`; refunds and payouts are negative."""

    id: str
    object: str = "balance_transaction"
    type: str
    source: str
    reference: str | None
    amount: int
    fee: int
    net: int
    currency: str
    created: int


class SettlementWire(msgspec.Struct, frozen=True, kw_only=True):
    """All balance transactions of one UTC day in one currency."""

    id: str
    object: str = "settlement"
    day: str
    currency: str
    status: Literal["open", "closed"]
    gross: int
    refunds: int
    payouts: int
    fees: int
    net: int
    transactions: int


class EventWire(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "event"
    type: str
    created: int
    data: dict[str, IntentWire | RefundWire | PayoutWire]


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is handed back as `after` to read on; None at the end."""

    object: str = "list"
    data: list[msgspec.Raw]
    next: str | None


def unix(at: datetime) -> int:
    return int(at.timestamp())


def intent_wire(intent: Intent, public_url: str) -> IntentWire:
    """The intent as its owner sees it."""
    action = None
    if intent.status == "requires_action":
        action = NextAction("redirect_to_url", f"{public_url}/3ds/{intent.client_secret}")
    elif intent.hosted and intent.status == "requires_payment_method":
        action = NextAction("redirect_to_url", f"{public_url}/pay/{intent.client_secret}")
    failure = None
    if intent.error_code is not None:
        failure = Failure(intent.error_code, intent.decline_code or "", intent.error_message or "")
    return IntentWire(
        id=intent.id,
        amount=intent.amount,
        amount_captured=intent.amount_captured,
        amount_refunded=intent.amount_refunded,
        currency=intent.currency,
        status=intent.status,
        capture_method=intent.capture_method,
        hosted=intent.hosted,
        payment_method=intent.payment_method,
        card_brand=intent.brand,
        card_last4=intent.last4,
        client_secret=intent.client_secret,
        return_url=intent.return_url,
        reference=intent.reference,
        metadata=intent.metadata,
        next_action=action,
        last_payment_error=failure,
        created=unix(intent.created_at),
    )


def refund_wire(refund: Refund) -> RefundWire:
    return RefundWire(
        id=refund.id,
        payment_intent=refund.intent_id,
        amount=refund.amount,
        currency=refund.currency,
        status=refund.status,
        failure_code=refund.failure_code,
        reason=refund.reason,
        reference=refund.reference,
        created=unix(refund.created_at),
    )


def payout_wire(payout: Payout, now: datetime) -> PayoutWire:
    status = payout.status_at(now)
    return PayoutWire(
        id=payout.id,
        amount=payout.amount,
        currency=payout.currency,
        destination=payout.destination,
        status=status,
        failure_code=payout.failure_code if status == "failed" else None,
        reference=payout.reference,
        created=unix(payout.created_at),
    )


def balance_wire(row: BalanceTransaction) -> BalanceTransactionWire:
    return BalanceTransactionWire(
        id=row.id,
        type=row.kind,
        source=row.source,
        reference=row.reference,
        amount=row.amount,
        fee=row.fee,
        net=row.amount - row.fee,
        currency=row.currency,
        created=unix(row.created_at),
    )
