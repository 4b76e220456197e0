"""Events of `payments`. Amounts are minor units of `currency`."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class PaymentFact(Event, frozen=True, kw_only=True):
    """What every event of a payment carries."""

    key: ClassVar[str] = "payment_id"

    payment_id: UUID
    checkout_id: UUID
    amount: int
    currency: str
    gateway: str


class PaymentRequiresAction(PaymentFact, frozen=True, kw_only=True):
    """The buyer must do something at the gateway: type a card, or answer 3-D Secure."""

    name: ClassVar[str] = "payments.payment_requires_action.v1"


class PaymentAuthorised(PaymentFact, frozen=True, kw_only=True):
    """The money is held at the buyer's bank and not yet taken."""

    name: ClassVar[str] = "payments.payment_authorised.v1"


class PaymentCaptured(PaymentFact, frozen=True, kw_only=True):
    """The gateway has the money. Published once for a payment."""

    name: ClassVar[str] = "payments.payment_captured.v1"


class PaymentFailed(PaymentFact, frozen=True, kw_only=True):
    """The payment was declined; nothing was taken."""

    name: ClassVar[str] = "payments.payment_failed.v1"

    decline_code: str


class PaymentCancelled(PaymentFact, frozen=True, kw_only=True):
    """The payment was given up; nothing was taken."""

    name: ClassVar[str] = "payments.payment_cancelled.v1"


class PaymentRefunded(PaymentFact, frozen=True, kw_only=True):
    """`amount` went back to the buyer; `refunded_total` of the payment has by now."""

    name: ClassVar[str] = "payments.payment_refunded.v1"

    refund_id: UUID
    refund_key: str
    refunded_total: int
    reason: str


class RefundFailed(PaymentFact, frozen=True, kw_only=True):
    """The gateway could not send `amount` back; a person must find another way."""

    name: ClassVar[str] = "payments.refund_failed.v1"

    refund_id: UUID
    refund_key: str
    failure_code: str
