"""Use cases that change a cart. The holder, proven at the edge, reaches only its own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.contexts.carts import store
from souk.contexts.carts.domain import (
    COUNTED_DAYS,
    MAX_VIEWED,
    MAX_WISHES,
    Cart,
    CartItem,
    CartLine,
    WaitingCart,
    Wish,
    checked_quantity,
    merged_lines,
    most_of,
    quantity_after_put,
)
from souk.contexts.carts.errors import WishlistFull, not_in_cart
from souk.kernel.ids import fingerprint
from souk.platform.database import WriteTx
from souk.platform.http.holder import Holder

GUEST_DAYS = 60
_BATCH = 5_000


async def lock(tx: WriteTx, holder: Holder) -> Cart:
    """The holder's cart, locked until the transaction ends, to be checked and changed."""
    return await store.load_for_update(tx, holder)


async def put(
    tx: WriteTx, holder: Holder, *, cart: Cart, item: CartItem, quantity: int = 1
) -> Cart:
    """Add `quantity` of `item` to the locked `cart`; answers the cart as it now is. One statement.

    More than one cart may hold of a thing is cut to that. Raises CartFull, CurrencyDiffers,
    QuantityOutOfRange.
    """
    quantity_after_put(cart, item, quantity)
    row = await store.put(tx, holder, item=item, quantity=quantity)
    line = CartLine(
        variant_id=item.variant_id,
        listing_id=item.listing_id,
        seller_id=item.seller_id,
        quantity=row["quantity"],
        max_quantity=most_of(item.kind),
        price_seen=item.price,
        added_at=row["added_at"],
    )
    present = cart.line(item.variant_id) is not None
    lines = [line if kept.variant_id == line.variant_id else kept for kept in cart.lines]
    return Cart(
        id=row["id"],
        currency=item.currency,
        version=row["version"],
        updated_at=tx.clock.now(),
        lines=lines if present else [*lines, line],
    )


async def set_quantity(tx: WriteTx, holder: Holder, *, variant_id: UUID, quantity: int) -> Cart:
    """Hold exactly `quantity` of a variant. Raises NotFound, QuantityOutOfRange."""
    cart = await store.load_for_update(tx, holder)
    line = cart.line(variant_id)
    if line is None:
        raise not_in_cart()
    checked_quantity(quantity, most=line.max_quantity)
    await store.set_quantity(tx, cart.id, variant_id=variant_id, quantity=quantity)
    changed = msgspec.structs.replace(line, quantity=quantity)
    return msgspec.structs.replace(
        cart,
        version=cart.version + 1,
        updated_at=tx.clock.now(),
        lines=[changed if kept is line else kept for kept in cart.lines],
    )


async def remove(tx: WriteTx, holder: Holder, *, variant_id: UUID) -> Cart:
    """Take a variant out of the cart. Raises NotFound."""
    cart = await store.load_for_update(tx, holder)
    if cart.line(variant_id) is None:
        raise not_in_cart()
    await store.remove_lines(tx, cart.id, [variant_id])
    return msgspec.structs.replace(
        cart,
        version=cart.version + 1,
        updated_at=tx.clock.now(),
        lines=[line for line in cart.lines if line.variant_id != variant_id],
    )


async def remove_lines(tx: WriteTx, cart_id: UUID, variant_ids: list[UUID]) -> int:
    """Take out what was bought; answers how many lines were still there. Repeatable."""
    return await store.remove_lines(tx, cart_id, variant_ids)


async def merge_guest(tx: WriteTx, guest_token: str, user_id: UUID) -> None:
    """Pour the guest's cart and lists into the member's at log-in. Repeatable."""
    await store.merge_lists(tx, fingerprint(guest_token), user_id)
    guest = await _locked(tx, Holder(guest=fingerprint(guest_token)))
    if not guest.lines:
        return
    await store.ensure_member(tx, user_id, currency=guest.currency)
    member = await _locked(tx, Holder(user_id=user_id))
    changed = merged_lines(member, guest)
    if changed:
        currency = member.currency if member.lines else guest.currency
        await store.save_lines(tx, member.id, currency=currency, lines=changed)
    await store.delete(tx, guest.id)


async def _locked(tx: WriteTx, holder: Holder) -> Cart:
    await store.lock(tx, holder)
    return await store.load(tx, holder)


async def wish(tx: WriteTx, holder: Holder, *, wanted: Wish) -> None:
    """Put a listing on the holder's wishlist; there already, it stays as it was.

    Raises WishlistFull.
    """
    if not await store.add_wish(tx, holder, wanted, most=MAX_WISHES):
        raise WishlistFull(most=MAX_WISHES)


async def unwish(tx: WriteTx, holder: Holder, *, listing_id: UUID) -> bool:
    """Take a listing off the wishlist; whether it was on it. Repeatable."""
    return await store.remove_wish(tx, holder, listing_id)


async def note_viewed(tx: WriteTx, holder: Holder, *, listing_ids: Sequence[UUID]) -> None:
    """Keep what the holder looked at, the last one first in `listing_ids`; the oldest give way."""
    if listing_ids:
        await store.note_viewed(tx, holder, listing_ids[:MAX_VIEWED], most=MAX_VIEWED)


async def forget_viewed(tx: WriteTx, holder: Holder) -> int:
    """Forget everything that the holder looked at; answers how many. Repeatable."""
    return await store.forget_viewed(tx, holder)


async def mark_reminded(tx: WriteTx, cart: WaitingCart) -> bool:
    """Note that a cart's owner is reminded of it; False when somebody was quicker."""
    return await store.add_reminder(tx, cart)


async def mark_bought(tx: WriteTx, *, user_id: UUID, amount: int) -> None:
    """Note that a reminded member bought, for `amount` minor units. Repeatable."""
    await store.close_reminders(tx, user_id, amount=amount, days=COUNTED_DAYS)


async def forget_idle_guests(tx: WriteTx) -> int:
    """Drop guests' carts and lists idle for longer than their token lives; how many carts."""
    await store.delete_idle_lists(tx, days=GUEST_DAYS, limit=_BATCH)
    return await store.delete_idle_guests(tx, days=GUEST_DAYS, limit=_BATCH)
