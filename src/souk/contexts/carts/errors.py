"""Everything that a cart can refuse."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind, NotFound


class CartFull(DomainError):
    """The cart holds as many different things as it can."""

    code = "cart_full"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(
            f"A cart holds {most} different things at most. Buy or remove some first.", most=most
        )


class QuantityOutOfRange(DomainError):
    """Fewer than one, or more than one cart may hold of this thing."""

    code = "quantity_out_of_range"
    kind = ErrorKind.INVALID

    def __init__(self, *, most: int) -> None:
        text = (
            "There is only one of this. Set the quantity to 1 or remove it."
            if most == 1
            else f"Choose a quantity from 1 to {most}."
        )
        super().__init__(text, most=most)


class CurrencyDiffers(DomainError):
    """One cart is paid in one currency."""

    code = "currency_differs"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, cart: str, item: str) -> None:
        super().__init__(
            f"This is sold in {item} and your cart is in {cart}. Buy what is in your cart first, "
            "or empty it.",
            cart_currency=cart,
            item_currency=item,
        )


class WishlistFull(DomainError):
    """The list holds as many listings as it can."""

    code = "wishlist_full"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, most: int) -> None:
        super().__init__(
            f"A wishlist holds {most} things at most. Take some off it first.", most=most
        )


def not_in_cart() -> NotFound:
    return NotFound("This is not in your cart. Reload the cart to see what is.")
