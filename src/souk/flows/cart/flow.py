"""Putting in, changing and reading, across carts, listings and inventory."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from souk.contexts.carts import api as carts
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.cart.errors import NotEnoughStock, NotForSale
from souk.flows.cart.view import CartView, for_sale, left, show
from souk.platform.database import ReadConn, WriteTx
from souk.platform.http.holder import Holder


async def read(conn: ReadConn, holder: Holder, *, currency: str) -> CartView:
    """The holder's cart as of now, in three statements (four with a member's files), or one when
    it is empty."""
    cart = await carts.read(conn, holder)
    return await _shown(conn, cart, user_id=holder.user_id, currency=currency)


async def add(
    tx: WriteTx, holder: Holder, *, variant_id: UUID, quantity: int, currency: str
) -> CartView:
    """Put `quantity` more of a variant in. Raises NotForSale, NotEnoughStock and carts' refusals.

    Six statements with BEGIN and COMMIT: the lines already there are asked for together with it.
    """
    cart = await carts.lock(tx, holder)
    present = cart.line(variant_id)
    ids = [line.variant_id for line in cart.lines] + ([] if present else [variant_id])
    items = await listings.purchasable(tx, ids)
    stock = await inventory.availability(tx, ids)
    item = items.get(variant_id)
    if item is None or not for_sale(item, currency=item.currency):
        raise NotForSale
    wanted = carts.CartItem(
        variant_id=variant_id,
        listing_id=item.listing_id,
        seller_id=item.seller_id,
        kind=item.kind,
        price=item.amount,
        currency=item.currency,
    )
    after = carts.quantity_after_put(cart, wanted, quantity)
    available = left(item, stock.get(variant_id))
    if available is not None and after > available:
        raise NotEnoughStock(available=available)
    cart = await carts.put(tx, holder, cart=cart, item=wanted, quantity=quantity)
    return show(cart, items, stock, currency=currency)


async def set_quantity(
    tx: WriteTx, holder: Holder, *, variant_id: UUID, quantity: int, currency: str
) -> CartView:
    """Hold exactly `quantity`. Raises NotFound, NotForSale, NotEnoughStock."""
    cart = await carts.set_quantity(tx, holder, variant_id=variant_id, quantity=quantity)
    items, stock = await _facts(tx, cart)
    item = items.get(variant_id)
    if item is None or not for_sale(item, currency=cart.currency):
        raise NotForSale
    available = left(item, stock.get(variant_id))
    if available is not None and quantity > available:
        raise NotEnoughStock(available=available)
    return show(cart, items, stock, currency=currency)


async def remove(tx: WriteTx, holder: Holder, *, variant_id: UUID, currency: str) -> CartView:
    """Take a variant out. Raises NotFound."""
    cart = await carts.remove(tx, holder, variant_id=variant_id)
    return await _shown(tx, cart, user_id=holder.user_id, currency=currency)


async def merge(tx: WriteTx, holder: Holder, *, guest_token: str | None, currency: str) -> CartView:
    """Pour a guest's cart into the member's and show it. Repeatable."""
    if guest_token is not None and holder.user_id is not None:
        await carts.merge_guest(tx, guest_token, holder.user_id)
    return await read(tx, holder, currency=currency)


async def files_held(
    conn: ReadConn, user_id: UUID | None, items: Mapping[UUID, listings.Purchasable]
) -> set[UUID]:
    """Which files of these variants a member has already: nobody needs the same file twice.

    Of a guest nothing is said: an e-mail address that is typed does not show whose it is.
    """
    ids = [file_id for item in items.values() for file_id in item.file_ids]
    return await fulfilment.held_files(conn, user_id, ids) if user_id and ids else set()


async def _shown(
    conn: ReadConn, cart: carts.Cart, *, user_id: UUID | None, currency: str
) -> CartView:
    items, stock = await _facts(conn, cart)
    held = await files_held(conn, user_id, items)
    return show(cart, items, stock, held=held, currency=currency)


async def _facts(
    conn: ReadConn, cart: carts.Cart
) -> tuple[dict[UUID, listings.Purchasable], dict[UUID, inventory.Availability]]:
    ids = [line.variant_id for line in cart.lines]
    if not ids:
        return {}, {}
    return await listings.purchasable(conn, ids), await inventory.availability(conn, ids)
