"""Everything that payments refuse."""

from __future__ import annotations

from uuid import UUID

from souk.kernel.errors import DomainError, ErrorKind


class PaymentNotFound(DomainError):
    """No such payment for this caller."""

    code = "payment_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This payment does not exist. Go back to your checkout and start again.")


class RefundNotFound(DomainError):
    """No such refund."""

    code = "refund_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This refund does not exist. Look at the order's payments.")


class RefundNotFailed(DomainError):
    """What is to be sent again is on its way, or there."""

    code = "refund_not_failed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "This refund has not failed, so there is nothing to send again. Reload the payment."
        )


class UnknownGateway(DomainError):
    """The marketplace does not take payments through this gateway."""

    code = "unknown_gateway"
    kind = ErrorKind.INVALID

    def __init__(self, *, gateway: str, offered: list[str]) -> None:
        super().__init__(
            f"Payments through {gateway[:40]!r} are not offered here. "
            f"Choose one of: {', '.join(offered)}.",
            offered=offered,
        )


class PaymentInProgress(DomainError):
    """Another payment of this checkout is under way with another method or amount."""

    code = "payment_in_progress"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, payment_id: UUID) -> None:
        super().__init__(
            "A payment for this checkout is already under way. Finish it, or cancel it before you "
            "pay in another way.",
            payment_id=str(payment_id),
        )


class RefundTooLarge(DomainError):
    """More would go back than was paid."""

    code = "refund_too_large"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, left: int, currency: str) -> None:
        super().__init__(
            "That is more than is left of this payment. Refund at most what is left.",
            left=left,
            currency=currency,
        )


class RefundKeyReused(DomainError):
    """The key stands for a refund of another amount."""

    code = "refund_key_reused"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "This refund was already requested with another amount. Use a new key for a new refund."
        )


class ForeignOutcome(DomainError):
    """A gateway's answer names another payment than the one that it is recorded for."""

    code = "foreign_outcome"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, payment_id: UUID) -> None:
        super().__init__(
            "The gateway's answer belongs to another payment. Look at both at the gateway.",
            payment_id=str(payment_id),
        )


class AmountMismatch(DomainError):
    """The gateway took another amount or currency than was asked for."""

    code = "amount_mismatch"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, payment_id: UUID) -> None:
        super().__init__(
            "The gateway took another amount than was asked for. Compare the payment with the "
            "gateway's records and refund the difference.",
            payment_id=str(payment_id),
        )


class SignatureRefused(DomainError):
    """A webhook without a valid, recent signature. `reason` says which of these it lacks."""

    code = "signature_refused"
    kind = ErrorKind.INVALID

    def __init__(self, *, reason: str) -> None:
        super().__init__(
            "The signature of this webhook is missing, wrong or too old. Sign the exact body with "
            "the endpoint's secret and send it at once.",
            reason=reason,
        )


class WebhookUnreadable(DomainError):
    """A webhook that is signed and yet not what the gateway's documents describe."""

    code = "webhook_unreadable"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("The body of this webhook is not an event. Send the event as JSON.")
