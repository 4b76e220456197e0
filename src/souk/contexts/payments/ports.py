"""What a gateway must be able to do, in the marketplace's words.

`tests/payments/gateway_contract.py` says the same as a test-suite. Every call that moves money
carries a key derived from our own row, so that repeating it cannot move money twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from souk.contexts.payments.domain import GatewayOutcome, RefundOutcome


class GatewayUnreachable(Exception):
    """No usable answer: a time-out, a broken connection or an error on the gateway's side.

    `sent` False means that the request certainly had no effect.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class GatewayRefused(Exception):
    """The gateway understood the request and refuses it: a mistake in set-up or in our code."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ChargeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to charge. `token` None asks for the gateway's own card page."""

    payment_id: UUID
    gateway: str
    amount: int
    currency: str
    token: str | None
    return_url: str
    gateway_ref: str | None = None

    @property
    def key(self) -> str:
        """The idempotency key of the charge."""
        return f"payment-{self.payment_id}"


class RefundOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to send back, in minor units."""

    refund_id: UUID
    payment_id: UUID
    gateway: str
    payment_ref: str
    amount: int
    currency: str
    reason: str

    @property
    def key(self) -> str:
        return f"refund-{self.refund_id}"


class PayoutOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Money for a seller's bank account; `destination` is the gateway's name for the account."""

    payout_id: UUID
    gateway: str
    amount: int
    currency: str
    destination: str

    @property
    def key(self) -> str:
        return f"payout-{self.payout_id}"


class PayoutOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """`state` None means that it is not known: ask again."""

    state: Literal["in_transit", "paid", "failed"] | None
    gateway_ref: str | None = None
    failure_code: str | None = None


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One movement in a statement. `reference` is our own row's id where the gateway kept it."""

    gateway_ref: str
    kind: Literal["charge", "refund", "payout", "payout_failure"]
    source: str
    reference: str | None
    amount: int
    fee: int
    at: datetime


class SettlementStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the gateway's account in one currency; `closed` when no line can be added."""

    id: str
    day: date
    currency: str
    closed: bool
    gross: int
    refunds: int
    payouts: int
    fees: int
    net: int
    lines: list[SettlementLine]


class WebhookFact(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook in neutral words. `kind` "other" is stored and needs no action."""

    gateway: str
    event_id: str
    type: str
    kind: Literal["payment", "refund", "payout", "other"]
    payment_id: UUID | None = None
    checkout_id: UUID | None = None
    """Filled in when a stored webhook is read: what a flow must lock before it acts."""
    refund_id: UUID | None = None
    payout_id: UUID | None = None
    outcome: GatewayOutcome | None = None
    refund_outcome: RefundOutcome | None = None
    payout_outcome: PayoutOutcome | None = None


class GatewayPort(Protocol):
    """A gateway. Methods raise GatewayUnreachable and GatewayRefused, nothing else."""

    @property
    def name(self) -> str: ...

    async def charge(self, order: ChargeOrder) -> GatewayOutcome:
        """Start the payment; repeated with the same order it answers the same."""
        ...

    async def find(self, order: ChargeOrder) -> GatewayOutcome | None:
        """What became of a charge; None when the gateway knows nothing of it."""
        ...

    async def cancel(self, order: ChargeOrder) -> GatewayOutcome:
        """Make sure that no money will be taken any more, or say that it was."""
        ...

    async def capture(self, order: ChargeOrder) -> GatewayOutcome:
        """Take money that is held."""
        ...

    async def refund(self, order: RefundOrder) -> RefundOutcome: ...

    async def find_refund(self, order: RefundOrder) -> RefundOutcome | None: ...

    def verify(self, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookFact:
        """Read a webhook. Raises SignatureRefused unless it is signed and recent."""
        ...

    async def settlements(self, since: date) -> list[SettlementStatement]:
        """The statements from `since` to now, oldest first, with their lines."""
        ...

    async def payout(self, order: PayoutOrder) -> PayoutOutcome: ...

    async def payout_status(self, order: PayoutOrder) -> PayoutOutcome | None:
        """What became of a payout; None when the gateway knows nothing of it."""
        ...

    async def close(self) -> None: ...
