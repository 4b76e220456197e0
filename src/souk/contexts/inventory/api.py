"""The facade of inventory: the only module of it that flows and pages import."""

from __future__ import annotations

from souk.contexts.inventory.commands import (
    StockSetUp,
    adjust,
    consume,
    extend,
    put_back,
    release,
    release_all,
    reserve,
    set_low_stock_at,
    set_up,
)
from souk.contexts.inventory.domain import UNLIMITED, Reason
from souk.contexts.inventory.errors import (
    ReservationGone,
    Shortage,
    SoldOut,
    StockNotCounted,
    StockTooLow,
)
from souk.contexts.inventory.queries import (
    Availability,
    MovementView,
    StockView,
    availability,
    checkouts_past_hold,
    movements,
    stock,
    stock_of,
    violations,
)

__all__ = [
    "UNLIMITED",
    "Availability",
    "MovementView",
    "Reason",
    "ReservationGone",
    "Shortage",
    "SoldOut",
    "StockNotCounted",
    "StockSetUp",
    "StockTooLow",
    "StockView",
    "adjust",
    "availability",
    "checkouts_past_hold",
    "consume",
    "extend",
    "movements",
    "put_back",
    "release",
    "release_all",
    "reserve",
    "set_low_stock_at",
    "set_up",
    "stock",
    "stock_of",
    "violations",
]
