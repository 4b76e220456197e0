"""What inventory tells the others."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class StockChanged(Event, frozen=True, kw_only=True):
    """A listing came into stock, went out of it, or began or ceased to be low.

    Not published for every sale: only when what a buyer is told changes. `available` is the sum
    over the listing's counted variants; `unlimited` says that at least one variant is not counted.
    """

    name: ClassVar[str] = "inventory.stock_changed.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    seller_id: UUID
    available: int
    unlimited: bool
    in_stock: bool
    low: bool


class LowStock(Event, frozen=True, kw_only=True):
    """A variant's stock on hand fell to the seller's threshold or below it."""

    name: ClassVar[str] = "inventory.low_stock.v1"
    key: ClassVar[str] = "listing_id"

    listing_id: UUID
    variant_id: UUID
    seller_id: UUID
    on_hand: int
    low_stock_at: int
