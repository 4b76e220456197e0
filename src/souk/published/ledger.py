"""What the ledger tells the others."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class EarningRecorded(Event, frozen=True, kw_only=True):
    """A seller order's escrow was released: `amount` minor units are the seller's, and on hold."""

    name: ClassVar[str] = "ledger.earning_recorded.v1"
    key: ClassVar[str] = "seller_id"

    seller_id: UUID
    seller_order_id: UUID
    amount: int
    currency: str


class FundsAvailable(Event, frozen=True, kw_only=True):
    """The hold on a seller order's earning is over: `amount` minor units can be paid out."""

    name: ClassVar[str] = "ledger.funds_available.v1"
    key: ClassVar[str] = "seller_id"

    seller_id: UUID
    seller_order_id: UUID
    amount: int
    currency: str
