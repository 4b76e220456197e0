"""Reads of shipments."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.carriers import carrier_name, tracking_url
from souk.contexts.fulfilment.domain.shipment import ShipLine
from souk.contexts.fulfilment.queries.cursors import row_before
from souk.kernel.page import Page, encode_cursor, page_of
from souk.platform.database import ReadConn, Record


class ShipmentStep(msgspec.Struct, frozen=True):
    """One row of a parcel's timeline."""

    at: datetime
    state: str
    note: str


class ShipmentView(msgspec.Struct, frozen=True):
    """A parcel as buyer and seller see it."""

    id: UUID
    seller_order_id: UUID
    state: str
    carrier: str
    carrier_name: str
    tracking_number: str
    tracking_url: str
    shipped_at: datetime | None
    delivered_at: datetime | None
    estimate_from: date | None
    estimate_to: date | None
    lines: list[ShipLine]
    timeline: list[ShipmentStep]


_SHIPMENTS = """
SELECT s.id, s.seller_order_id, s.state, s.carrier, s.tracking_number, s.shipped_at,
       s.delivered_at, s.estimate_from, s.estimate_to,
       (SELECT jsonb_agg(jsonb_build_object('order_line_id', l.order_line_id,
          'quantity', l.quantity) ORDER BY l.order_line_id)
        FROM fulfilment.shipment_line l WHERE l.shipment_id = s.id) AS lines,
       (SELECT jsonb_agg(jsonb_build_object('at', t.at, 'state', t.state, 'note', t.note)
          ORDER BY t.number)
        FROM fulfilment.shipment_step t WHERE t.shipment_id = s.id) AS timeline
FROM fulfilment.shipment s
"""


def _shipment(row: Record) -> ShipmentView:
    return ShipmentView(
        id=row["id"],
        seller_order_id=row["seller_order_id"],
        state=row["state"],
        carrier=row["carrier"],
        carrier_name=carrier_name(row["carrier"]),
        tracking_number=row["tracking_number"],
        tracking_url=tracking_url(row["carrier"], row["tracking_number"]),
        shipped_at=row["shipped_at"],
        delivered_at=row["delivered_at"],
        estimate_from=row["estimate_from"],
        estimate_to=row["estimate_to"],
        lines=msgspec.convert(row["lines"] or [], list[ShipLine]),
        timeline=msgspec.convert(row["timeline"] or [], list[ShipmentStep]),
    )


async def on_the_way(conn: ReadConn, seller_order_id: UUID) -> int:
    """How many parcels of a seller order have not arrived: packed, sent, and not come back."""
    return await conn.fetchval(
        "SELECT count(*) FROM fulfilment.shipment WHERE seller_order_id = $1"
        " AND state IN ('label_pending', 'shipped', 'in_transit')",
        seller_order_id,
    )


async def of_orders(conn: ReadConn, seller_order_ids: list[UUID]) -> dict[UUID, list[ShipmentView]]:
    """The parcels of each seller order, oldest first. One statement."""
    rows = await conn.fetch(
        _SHIPMENTS + " WHERE s.seller_order_id = ANY ($1) ORDER BY s.id", seller_order_ids
    )
    found: dict[UUID, list[ShipmentView]] = {}
    for row in rows:
        found.setdefault(row["seller_order_id"], []).append(_shipment(row))
    return found


async def of_seller(
    conn: ReadConn, seller_id: UUID, *, cursor: str | None = None, limit: int = 20
) -> Page[ShipmentView]:
    """A seller's parcels, newest first."""
    before = row_before(cursor)
    rows = await conn.fetch(
        _SHIPMENTS + " WHERE s.seller_id = $1 AND ($2::uuid IS NULL OR s.id < $2)"
        " ORDER BY s.id DESC LIMIT $3",
        seller_id,
        before,
        limit + 1,
    )
    views = [_shipment(row) for row in rows]
    return page_of(views, limit=limit, cursor_of=lambda view: encode_cursor(str(view.id)))
