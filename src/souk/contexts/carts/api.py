"""The facade of carts: all that flows and pages may use."""

from __future__ import annotations

from souk.contexts.carts.commands import (
    lock,
    merge_guest,
    put,
    remove,
    remove_lines,
    set_quantity,
)
from souk.contexts.carts.domain import (
    MAX_LINES,
    MAX_QUANTITY,
    NO_CART,
    Cart,
    CartItem,
    CartLine,
    quantity_after_put,
)
from souk.contexts.carts.queries import read

__all__ = [
    "MAX_LINES",
    "MAX_QUANTITY",
    "NO_CART",
    "Cart",
    "CartItem",
    "CartLine",
    "lock",
    "merge_guest",
    "put",
    "quantity_after_put",
    "read",
    "remove",
    "remove_lines",
    "set_quantity",
]
