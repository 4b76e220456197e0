"""Keeping and reading lists, across carts, listings and inventory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.carts import api as carts
from souk.contexts.listings import api as listings
from souk.platform.database import ReadConn, WriteTx
from souk.platform.http.holder import Holder
from souk.platform.http.wire import MoneyWire

_ACTIVE = "active"


class WishView(msgspec.Struct, frozen=True, kw_only=True):
    """A wish as of now. `listing` is null when it is no longer on the market.

    `dropped_from` is the price when it was put on the list, if it is lower now; `back_in_stock`
    says that it was sold out then and can be bought now.
    """

    listing_id: UUID
    title: str
    added_at: datetime
    listing: listings.ListingCard | None
    can_buy: bool
    dropped_from: MoneyWire | None
    back_in_stock: bool


async def wish(tx: WriteTx, holder: Holder, *, listing_id: UUID) -> None:
    """Put a visible listing on the wishlist. Raises NotFound, WishlistFull."""
    found = await listings.cards(tx, [listing_id])
    if not found:
        raise listings.listing_not_found()
    card = found[0]
    wanted = carts.Wish(
        listing_id=card.id,
        title=card.title,
        price_seen=card.price.amount if card.price else None,
        currency=card.price.currency if card.price else "XXX",
        in_stock_seen=card.state == _ACTIVE,
        added_at=tx.clock.now(),
    )
    await carts.wish(tx, holder, wanted=wanted)


async def wishes(conn: ReadConn, holder: Holder) -> list[WishView]:
    """The wishlist with prices and stock of this moment, in two statements."""
    kept = await carts.wishes(conn, holder)
    cards = await listings.cards(conn, [each.listing_id for each in kept]) if kept else []
    known = {card.id: card for card in cards}
    return [view(each, known.get(each.listing_id)) for each in kept]


def view(kept: carts.Wish, card: listings.ListingCard | None) -> WishView:
    """A wish beside what the listing is now. Pure."""
    price = card.price if card else None
    dropped = None
    if (
        price is not None
        and kept.price_seen is not None
        and price.currency == kept.currency
        and price.amount < kept.price_seen
    ):
        dropped = MoneyWire(kept.price_seen, kept.currency)
    can_buy = card is not None and card.state == _ACTIVE and price is not None
    return WishView(
        listing_id=kept.listing_id,
        title=card.title if card else kept.title,
        added_at=kept.added_at,
        listing=card,
        can_buy=can_buy,
        dropped_from=dropped,
        back_in_stock=can_buy and not kept.in_stock_seen,
    )


async def note_viewed(tx: WriteTx, holder: Holder, *, listing_ids: Sequence[UUID]) -> None:
    """Keep that visible listings were looked at; others are left out."""
    cards = await listings.cards(tx, list(listing_ids)[: carts.MAX_VIEWED])
    await carts.note_viewed(tx, holder, listing_ids=[card.id for card in cards])


async def viewed(conn: ReadConn, holder: Holder, *, limit: int = 24) -> list[listings.ListingCard]:
    """What the holder looked at last and is still on the market, in two statements."""
    ids = await carts.viewed(conn, holder, limit=limit)
    return await listings.cards(conn, ids) if ids else []
