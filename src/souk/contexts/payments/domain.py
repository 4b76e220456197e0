"""What a payment and a refund may become. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.payments.errors import AmountMismatch, ForeignOutcome
from souk.kernel.errors import IllegalTransition


class PaymentState(StrEnum):
    """Where a payment is. Refunds and disputes do not change it: they are derived."""

    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OutcomeKind(StrEnum):
    """What a gateway says of a payment; the last three say that it said nothing."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    ABSENT = "absent"
    """The gateway knows no such payment; a request may still be on its way to it."""
    UNKNOWN = "unknown"
    """A request was sent and no answer came: ask again later, never guess."""
    UNAVAILABLE = "unavailable"
    """Nothing was sent: the gateway cannot be reached just now."""


_TARGET = {
    OutcomeKind.REQUIRES_ACTION: PaymentState.REQUIRES_ACTION,
    OutcomeKind.AUTHORISED: PaymentState.AUTHORISED,
    OutcomeKind.CAPTURED: PaymentState.CAPTURED,
    OutcomeKind.DECLINED: PaymentState.FAILED,
    OutcomeKind.CANCELLED: PaymentState.CANCELLED,
}
# An outcome takes effect only when it leads upwards, so late and reordered news cannot undo newer
# news. Captured is above failed: if money was taken after all, that is the truth to act on.
_RANK = {
    PaymentState.CREATED: 0,
    PaymentState.REQUIRES_ACTION: 1,
    PaymentState.AUTHORISED: 2,
    PaymentState.FAILED: 3,
    PaymentState.CANCELLED: 3,
    PaymentState.CAPTURED: 4,
}
UNDER_WAY = frozenset({PaymentState.CREATED, PaymentState.REQUIRES_ACTION, PaymentState.AUTHORISED})
"""States from which money may still be taken."""
ENDED_WITHOUT_MONEY = frozenset({PaymentState.FAILED, PaymentState.CANCELLED})


CARD_BRANDS = {
    "amex": "American Express",
    "american_express": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "diners_club": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "girocard": "girocard",
    "jcb": "JCB",
    "maestro": "Maestro",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
"""What card brands call themselves, by the code that gateways use."""


def method_name(label: str | None) -> str | None:
    """`visa •••• 4242` with the brand's proper name; what is not known is left as it came."""
    if label is None:
        return None
    brand, space, rest = label.partition(" ")
    return f"{CARD_BRANDS.get(brand.casefold(), brand)}{space}{rest}"


class GatewayOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's word on one payment. `amount` is what was captured or held, in minor units."""

    kind: OutcomeKind
    gateway_ref: str | None = None
    amount: int = 0
    currency: str = ""
    action_url: str | None = None
    decline_code: str | None = None
    method_label: str | None = None

    @property
    def state(self) -> PaymentState | None:
        """The state that this outcome asks for; None when it settles nothing."""
        return _TARGET.get(self.kind)


MAX_AMOUNT = 99_999_999_999
"""The largest payment, in minor units: no gateway takes more at once."""


class PaymentMethod(msgspec.Struct, frozen=True, kw_only=True):
    """How the buyer pays: a gateway's token, or None for the gateway's own card page."""

    token: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to be paid for a checkout. Amounts in minor units of `currency`."""

    id: UUID
    checkout_id: UUID
    gateway: str
    amount: int
    currency: str
    state: PaymentState
    holds_checkout: bool
    method_token: str | None
    return_url: str
    gateway_ref: str | None
    action_url: str | None
    decline_code: str | None
    method_label: str | None
    captured: int
    refunded: int
    refund_held: int
    created_at: datetime

    @property
    def refundable(self) -> int:
        """What may still be sent back, refunds under way taken off."""
        return self.captured - self.refunded - self.refund_held


def covers(kind: OutcomeKind) -> list[PaymentState]:
    """The states in which an outcome of this kind is no news any more."""
    target = _TARGET.get(kind)
    if target is None:
        return list(PaymentState)
    return [state for state, rank in _RANK.items() if rank >= _RANK[target]]


def apply(payment: Payment, outcome: GatewayOutcome) -> Payment:
    """The payment after hearing `outcome`: the same object when that is no news.

    Raises ForeignOutcome for another payment's outcome, AmountMismatch when the gateway took
    another amount than was asked for.
    """
    target = _TARGET.get(outcome.kind)
    if outcome.gateway_ref and payment.gateway_ref not in {None, outcome.gateway_ref}:
        raise ForeignOutcome(payment_id=payment.id)
    if target is None:
        if outcome.gateway_ref and payment.gateway_ref is None:
            return msgspec.structs.replace(payment, gateway_ref=outcome.gateway_ref)
        return payment
    if target in {PaymentState.CAPTURED, PaymentState.AUTHORISED} and (
        (outcome.amount, outcome.currency) != (payment.amount, payment.currency)
    ):
        raise AmountMismatch(payment_id=payment.id)
    again = target == payment.state == PaymentState.REQUIRES_ACTION
    if not again and _RANK[target] <= _RANK[payment.state]:
        return payment
    ended = target in ENDED_WITHOUT_MONEY
    after = msgspec.structs.replace(
        payment,
        state=target,
        holds_checkout=payment.holds_checkout and not ended,
        gateway_ref=outcome.gateway_ref or payment.gateway_ref,
        action_url=outcome.action_url if target == PaymentState.REQUIRES_ACTION else None,
        decline_code=outcome.decline_code if target != PaymentState.CAPTURED else None,
        method_label=outcome.method_label or payment.method_label,
        captured=outcome.amount if target == PaymentState.CAPTURED else 0,
    )
    return payment if after == payment else after


def as_taken(payment: Payment, outcome: GatewayOutcome) -> Payment:
    """The payment when the gateway took something else than was asked for: what it took is then
    its amount. The same object when nothing was taken, or when its money is written down already.
    """
    if outcome.kind is not OutcomeKind.CAPTURED or payment.state is PaymentState.CAPTURED:
        return payment
    taken = (outcome.amount, outcome.currency)
    if outcome.amount <= 0 or not outcome.currency or taken == (payment.amount, payment.currency):
        return payment
    return msgspec.structs.replace(payment, amount=outcome.amount, currency=outcome.currency)


class RefundState(StrEnum):
    """Where a refund is; both ends are final."""

    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's word on one refund. `state` None means that it is not known yet."""

    state: RefundState | None
    gateway_ref: str | None = None
    failure_code: str | None = None


def refund_step(current: RefundState, wanted: RefundState) -> bool:
    """True when `wanted` is news. Raises IllegalTransition when it contradicts what is final."""
    if wanted in {current, RefundState.REQUESTED}:
        return False
    if current != RefundState.REQUESTED:
        raise IllegalTransition(subject="refund", current=current, wanted=wanted)
    return True


def display_state(payment_state: str, *, captured: int, refunded: int) -> str:
    """The state with refunds taken into account."""
    if payment_state != PaymentState.CAPTURED or not refunded:
        return payment_state
    return "refunded" if refunded == captured else "partially_refunded"


# Reasons that could help a thief are told as a plain decline, as card schemes demand.
_DECLINE_TEXTS = {
    "insufficient_funds": "The card has too little money on it. Use another card.",
    "expired_card": "The card has expired. Use another card.",
    "incorrect_cvc": "The security code was wrong. Check it on the back of the card, try again.",
    "processing_error": "The bank could not process the card just now. Try again in a minute.",
    "authentication_failed": "Your bank did not confirm the payment. Try again, or use another "
    "card.",
    "card_velocity_exceeded": "The card is over its limit. Use another card, or try tomorrow.",
    "card_not_supported": "This card does not work for this kind of purchase. Use another card.",
    "invalid_payment_method": "That payment method is not known. Choose how to pay again.",
}
_PLAIN_DECLINE = "The bank declined the card. Use another card, or ask your bank why."


def decline_message(code: str | None) -> str | None:
    """A sentence for the buyer that says what to do next; None without a code."""
    return None if code is None else _DECLINE_TEXTS.get(code, _PLAIN_DECLINE)
