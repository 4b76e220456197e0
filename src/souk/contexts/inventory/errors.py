"""Everything that can go wrong with stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from souk.kernel.errors import DomainError, ErrorKind


@dataclass(frozen=True, slots=True)
class Shortage:
    """A variant of which fewer are left than were asked for."""

    variant_id: UUID
    wanted: int
    left: int


class SoldOut(DomainError):
    """Fewer are left than were asked for; `lines` names each such variant and what is left."""

    code = "sold_out"
    kind = ErrorKind.CONFLICT

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        self.shortages = tuple(shortages)
        gone = all(shortage.left == 0 for shortage in shortages)
        super().__init__(
            "Something in your cart has sold out. Remove it to go on."
            if gone
            else "Fewer are left than you asked for. Lower the quantity to go on.",
            lines=[
                {"variant_id": str(short.variant_id), "wanted": short.wanted, "left": short.left}
                for short in shortages
            ],
        )


class ReservationGone(DomainError):
    """The checkout's items are no longer held: the time was over, or they never were."""

    code = "reservation_gone"
    kind = ErrorKind.CONFLICT

    def __init__(self, checkout_id: UUID) -> None:
        super().__init__(
            "The items are no longer held for you. Go back to the cart and check out again.",
            checkout_id=str(checkout_id),
        )


class StockTooLow(DomainError):
    """The change would leave less on the shelf than buyers have been promised."""

    code = "stock_too_low"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, on_hand: int, reserved: int) -> None:
        super().__init__(
            f"There are {on_hand} on hand and {reserved} of them are held for buyers who are "
            f"checking out. Choose a change that leaves at least {reserved}.",
            on_hand=on_hand,
            reserved=reserved,
        )


class StockNotCounted(DomainError):
    """The variant never runs out, so there is no number to change."""

    code = "stock_not_counted"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This item never runs out, so it has no stock to change.")
