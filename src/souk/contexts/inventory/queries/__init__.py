"""Reading stock, and reports of it."""

from __future__ import annotations

from souk.contexts.inventory.queries.checks import violations
from souk.contexts.inventory.queries.reading import (
    Availability,
    MovementView,
    StockCounts,
    StockView,
    availability,
    checkouts_past_hold,
    movements,
    stock,
    stock_counts,
    stock_of,
)
from souk.contexts.inventory.queries.reports import (
    AGES,
    AgeGroup,
    Ageing,
    Holding,
    MovementRow,
    MovementSum,
    SellThrough,
    Step,
    age_groups,
    ageing,
    all_movements,
    holdings,
    movement_sums,
    sell_through,
    sell_through_total,
)

__all__ = [
    "AGES",
    "AgeGroup",
    "Ageing",
    "Availability",
    "Holding",
    "MovementRow",
    "MovementSum",
    "MovementView",
    "SellThrough",
    "Step",
    "StockCounts",
    "StockView",
    "age_groups",
    "ageing",
    "all_movements",
    "availability",
    "checkouts_past_hold",
    "holdings",
    "movement_sums",
    "movements",
    "sell_through",
    "sell_through_total",
    "stock",
    "stock_counts",
    "stock_of",
    "violations",
]
