"""Why something cannot be put into a cart."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind


class NotForSale(DomainError):
    """The listing is paused, archived, in review, or was never there."""

    code = "not_for_sale"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This is not for sale at the moment. Look for something like it.")


class NotEnoughStock(DomainError):
    """Fewer are left than the cart would hold; `available` says how many."""

    code = "not_enough_stock"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, available: int) -> None:
        text = (
            f"Only {available} left. Choose a smaller quantity."
            if available
            else "This is sold out. Look for something like it, or come back later."
        )
        super().__init__(text, available=available)
