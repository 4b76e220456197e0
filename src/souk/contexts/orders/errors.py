"""Everything that `orders` can refuse."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind


class CheckoutNotFound(DomainError):
    """No such checkout for this holder."""

    code = "checkout_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This checkout is not here. Go back to your cart and start again.")


class OrderNotFound(DomainError):
    """No such order for this caller."""

    code = "order_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "This order is not here. Look in your list of orders, or use the link "
            "in your confirmation mail."
        )


class OrderLinkOver(DomainError):
    """The link of a mail was good, but is too old now."""

    code = "order_link_over"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "This link has run out. Use the one in our newest mail about the order, or open the "
            "order in the browser with which you bought."
        )


class EmptyCheckout(DomainError):
    """There is nothing to buy."""

    code = "checkout_empty"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("There is nothing to buy here yet. Add something to your cart first.")


class CheckoutIncomplete(DomainError):
    """Payment was asked for while something is still missing; `messages` says what."""

    code = "checkout_incomplete"
    kind = ErrorKind.CONFLICT

    def __init__(self, messages: list[dict[str, str]]) -> None:
        first = messages[0]["text"] if messages else "Something is still missing."
        super().__init__(first, messages=messages)


class CheckoutClosed(DomainError):
    """The checkout was completed, cancelled or expired and takes no more changes."""

    code = "checkout_closed"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, state: str) -> None:
        said = {
            "completed": "This purchase is complete. You find it in your orders.",
            "awaiting_payment": "A payment for this checkout is under way. Finish or cancel it "
            "before you change anything.",
        }
        super().__init__(
            said.get(state, "This checkout has ended. Go back to your cart and start again."),
            state=state,
        )


class CancelTooLate(DomainError):
    """Part of the seller order has left the seller already."""

    code = "cancel_too_late"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "Part of this order is already on its way or delivered, so it cannot be "
            "cancelled. You can ask for a return once it has arrived."
        )


class ReturnWindowOver(DomainError):
    """The time for returns has passed."""

    code = "return_window_over"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, days: int) -> None:
        super().__init__(
            f"Returns are possible for {days} days after delivery, and that time is over. "
            "Write to the seller if something is wrong.",
            days=days,
        )


class QuantityNotLeft(DomainError):
    """More units than the line has open."""

    code = "quantity_not_left"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, title: str, left: int) -> None:
        super().__init__(
            f"Only {left} of “{title}” are still to be shipped. Correct the quantity.", left=left
        )


class LineNotFound(DomainError):
    """A parcel names a line that is not one of the seller order's."""

    code = "line_not_found"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("This order has no such line. Reload it and choose from its own lines.")


class NothingToCancel(DomainError):
    """A cancellation that names no piece."""

    code = "nothing_to_cancel"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("Choose at least one piece that is not sent yet.")


class OrderChanged(DomainError):
    """The order was changed between reading and locking it."""

    code = "order_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The order has changed in the meantime. Look at it again, then repeat.")
