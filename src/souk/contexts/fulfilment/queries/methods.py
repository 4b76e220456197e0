"""Reads of shipping methods."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.fulfilment.domain.shipping import (
    Bracket,
    DeliveryOption,
    GroupToShip,
    Method,
    Rate,
    options,
)
from souk.platform.database import ReadConn, Record


def _rate(row: Record) -> Rate:
    return Rate(
        countries=row["countries"],
        amount=row["amount"],
        brackets=[
            Bracket(up_to_g, amount)
            for up_to_g, amount in zip(row["bracket_g"], row["bracket_amount"], strict=True)
        ],
        free_over=row["free_over"],
        min_days=row["min_days"],
        max_days=row["max_days"],
    )


def _method(row: Record, rates: list[Rate]) -> Method:
    return Method(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        currency=row["currency"],
        pickup_note=row["pickup_note"],
        position=row["position"],
        active=row["active"],
        rates=rates,
    )


async def methods_of(conn: ReadConn, seller_id: UUID) -> list[Method]:
    """A seller's own methods with every rate, in the seller's order."""
    rows = await conn.fetch(
        "SELECT m.id, m.name, m.kind, m.currency, m.pickup_note, m.position, m.active,"
        " r.countries, r.amount, r.free_over, r.bracket_g, r.bracket_amount, r.min_days,"
        " r.max_days FROM fulfilment.shipping_method m"
        " JOIN fulfilment.shipping_rate r ON r.method_id = m.id"
        " WHERE m.seller_id = $1 ORDER BY m.position, m.id, r.position",
        seller_id,
    )
    found: dict[UUID, Method] = {}
    for row in rows:
        found.setdefault(row["id"], _method(row, [])).rates.append(_rate(row))
    return list(found.values())


_FOR_COUNTRY = """
SELECT m.seller_id, m.id, m.name, m.kind, m.currency, m.pickup_note, m.position, m.active,
       r.countries, r.amount, r.free_over, r.bracket_g, r.bracket_amount, r.min_days, r.max_days
FROM fulfilment.shipping_method m
LEFT JOIN LATERAL (
  SELECT * FROM fulfilment.shipping_rate r
  WHERE r.method_id = m.id AND ($2 = ANY (r.countries) OR cardinality(r.countries) = 0)
  ORDER BY cardinality(r.countries) = 0 LIMIT 1
) r ON true
WHERE m.seller_id = ANY ($1) AND m.active
ORDER BY m.seller_id, m.position, m.id
"""


async def quote(
    conn: ReadConn, *, country: str, groups: list[GroupToShip]
) -> dict[UUID, list[DeliveryOption]]:
    """How each seller's goods can get to `country` (ISO 3166), and for how much. One statement.

    An empty list means that there is nothing to send or that the seller does not go there.
    """
    rows = await conn.fetch(_FOR_COUNTRY, [group.seller_id for group in groups], country.upper())
    offered: dict[UUID, list[tuple[Method, Rate | None]]] = {}
    for row in rows:
        rate = _rate(row) if row["countries"] is not None else None
        offered.setdefault(row["seller_id"], []).append((_method(row, []), rate))
    return {group.seller_id: options(group, offered.get(group.seller_id, [])) for group in groups}
