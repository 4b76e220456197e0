"""Events of `orders`."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from souk.platform.events import Event


class SellerOrderRef(msgspec.Struct, frozen=True):
    """One seller's part of an order; `total` in minor units of the order's currency."""

    seller_order_id: UUID
    seller_id: UUID
    total: int
    has_digital: bool


class OrderConfirmed(Event, frozen=True, kw_only=True):
    """A checkout was paid and became an order. `buyer_id` is null for a guest."""

    name: ClassVar[str] = "orders.order_confirmed.v1"
    key: ClassVar[str] = "order_id"

    order_id: UUID
    checkout_id: UUID
    payment_id: UUID
    buyer_id: UUID | None
    number: str
    currency: str
    total: int
    seller_orders: list[SellerOrderRef]


class SellerOrderChanged(Event, frozen=True, kw_only=True):
    """A seller order took a step. `state` is where it is now."""

    name: ClassVar[str] = "orders.seller_order_changed.v1"
    key: ClassVar[str] = "seller_order_id"

    seller_order_id: UUID
    order_id: UUID
    seller_id: UUID
    buyer_id: UUID | None
    previous: str
    state: str
    reason: str


class LinesCancelled(Event, frozen=True, kw_only=True):
    """Some pieces of a seller order were cancelled, the rest goes on. `refund` in minor units."""

    name: ClassVar[str] = "orders.lines_cancelled.v1"
    key: ClassVar[str] = "seller_order_id"

    seller_order_id: UUID
    order_id: UUID
    seller_id: UUID
    buyer_id: UUID | None
    refund: int
    currency: str
    reason: str


class CheckoutReversed(Event, frozen=True, kw_only=True):
    """A payment arrived for goods that are gone; it is being refunded by itself."""

    name: ClassVar[str] = "orders.checkout_reversed.v1"
    key: ClassVar[str] = "checkout_id"

    checkout_id: UUID
    payment_id: UUID
    buyer_id: UUID | None
    amount: int
    currency: str
