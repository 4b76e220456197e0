"""A cart with live prices and stock, grouped by seller, and what changed since. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.carts.api import Cart, CartLine
from souk.contexts.inventory.api import Availability
from souk.contexts.listings.api import Purchasable
from souk.kernel.money import Money
from souk.platform.http.wire import MoneyWire

_FOR_SALE = "active"
_SOLD_OUT = "sold_out"


class CartMessage(msgspec.Struct, frozen=True):
    """`severity` is `error` when the line is left out of the sums, `warning` when it changed."""

    code: str
    severity: str
    path: str
    text: str


class CartItemView(msgspec.Struct, frozen=True):
    """`quantity` is what counts now, `wanted` what was put in; `price` and `weight_g` (grams) are
    per piece."""

    variant_id: UUID
    listing_id: UUID
    seller_id: UUID
    kind: str
    title: str
    variant_title: str
    sku: str
    slug: str
    image_key: str | None
    quantity: int
    wanted: int
    max_quantity: int
    price: MoneyWire
    total: MoneyWire
    weight_g: int = 0


class SellerGroup(msgspec.Struct, frozen=True):
    """What one seller will send; `subtotal` without delivery and tax."""

    seller_id: UUID
    items: list[CartItemView]
    subtotal: MoneyWire


class CartView(msgspec.Struct, frozen=True):
    """`count` is the number of pieces that count; `ready` says that checkout can begin."""

    id: UUID
    currency: str
    version: int
    updated_at: datetime | None
    groups: list[SellerGroup]
    count: int
    subtotal: MoneyWire
    messages: list[CartMessage]
    ready: bool


def left(item: Purchasable, stock: Availability | None) -> int | None:
    """How many can be bought now; None when the number is not limited."""
    if stock is None:
        return None if item.kind == "digital" else 0
    return stock.left


def for_sale(item: Purchasable | None, *, currency: str) -> bool:
    """Whether the variant can be bought now, stock aside."""
    return item is not None and item.state == _FOR_SALE and item.currency == currency


def show(
    cart: Cart,
    items: dict[UUID, Purchasable],
    stock: dict[UUID, Availability],
    *,
    held: Collection[UUID] = (),
    currency: str,
) -> CartView:
    """The cart as of now. `currency` is shown for a cart that holds nothing yet; `held` are files
    that the buyer has already."""
    currency = cart.currency or currency
    by_seller: dict[UUID, list[CartLine]] = {}
    for line in cart.lines:
        by_seller.setdefault(line.seller_id, []).append(line)
    messages: list[CartMessage] = []
    groups: list[SellerGroup] = []
    for seller_id, lines in by_seller.items():
        views: list[CartItemView] = []
        for line in lines:
            path = f"groups[{len(groups)}].items[{len(views)}]"
            item = items.get(line.variant_id)
            seen = stock.get(line.variant_id)
            owned = item is not None and bool(item.file_ids) and set(item.file_ids) <= set(held)
            view, said = _line(line, item, seen, owned=owned, currency=currency, path=path)
            views.append(view)
            messages.extend(said)
        subtotal = sum(view.total.amount for view in views)
        groups.append(SellerGroup(seller_id, views, MoneyWire(subtotal, currency)))
    count = sum(view.quantity for group in groups for view in group.items)
    return CartView(
        id=cart.id,
        currency=currency,
        version=cart.version,
        updated_at=cart.updated_at,
        groups=groups,
        count=count,
        subtotal=MoneyWire(sum(group.subtotal.amount for group in groups), currency),
        messages=messages,
        ready=count > 0,
    )


def _line(
    line: CartLine,
    item: Purchasable | None,
    stock: Availability | None,
    *,
    owned: bool,
    currency: str,
    path: str,
) -> tuple[CartItemView, list[CartMessage]]:
    messages: list[CartMessage] = []
    if item is not None and item.state == _SOLD_OUT:
        stock = Availability(on_hand=0, reserved=0, available=0, tracked=True)
    elif item is None or not for_sale(item, currency=currency):
        text = "This is no longer for sale. Remove it from your cart."
        messages.append(CartMessage("unavailable", "error", path, text))
        return _view(line, item, quantity=0, price=line.price_seen, currency=currency), messages
    if owned:
        text = "You have this already: it is among your downloads. Remove it from your cart."
        messages.append(CartMessage("already_yours", "error", path, text))
        return _view(line, item, quantity=0, price=item.amount, currency=currency), messages
    if item.amount != line.price_seen:
        before, now = Money(line.price_seen, currency), Money(item.amount, currency)
        text = f"The price went from {before} to {now} since you put this in your cart."
        messages.append(CartMessage("price_changed", "warning", f"{path}.price", text))
    available = left(item, stock)
    quantity = line.quantity if available is None else min(line.quantity, available)
    if not quantity:
        text = "This is sold out. Remove it, or come back later."
        messages.append(CartMessage("sold_out", "error", path, text))
    elif quantity < line.quantity:
        text = f"Only {quantity} left, so your cart counts {quantity} of the {line.quantity}."
        messages.append(CartMessage("quantity_reduced", "warning", f"{path}.quantity", text))
    return _view(line, item, quantity=quantity, price=item.amount, currency=currency), messages


def _view(
    line: CartLine, item: Purchasable | None, *, quantity: int, price: int, currency: str
) -> CartItemView:
    return CartItemView(
        variant_id=line.variant_id,
        listing_id=line.listing_id,
        seller_id=line.seller_id,
        kind=item.kind if item else "",
        title=item.title if item else "No longer for sale",
        variant_title=item.variant_title if item else "",
        sku=item.sku if item else "",
        slug=item.slug if item else "",
        image_key=item.image_key if item else None,
        quantity=quantity,
        wanted=line.quantity,
        max_quantity=line.max_quantity,
        price=MoneyWire(price, currency),
        total=MoneyWire(price * quantity, currency),
        weight_g=(item.weight_g or 0) if item else 0,
    )
