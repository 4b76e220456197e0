"""What a cart may hold. Pure."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.carts.errors import CartFull, CurrencyDiffers, QuantityOutOfRange

MAX_LINES = 100
MAX_QUANTITY = 99
_ONE_ONLY = frozenset({"digital", "secondhand"})
MAX_WISHES = 200
MAX_VIEWED = 50
IDLE_HOURS = 6
REMEMBERED_DAYS = 10
COUNTED_DAYS = 14
LOSABLE = frozenset({"carts.cart", "carts.line", "carts.viewed"})
"""Tables whose last moments may be lost when the database server crashes."""
NO_CART = UUID(int=0)
"""The id of a cart into which nothing was ever put (the nil UUID of RFC 9562)."""


class CartLine(msgspec.Struct, frozen=True):
    """`price_seen` is the unit price, in minor units of the cart's currency, when it was put in."""

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    quantity: int
    max_quantity: int
    price_seen: int
    added_at: datetime


class Cart(msgspec.Struct, frozen=True):
    """`version` grows with every change; `currency` is empty while nothing was ever put in."""

    id: UUID
    currency: str
    version: int
    updated_at: datetime | None
    lines: list[CartLine]

    def line(self, variant_id: UUID) -> CartLine | None:
        return next((line for line in self.lines if line.variant_id == variant_id), None)


class CartItem(msgspec.Struct, frozen=True):
    """Something to put into a cart; `price` in minor units of `currency`."""

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    kind: str
    price: int
    currency: str


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A listing that somebody wants to keep in view.

    `price_seen` is its lowest price, in minor units of `currency`, when it was put on the list;
    `title` is what it was called, for when it is gone.
    """

    listing_id: UUID
    title: str
    price_seen: int | None
    currency: str
    in_stock_seen: bool
    added_at: datetime


class Badge(msgspec.Struct, frozen=True):
    """What the head of a page shows: pieces in the cart, listings on the wishlist."""

    pieces: int
    wished: tuple[UUID, ...]


class WaitingCart(msgspec.Struct, frozen=True, kw_only=True):
    """A member's cart that nobody touched for hours. `amount` in minor units of `currency`."""

    cart_id: UUID
    user_id: UUID
    began_at: datetime
    currency: str
    pieces: int
    amount: int
    variant_ids: list[UUID]


class Abandonment(msgspec.Struct, frozen=True, kw_only=True):
    """Carts left standing, and what writing to their owners brought, in one currency.

    `waiting` carts are idle now with goods in them. Of the `reminded`, `bought` is how many bought
    within two weeks. Amounts in minor units.
    """

    currency: str
    waiting: int
    waiting_members: int
    waiting_amount: int
    reminded: int
    reminded_amount: int
    bought: int
    bought_amount: int


EMPTY = Cart(id=NO_CART, currency="", version=0, updated_at=None, lines=[])


def most_of(kind: str) -> int:
    """How many of one variant a cart may hold: one of a second-hand piece or a digital good."""
    return 1 if kind in _ONE_ONLY else MAX_QUANTITY


def checked_quantity(quantity: int, *, most: int) -> int:
    """`quantity` when it is from 1 to `most`; raises QuantityOutOfRange."""
    if not 1 <= quantity <= most:
        raise QuantityOutOfRange(most=most)
    return quantity


def quantity_after_put(cart: Cart, item: CartItem, quantity: int) -> int:
    """How many of `item` the cart holds once `quantity` more were put in, never above the limit.

    Raises QuantityOutOfRange, CartFull, or CurrencyDiffers when other lines have another currency.
    """
    most = most_of(item.kind)
    checked_quantity(quantity, most=MAX_QUANTITY)
    present = cart.line(item.variant_id)
    if present is None and len(cart.lines) >= MAX_LINES:
        raise CartFull(most=MAX_LINES)
    others = any(line.variant_id != item.variant_id for line in cart.lines)
    if others and cart.currency != item.currency:
        raise CurrencyDiffers(cart=cart.currency, item=item.currency)
    return min(quantity + (present.quantity if present else 0), most)


def merged_lines(member: Cart, guest: Cart) -> list[CartLine]:
    """The lines that change in the member's cart when the guest's is poured into it.

    Quantities are summed and capped; the older price stays, so that a change is still shown. Lines
    of another currency, and lines past the limit, stay behind. An empty member's cart takes all.
    """
    if member.lines and member.currency != guest.currency:
        return []
    room = MAX_LINES - len(member.lines)
    changed: list[CartLine] = []
    for line in guest.lines:
        present = member.line(line.variant_id)
        if present is not None:
            total = min(present.quantity + line.quantity, present.max_quantity)
            changed.append(msgspec.structs.replace(present, quantity=total))
        elif room > 0:
            room -= 1
            changed.append(line)
    return changed
