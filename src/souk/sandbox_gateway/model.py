"""Payment intents, refunds and payouts: their rules, without I/O."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from souk.kernel.money import divide_half_even
from souk.sandbox_gateway.cards import BANK_ACCOUNTS, DECLINES, Behaviour
from souk.sandbox_gateway.config import SandboxSettings

Status = Literal[
    "requires_payment_method", "requires_action", "processing", "requires_capture", "succeeded",
    "canceled",
]  # fmt: skip
FEE_BASIS_POINTS = 140
FEE_FIXED = 25
"""1.4 % and 0.25 of the currency's minor unit, for each charge."""


class Refused(Exception):
    """The provider's own error: `status` is HTTP, `kind` and `code` are for programs."""

    def __init__(
        self, status: int, kind: str, code: str, message: str, intent: Intent | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message
        self.intent = intent


def new_id(prefix: str) -> str:
    """An unguessable id such as `pi_3f…`; 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A card behind a token: brand and last four digits, never the number."""

    id: str
    brand: str
    last4: str
    faults: tuple[str, ...]
    exp_month: int
    exp_year: int


class Intent(msgspec.Struct, kw_only=True):
    """One attempt to move `amount` minor units from a buyer. Field order is the table's."""

    id: str
    client_secret: str
    amount: int
    currency: str
    status: Status
    capture_method: Literal["automatic", "manual"]
    hosted: bool
    amount_captured: int
    amount_refunded: int
    payment_method: str | None
    brand: str | None
    last4: str | None
    faults: list[str]
    return_url: str | None
    reference: str | None
    metadata: dict[str, str]
    error_code: str | None
    decline_code: str | None
    error_message: str | None
    settle_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Refund(msgspec.Struct, kw_only=True):
    """Money on its way back to the buyer."""

    id: str
    intent_id: str
    amount: int
    currency: str
    status: Literal["succeeded", "failed"]
    failure_code: str | None
    reason: str | None
    reference: str | None
    created_at: datetime


class Payout(msgspec.Struct, kw_only=True):
    """Money on its way to a bank account; what becomes of it is fixed when it is made."""

    id: str
    amount: int
    currency: str
    destination: str
    final_status: Literal["paid", "failed"]
    failure_code: str | None
    reference: str | None
    created_at: datetime
    arrives_at: datetime

    def status_at(self, now: datetime) -> str:
        return self.final_status if now >= self.arrives_at else "in_transit"


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the merchant's balance: `amount` less `fee`, both in minor units."""

    id: str
    kind: Literal["charge", "refund", "payout", "payout_failure"]
    source: str
    reference: str | None
    amount: int
    fee: int
    currency: str
    created_at: datetime


class Fact(msgspec.Struct, frozen=True):
    """An event to announce at `at`, which may lie ahead; `first` orders reordered webhooks."""

    type: str
    at: datetime


class Change(msgspec.Struct, kw_only=True):
    """What one request does: everything is stored together or not at all."""

    intent: Intent | None = None
    refund: Refund | None = None
    payout: Payout | None = None
    facts: list[Fact] = []
    balance: list[BalanceTransaction] = []
    webhook: str = "normal"


def charge_fee(amount: int) -> int:
    """What the provider keeps of a charge, in minor units."""
    return divide_half_even(amount * FEE_BASIS_POINTS, 10_000) + FEE_FIXED


def _charge(intent: Intent, *, at: datetime) -> BalanceTransaction:
    return BalanceTransaction(
        id=new_id("txn"),
        kind="charge",
        source=intent.id,
        reference=intent.reference,
        amount=intent.amount_captured,
        fee=charge_fee(intent.amount_captured),
        currency=intent.currency,
        created_at=at,
    )


def _require(intent: Intent, action: str, *allowed: Status) -> None:
    if intent.status not in allowed:
        raise Refused(
            400,
            "invalid_request_error",
            "payment_intent_unexpected_state",
            f"This payment intent is {intent.status} and cannot be {action}.",
            intent,
        )


def settle(intent: Intent, now: datetime) -> Intent:
    """The intent as it is at `now`: one that was processing may have succeeded since."""
    if intent.status == "processing" and intent.settle_at and now >= intent.settle_at:
        intent.status = "succeeded"
        intent.amount_captured = intent.amount
    return intent


def decline(intent: Intent, code: str, now: datetime, *, webhook: str = "normal") -> Change:
    """The card is refused: a hosted intent may be tried with another card."""
    intent.status = "requires_payment_method"
    intent.error_code = (
        code if code in {"expired_card", "incorrect_cvc", "processing_error"} else "card_declined"
    )
    intent.decline_code = code
    intent.error_message = DECLINES[code]
    intent.updated_at = now
    return Change(
        intent=intent, facts=[Fact("payment_intent.payment_failed", now)], webhook=webhook
    )


def confirm(
    intent: Intent,
    method: PaymentMethod,
    behaviour: Behaviour,
    now: datetime,
    settings: SandboxSettings,
) -> Change:
    """Try the card. The answer is in the intent's new status."""
    _require(intent, "confirmed", "requires_payment_method")
    intent.payment_method = method.id
    intent.brand = method.brand
    intent.last4 = method.last4
    intent.error_code = intent.decline_code = intent.error_message = None
    intent.updated_at = now
    if behaviour.outcome == "decline":
        return decline(intent, behaviour.decline_code, now, webhook=behaviour.webhook)
    if behaviour.outcome in {"challenge", "challenge_then_decline"}:
        intent.status = "requires_action"
        return Change(
            intent=intent,
            facts=[Fact("payment_intent.requires_action", now)],
            webhook=behaviour.webhook,
        )
    if behaviour.outcome == "process":
        return _process(intent, now, settings)
    return accept(intent, now, webhook=behaviour.webhook)


def _process(intent: Intent, now: datetime, settings: SandboxSettings) -> Change:
    intent.status = "processing"
    intent.settle_at = now + timedelta(seconds=settings.processing_seconds)
    later = msgspec.structs.replace(intent)
    settle(later, intent.settle_at)
    return Change(
        intent=intent,
        facts=[
            Fact("payment_intent.processing", now),
            Fact("payment_intent.succeeded", intent.settle_at),
        ],
        balance=[_charge(later, at=intent.settle_at)],
    )


def accept(intent: Intent, now: datetime, *, webhook: str = "normal") -> Change:
    """The bank agrees: captured at once, or held when capture is manual."""
    intent.updated_at = now
    if intent.capture_method == "manual":
        intent.status = "requires_capture"
        return Change(
            intent=intent,
            facts=[Fact("payment_intent.amount_capturable_updated", now)],
            webhook=webhook,
        )
    intent.status = "succeeded"
    intent.amount_captured = intent.amount
    facts = [Fact("payment_intent.succeeded", now)]
    if webhook == "reordered":
        facts.insert(0, Fact("payment_intent.processing", now))
    return Change(intent=intent, facts=facts, balance=[_charge(intent, at=now)], webhook=webhook)


def authenticate(intent: Intent, behaviour: Behaviour, now: datetime, *, approved: bool) -> Change:
    """The buyer's answer to the 3-D Secure question."""
    _require(intent, "authenticated", "requires_action")
    if not approved:
        return decline(intent, "authentication_failed", now)
    if behaviour.outcome == "challenge_then_decline":
        return decline(intent, behaviour.decline_code, now)
    return accept(intent, now, webhook=behaviour.webhook)


def capture(intent: Intent, amount: int | None, now: datetime) -> Change:
    """Take held money, the whole or a part; the rest is let go."""
    _require(intent, "captured", "requires_capture")
    wanted = intent.amount if amount is None else amount
    if wanted > intent.amount:
        raise Refused(
            400, "invalid_request_error", "amount_too_large",
            f"At most {intent.amount} can be captured.", intent,
        )  # fmt: skip
    intent.status = "succeeded"
    intent.amount_captured = wanted
    intent.updated_at = now
    return Change(
        intent=intent,
        facts=[Fact("payment_intent.succeeded", now)],
        balance=[_charge(intent, at=now)],
    )


def cancel(intent: Intent, now: datetime) -> Change:
    """Give up; possible until the money has moved."""
    _require(intent, "canceled", "requires_payment_method", "requires_action", "requires_capture")
    intent.status = "canceled"
    intent.updated_at = now
    return Change(intent=intent, facts=[Fact("payment_intent.canceled", now)])


def refund(
    intent: Intent,
    behaviour: Behaviour,
    now: datetime,
    *,
    amount: int | None,
    reason: str | None,
    reference: str | None,
) -> Change:
    """Send captured money back, the whole rest or a part; never more than is left."""
    _require(intent, "refunded", "succeeded")
    left = intent.amount_captured - intent.amount_refunded
    wanted = left if amount is None else amount
    if wanted > left or wanted <= 0:
        raise Refused(
            400, "invalid_request_error", "charge_already_refunded",
            f"Only {left} of this payment is left to refund.", intent,
        )  # fmt: skip
    made = Refund(
        id=new_id("re"),
        intent_id=intent.id,
        amount=wanted,
        currency=intent.currency,
        status="failed" if behaviour.refund_fails else "succeeded",
        failure_code="expired_or_canceled_card" if behaviour.refund_fails else None,
        reason=reason,
        reference=reference,
        created_at=now,
    )
    if behaviour.refund_fails:
        return Change(intent=intent, refund=made, facts=[Fact("refund.failed", now)])
    intent.amount_refunded += wanted
    intent.updated_at = now
    balance = BalanceTransaction(
        id=new_id("txn"),
        kind="refund",
        source=made.id,
        reference=reference,
        amount=-wanted,
        fee=0,
        currency=intent.currency,
        created_at=now,
    )
    return Change(
        intent=intent,
        refund=made,
        facts=[Fact("refund.succeeded", now)],
        balance=[balance],
        webhook=behaviour.webhook,
    )


def pay_out(
    *,
    amount: int,
    currency: str,
    destination: str,
    reference: str | None,
    now: datetime,
    settings: SandboxSettings,
) -> Change:
    """Send money to a bank account; it arrives, or comes back, after a fixed while."""
    failure = BANK_ACCOUNTS.get(destination)
    arrives = now + timedelta(seconds=settings.payout_seconds)
    made = Payout(
        id=new_id("po"),
        amount=amount,
        currency=currency,
        destination=destination,
        final_status="failed" if failure else "paid",
        failure_code=failure,
        reference=reference,
        created_at=now,
        arrives_at=arrives,
    )
    steps: list[tuple[Literal["payout", "payout_failure"], int, datetime]] = [
        ("payout", -amount, now)
    ]
    if failure:
        steps.append(("payout_failure", amount, arrives))
    return Change(
        payout=made,
        facts=[Fact("payout.failed" if failure else "payout.paid", arrives)],
        balance=[
            BalanceTransaction(
                id=new_id("txn"), kind=kind, source=made.id, reference=reference,
                amount=signed, fee=0, currency=currency, created_at=at,
            )
            for kind, signed, at in steps
        ],
    )  # fmt: skip
