"""The checkout as the caller sees it: the whole authoritative state in every answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.api import DeliveryOption
from souk.contexts.inventory.api import Availability
from souk.contexts.listings.api import Purchasable
from souk.contexts.orders.api import Checkout, CheckoutLine, DeliveryChoice, Totals, by_seller
from souk.contexts.payments.api import MAX_AMOUNT, PaymentView

PAYMENT_METHODS = ["card"]


class Message(msgspec.Struct, frozen=True):
    """What is missing or has changed: `severity` is `error` (must be mended) or `info`."""

    code: str
    severity: str
    path: str
    text: str


class OptionView(msgspec.Struct, frozen=True):
    """A way of delivery that the seller offers to this address; `amount` in minor units."""

    method_id: UUID
    label: str
    amount: int
    kind: str
    min_days: int
    max_days: int


class GroupView(msgspec.Struct, frozen=True):
    """What one seller sends: its lines, the ways of delivery and the one that is chosen."""

    seller_id: UUID
    lines: list[CheckoutLine]
    options: list[OptionView]
    chosen: DeliveryChoice | None


class CheckoutView(msgspec.Struct, frozen=True, kw_only=True):
    """`totals` in minor units of `currency`. `ready` says that payment may begin."""

    id: UUID
    state: str
    version: int
    currency: str
    email: str | None
    shipping_address: dict[str, str] | None
    billing_address: dict[str, str] | None
    groups: list[GroupView]
    totals: Totals
    tax_rate: int
    payment_methods: list[str]
    messages: list[Message]
    ready: bool
    payment: PaymentView | None
    order_id: UUID | None
    expires_at: datetime


Options = Mapping[UUID, Sequence[DeliveryOption]]


def show(
    checkout: Checkout,
    *,
    options: Options,
    changes: Sequence[Message] = (),
    payment: PaymentView | None = None,
) -> CheckoutView:
    """The whole state, with `changes` ahead of what is still missing."""
    messages = [*changes, *missing(checkout, options)]
    chosen = {choice.seller_id: choice for choice in checkout.choices}
    return CheckoutView(
        id=checkout.id,
        state=checkout.state,
        version=checkout.version,
        currency=checkout.currency,
        email=checkout.email,
        shipping_address=checkout.shipping_address,
        billing_address=checkout.billing_address,
        groups=[
            GroupView(
                seller_id,
                lines,
                [_option(option) for option in options.get(seller_id, ())],
                chosen.get(seller_id),
            )
            for seller_id, lines in by_seller(checkout.lines).items()
        ],
        totals=checkout.totals,
        tax_rate=checkout.tax_rate,
        payment_methods=PAYMENT_METHODS,
        messages=messages,
        ready=not any(message.severity == "error" for message in messages),
        payment=payment,
        order_id=checkout.order_id,
        expires_at=checkout.expires_at,
    )


def _option(option: DeliveryOption) -> OptionView:
    return OptionView(
        option.method_id,
        option.label,
        option.amount.amount,
        option.kind,
        option.min_days,
        option.max_days,
    )


def missing(checkout: Checkout, options: Options) -> list[Message]:
    """What has to be filled in before payment. Empty `options` means they were not asked for."""
    found: list[Message] = []
    if not checkout.email:
        text = "Enter the e-mail address to which we send the confirmation."
        found.append(Message("email_missing", "error", "email", text))
    if checkout.totals.total > MAX_AMOUNT:
        text = "This is too much for one payment. Take something out and buy it separately."
        found.append(Message("too_much", "error", "totals.total", text))
    if not checkout.ships():
        return found
    if checkout.shipping_address is None:
        text = "Enter the address to which the goods go."
        found.append(Message("address_missing", "error", "shipping_address", text))
        return found
    chosen = {choice.seller_id for choice in checkout.choices}
    for index, (seller_id, lines) in enumerate(by_seller(checkout.lines).items()):
        if seller_id in chosen or not any(line.ships for line in lines):
            continue
        path = f"groups[{index}].chosen"
        if options and not options.get(seller_id):
            text = "This seller does not deliver to your address. Remove its items, or use another."
            found.append(Message("no_delivery", "error", path, text))
        else:
            text = "Choose how this seller's parcel is delivered."
            found.append(Message("delivery_missing", "error", path, text))
    return found


def refresh(
    checkout: Checkout,
    items: Mapping[UUID, Purchasable],
    stock: Mapping[UUID, Availability],
    *,
    held: Collection[UUID],
) -> list[Message]:
    """Bring the lines to the prices and stock of this moment; says what changed.

    `stock` may leave variants out: the reservation decides about those. `held` are files that the
    buyer has already.
    """
    found: list[Message] = []
    kept: list[CheckoutLine] = []
    for index, line in enumerate(checkout.lines):
        path = f"lines[{index}]"
        item = items.get(line.variant_id)
        if item is None or item.state != "active" or item.currency != checkout.currency:
            text = f"“{line.title}” is no longer for sale and was taken out."
            found.append(Message("unavailable", "warning", path, text))
            continue
        if item.file_ids and held and set(item.file_ids) <= set(held):
            text = f"“{line.title}” is among your downloads already and was taken out."
            found.append(Message("already_yours", "warning", path, text))
            continue
        level = stock.get(line.variant_id)
        left = line.quantity if level is None or not level.tracked else level.available
        if left <= 0:
            text = f"“{line.title}” has sold out and was taken out."
            found.append(Message("sold_out", "warning", path, text))
            continue
        if left < line.quantity:
            text = f"Only {left} of “{line.title}” are left; the quantity was reduced."
            found.append(Message("quantity_reduced", "warning", path, text))
        if item.amount != line.unit_price:
            text = f"The price of “{line.title}” has changed. Look at the new total."
            found.append(Message("price_changed", "warning", path, text))
        kept.append(line_of(item, min(left, line.quantity)))
    checkout.lines = kept
    return found


def line_of(item: Purchasable, quantity: int) -> CheckoutLine:
    """Everything of a purchasable variant that must not change afterwards."""
    return CheckoutLine(
        variant_id=item.variant_id,
        listing_id=item.listing_id,
        seller_id=item.seller_id,
        kind=item.kind,
        title=item.title,
        variant_title=item.variant_title,
        sku=item.sku,
        unit_price=item.amount,
        quantity=quantity,
        weight_g=item.weight_g or 0,
        slug=item.slug,
        image_key=item.image_key,
        category_ids=list(item.category_path),
        file_ids=list(item.file_ids),
    )
