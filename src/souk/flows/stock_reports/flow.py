"""The value of a seller's stock."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.platform.database import ReadConn


class ValueRow(msgspec.Struct, frozen=True, kw_only=True):
    """One variant at its present price. `value` = `price` × `on_hand`, in minor units."""

    variant_id: UUID
    listing_id: UUID
    title: str
    variant_title: str
    sku: str
    on_hand: int
    reserved: int
    price: int
    value: int
    currency: str


class ValueTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All of a seller's stock in one currency."""

    currency: str
    variants: int
    pieces: int
    value: int


class StockValue(msgspec.Struct, frozen=True, kw_only=True):
    """What is on hand at the prices of this moment, the most valuable first. `unpriced` counts
    pieces of variants that were removed from their listing."""

    totals: list[ValueTotal]
    items: list[ValueRow]
    unpriced: int


async def stock_value(conn: ReadConn, seller_id: UUID) -> StockValue:
    """All of a seller's counted stock at its selling price, in two statements."""
    held = await inventory.holdings(conn, seller_id)
    names = await listings.variant_names(conn, seller_id, [each.variant_id for each in held])
    rows: list[ValueRow] = []
    unpriced = 0
    for each in held:
        name = names.get(each.variant_id)
        if name is None:
            unpriced += each.on_hand
            continue
        rows.append(
            ValueRow(
                variant_id=each.variant_id,
                listing_id=each.listing_id,
                title=name.title,
                variant_title=name.variant_title,
                sku=name.sku,
                on_hand=each.on_hand,
                reserved=each.reserved,
                price=name.price,
                value=name.price * each.on_hand,
                currency=name.currency,
            )
        )
    rows.sort(key=lambda row: (-row.value, row.variant_id))
    return StockValue(totals=_totals(rows), items=rows, unpriced=unpriced)


def _totals(rows: list[ValueRow]) -> list[ValueTotal]:
    by_currency: dict[str, list[ValueRow]] = {}
    for row in rows:
        by_currency.setdefault(row.currency, []).append(row)
    return [
        ValueTotal(
            currency=currency,
            variants=len(mine),
            pieces=sum(row.on_hand for row in mine),
            value=sum(row.value for row in mine),
        )
        for currency, mine in sorted(by_currency.items())
    ]
