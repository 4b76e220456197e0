"""Shipments, what is in them, and the steps they took."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from souk.contexts.fulfilment.domain.shipment import ShipLine, Shipment, ShipmentState
from souk.platform.database import Record, WriteTx

_COLUMNS = "id, seller_order_id, seller_id, state, carrier, tracking_number, version"


def _shipment(row: Record) -> Shipment:
    return Shipment(
        id=row["id"],
        seller_order_id=row["seller_order_id"],
        seller_id=row["seller_id"],
        state=ShipmentState(row["state"]),
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        version=row["version"],
    )


async def insert(
    tx: WriteTx,
    shipment: Shipment,
    *,
    lines: list[ShipLine],
    shipped_at: datetime | None,
    estimate: tuple[date, date] | None,
) -> None:
    """Save a new shipment and its lines in one statement."""
    await tx.execute(
        "WITH made AS (INSERT INTO fulfilment.shipment (id, seller_order_id, seller_id, state,"
        "   carrier, tracking_number, created_at, shipped_at, estimate_from, estimate_to)"
        "   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id)"
        " INSERT INTO fulfilment.shipment_line (shipment_id, order_line_id, quantity)"
        " SELECT made.id, line.* FROM made,"
        " unnest($11::uuid[], $12::integer[]) AS line (order_line_id, quantity)",
        shipment.id,
        shipment.seller_order_id,
        shipment.seller_id,
        shipment.state,
        shipment.carrier,
        shipment.tracking_number,
        tx.clock.now(),
        shipped_at,
        estimate[0] if estimate else None,
        estimate[1] if estimate else None,
        [line.order_line_id for line in lines],
        [line.quantity for line in lines],
    )


async def load_for_update(tx: WriteTx, shipment_id: UUID, *, seller_id: UUID) -> Shipment | None:
    """A seller's shipment, locked; None when the seller has none with this id."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM fulfilment.shipment WHERE id = $1 AND seller_id = $2 FOR UPDATE",
        shipment_id,
        seller_id,
    )
    return _shipment(row) if row else None


async def of_order_for_update(tx: WriteTx, seller_order_id: UUID) -> list[Shipment]:
    """All shipments of a seller order, locked by id."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM fulfilment.shipment WHERE seller_order_id = $1"
        " ORDER BY id FOR UPDATE",
        seller_order_id,
    )
    return [_shipment(row) for row in rows]


async def lines_of(tx: WriteTx, shipment_id: UUID) -> list[ShipLine]:
    """What is in the parcel."""
    rows = await tx.fetch(
        "SELECT order_line_id, quantity FROM fulfilment.shipment_line WHERE shipment_id = $1"
        " ORDER BY order_line_id",
        shipment_id,
    )
    return [ShipLine(row["order_line_id"], row["quantity"]) for row in rows]


async def save_state(
    tx: WriteTx,
    shipment: Shipment,
    *,
    shipped_at: datetime | None = None,
    delivered_at: datetime | None = None,
    estimate: tuple[date, date] | None = None,
) -> None:
    """Write the state, the carrier and the dates that this step adds."""
    await tx.execute(
        "UPDATE fulfilment.shipment SET state = $2, carrier = $3, tracking_number = $4,"
        " shipped_at = coalesce($5, shipped_at), delivered_at = coalesce($6, delivered_at),"
        " estimate_from = coalesce($7, estimate_from), estimate_to = coalesce($8, estimate_to),"
        " version = version + 1 WHERE id = $1",
        shipment.id,
        shipment.state,
        shipment.carrier,
        shipment.tracking_number,
        shipped_at,
        delivered_at,
        estimate[0] if estimate else None,
        estimate[1] if estimate else None,
    )


async def add_step(
    tx: WriteTx, shipment_id: UUID, *, state: ShipmentState, actor: str, note: str
) -> None:
    """One row of the timeline; the shipment is locked or new."""
    await tx.execute(
        "INSERT INTO fulfilment.shipment_step (shipment_id, number, at, state, actor, note)"
        " SELECT $1, count(*) + 1, $2, $3, $4, $5 FROM fulfilment.shipment_step"
        " WHERE shipment_id = $1",
        shipment_id,
        tx.clock.now(),
        state,
        actor,
        note,
    )
