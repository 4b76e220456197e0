"""Opening a checkout, replacing its parts, beginning a payment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from souk.contexts.carts import api as carts
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.cart.flow import files_held
from souk.flows.checkout.view import CheckoutView, Message, Options, line_of, refresh, show
from souk.kernel.actor import Actor
from souk.kernel.money import Money
from souk.platform.database import ReadConn, WriteTx
from souk.platform.http.holder import Holder
from souk.platform.settings import Settings

MOST = 99
"""Units of one variant in one purchase, as in a cart."""


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variant and how many of it."""

    variant_id: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 1


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What may be replaced; None leaves a part as it is."""

    email: str | None = None
    shipping_address: fulfilment.Address | None = None
    billing_address: fulfilment.Address | None = None
    deliveries: dict[UUID, UUID] | None = None
    """Seller → the method of delivery that is wanted."""


class Begun(msgspec.Struct, frozen=True):
    """A payment that may now be executed, or the reasons why none was begun."""

    view: CheckoutView
    payment: payments.PaymentView | None


async def open_checkout(
    tx: WriteTx, holder: Holder, *, items: Sequence[Item] | None, parts: Parts, settings: Settings
) -> CheckoutView:
    """A checkout of `items`, or of the holder's cart. Raises EmptyCheckout."""
    cart_id = None
    if items is None:
        cart = await carts.read(tx, holder)
        cart_id = cart.id
        wanted = [(line.variant_id, line.quantity) for line in cart.lines]
    else:
        units: dict[UUID, int] = {}
        for item in items:
            units[item.variant_id] = min(units.get(item.variant_id, 0) + item.quantity, MOST)
        wanted = list(units.items())
    ids = [variant_id for variant_id, _ in wanted]
    found = await listings.purchasable(tx, ids) if ids else {}
    stock = await inventory.availability(tx, ids) if ids else {}
    checkout = orders.new_checkout(
        now=tx.clock.now(),
        user_id=holder.user_id,
        guest=holder.guest,
        cart_id=cart_id,
        currency=settings.currency,
        tax_rate=0,
        lines=[line_of(found[key], quantity) for key, quantity in wanted if key in found],
    )
    held = await files_held(tx, holder.user_id, found)
    changes = refresh(checkout, found, stock, held=held)
    options = await _apply(tx, checkout, parts, settings=settings)
    await orders.open_checkout(tx, checkout)
    return show(checkout, options=options, changes=changes)


async def replace_parts(
    tx: WriteTx, holder: Holder, *, checkout_id: UUID, parts: Parts, settings: Settings
) -> CheckoutView:
    """Replace parts of an open checkout. Raises CheckoutNotFound, CheckoutClosed, InvalidInput."""
    checkout = await _own(tx, holder, checkout_id)
    checkout.require_open()
    options = await _apply(tx, checkout, parts, settings=settings)
    checkout.reprice()
    await orders.save_checkout(tx, checkout)
    return show(checkout, options=options)


async def read(
    conn: ReadConn,
    holder: Holder,
    checkout_id: UUID,
    *,
    settings: Settings | None = None,
    country: str | None = None,
    deliveries: dict[UUID, UUID] | None = None,
) -> CheckoutView:
    """The holder's checkout with live prices and stock. Raises CheckoutNotFound.

    With `settings` it is shown as it would be for delivery to `country` by `deliveries`, which a
    form has not sent yet; without an address, for the country of the marketplace.
    """
    checkout = await orders.find_checkout(conn, checkout_id)
    if checkout is None or not orders.held_by(checkout, user_id=holder.user_id, guest=holder.guest):
        raise orders.CheckoutNotFound
    payment = await payments.of_checkout(conn, checkout_id)
    changes: list[Message] = []
    options: Options = {}
    if checkout.state is orders.CheckoutState.OPEN:
        ids = [line.variant_id for line in checkout.lines]
        found = await listings.purchasable(conn, ids)
        stock = await inventory.availability(conn, ids)
        held = await files_held(conn, checkout.user_id, found)
        changes = refresh(checkout, found, stock, held=held)
        address = checkout.shipping_address
        country = country or (address["country"] if address else None)
        if settings is not None:
            country = country or settings.country
            checkout.tax_rate = settings.tax_rate(country)
        options = await _options(conn, checkout, country=country)
        if settings is not None:
            _choose(checkout, options, deliveries or {})
        checkout.reprice()
    return show(checkout, options=options, changes=changes, payment=payment)


async def begin_payment(
    tx: WriteTx,
    actor: Actor,
    holder: Holder,
    *,
    checkout_id: UUID,
    method_token: str | None,
    return_url: str,
    gateway: str,
) -> Begun:
    """Reserve the goods and write down the payment that is about to be made.

    A checkout whose prices changed is saved with the new ones and not paid: people pay only what
    they have seen. Raises SoldOut, CheckoutIncomplete, CheckoutClosed.
    """
    checkout = await _own(tx, holder, checkout_id)
    if checkout.state is orders.CheckoutState.COMPLETED:
        return Begun(show(checkout, options={}), None)
    if checkout.state is not orders.CheckoutState.AWAITING_PAYMENT:
        checkout.require_open()
        ids = [line.variant_id for line in checkout.lines]
        found = await listings.purchasable(tx, ids)
        held = await files_held(tx, checkout.user_id, found)
        changes = refresh(checkout, found, {}, held=held)
        if changes:
            # What is left may be too little for the delivery that was chosen, or for its price.
            address = checkout.shipping_address
            options = await _options(tx, checkout, country=address["country"] if address else None)
            _choose(checkout, options, {})
        checkout.reprice()
        view = show(checkout, options={}, changes=changes)
        if changes or not checkout.lines or not view.ready:
            await orders.save_checkout(tx, checkout)
            return Begun(view, None)
        checkout.move(orders.CheckoutState.AWAITING_PAYMENT)
    return await _reserve_and_start(
        tx, actor, checkout, method_token=method_token, return_url=return_url, gateway=gateway
    )


async def _reserve_and_start(
    tx: WriteTx,
    actor: Actor,
    checkout: orders.Checkout,
    *,
    method_token: str | None,
    return_url: str,
    gateway: str,
) -> Begun:
    expires_at = tx.clock.now() + orders.RESERVATION_LIFE
    await inventory.reserve(
        tx,
        checkout_id=checkout.id,
        lines=[(line.variant_id, line.quantity) for line in checkout.lines],
        expires_at=expires_at,
    )
    payment = await payments.start(
        tx,
        actor,
        checkout_id=checkout.id,
        amount=Money(checkout.totals.total, checkout.currency),
        gateway=gateway,
        method=payments.PaymentMethod(token=method_token),
        return_url=return_url,
    )
    checkout.payment_id = payment.id
    checkout.expires_at = max(checkout.expires_at, expires_at)
    await orders.save_checkout(tx, checkout)
    return Begun(show(checkout, options={}, payment=payment), payment)


async def _own(tx: WriteTx, holder: Holder, checkout_id: UUID) -> orders.Checkout:
    return await orders.lock_checkout(
        tx, checkout_id=checkout_id, user_id=holder.user_id, guest=holder.guest
    )


async def _apply(
    tx: WriteTx, checkout: orders.Checkout, parts: Parts, *, settings: Settings
) -> Options:
    if parts.email is not None:
        checkout.email = fulfilment.checked_email(parts.email)
    if parts.billing_address is not None:
        checkout.billing_address = fulfilment.checked_address(
            parts.billing_address, path="billing_address"
        )
    if parts.shipping_address is not None:
        checkout.shipping_address = fulfilment.checked_address(
            parts.shipping_address, path="shipping_address"
        )
    address = checkout.shipping_address or checkout.billing_address
    checkout.tax_country = address["country"] if address else settings.country
    checkout.tax_rate = settings.tax_rate(checkout.tax_country)
    shipped_to = checkout.shipping_address
    options = await _options(tx, checkout, country=shipped_to["country"] if shipped_to else None)
    _choose(checkout, options, parts.deliveries or {})
    return options


async def _options(conn: ReadConn, checkout: orders.Checkout, *, country: str | None) -> Options:
    if country is None or not checkout.ships():
        return {}
    groups = [
        fulfilment.GroupToShip(
            seller_id=seller_id,
            subtotal=Money(sum(line.subtotal for line in lines if line.ships), checkout.currency),
            weight_g=sum(line.weight_g * line.quantity for line in lines if line.ships),
            needs_shipping=any(line.ships for line in lines),
        )
        for seller_id, lines in orders.by_seller(checkout.lines).items()
    ]
    return await fulfilment.quote(conn, country=country, groups=groups)


def _choose(checkout: orders.Checkout, options: Options, wanted: dict[UUID, UUID]) -> None:
    """Keep what is chosen while it is still offered; else the cheapest that is brought."""
    before = {choice.seller_id: choice.method_id for choice in checkout.choices}
    choices: list[orders.DeliveryChoice] = []
    for seller_id, offered in options.items():
        if not offered:
            continue
        method_id = wanted.get(seller_id, before.get(seller_id))
        option = next((one for one in offered if one.method_id == method_id), None)
        option = option or min(
            offered, key=lambda one: (one.kind == "pickup", one.amount.amount, one.max_days)
        )
        choices.append(
            orders.DeliveryChoice(
                seller_id=seller_id,
                method_id=option.method_id,
                label=option.label,
                amount=option.amount.amount,
                kind=option.kind,
                min_days=option.min_days,
                max_days=option.max_days,
            )
        )
    checkout.choices = choices
