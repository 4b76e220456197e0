"""Sending parcels and following them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.carriers import tracking_url
from souk.contexts.fulfilment.domain.shipment import (
    ShipLine,
    Shipment,
    ShipmentState,
    check_carrier,
    check_lines,
    check_transition,
    working_days_after,
)
from souk.contexts.fulfilment.errors import no_such
from souk.contexts.fulfilment.store import shipments as store
from souk.kernel.actor import Actor
from souk.kernel.ids import uuid7
from souk.platform import outbox
from souk.platform.database import WriteTx
from souk.published.fulfilment import (
    ShipmentDelivered,
    ShipmentReturned,
    ShipmentShipped,
    ShippedLine,
)

Days = tuple[int, int]


async def ship(
    tx: WriteTx,
    actor: Actor,
    *,
    seller_order_id: UUID,
    seller_id: UUID,
    lines: list[ShipLine],
    carrier: str,
    tracking: str = "",
    days: Days | None = None,
    label_only: bool = False,
) -> UUID:
    """Send a parcel with some pieces of a seller order; answers the shipment's id.

    `days` are the earliest and latest working days to arrive, from which the estimate is made.
    `label_only` packs it without sending. That no piece is sent twice is checked by `orders`, which
    knows what was bought. Raises InvalidInput.
    """
    check_lines(lines)
    check_carrier(carrier)
    state = ShipmentState.LABEL_PENDING if label_only else ShipmentState.SHIPPED
    shipment = Shipment(
        id=uuid7(),
        seller_order_id=seller_order_id,
        seller_id=seller_id,
        state=state,
        carrier=carrier,
        tracking_number=tracking.strip(),
        version=1,
    )
    estimate = _estimate(tx, days)
    now = tx.clock.now()
    await store.insert(
        tx, shipment, lines=lines, shipped_at=None if label_only else now, estimate=estimate
    )
    await store.add_step(tx, shipment.id, state=state, actor=actor.label(), note="")
    if not label_only:
        _tell_shipped(tx, actor, shipment, lines=lines, estimate=estimate)
    return shipment.id


async def advance(
    tx: WriteTx,
    actor: Actor,
    *,
    shipment_id: UUID,
    seller_id: UUID,
    state: ShipmentState,
    carrier: str | None = None,
    tracking: str | None = None,
    note: str = "",
    days: Days | None = None,
) -> Shipment:
    """Take a parcel one step further. Raises NotFound, IllegalTransition, InvalidInput."""
    shipment = await store.load_for_update(tx, shipment_id, seller_id=seller_id)
    if shipment is None:
        raise no_such("shipment")
    check_transition(shipment.state, state)
    if carrier is not None:
        check_carrier(carrier)
    moved = msgspec.structs.replace(
        shipment,
        carrier=shipment.carrier if carrier is None else carrier,
        tracking_number=shipment.tracking_number if tracking is None else tracking.strip(),
    )
    return await _step(tx, actor, moved, state=state, note=note, estimate=_estimate(tx, days))


async def mark_delivered(
    tx: WriteTx, actor: Actor, *, seller_order_id: UUID, note: str = ""
) -> int:
    """Every parcel of the seller order that is on its way has arrived; answers how many had not.

    Repeatable: parcels that were delivered or came back stay as they are.
    """
    changed = 0
    for shipment in await store.of_order_for_update(tx, seller_order_id):
        if shipment.state in {ShipmentState.SHIPPED, ShipmentState.IN_TRANSIT}:
            await _step(tx, actor, shipment, state=ShipmentState.DELIVERED, note=note)
            changed += 1
    return changed


async def _step(
    tx: WriteTx,
    actor: Actor,
    shipment: Shipment,
    *,
    state: ShipmentState,
    note: str,
    estimate: tuple[date, date] | None = None,
) -> Shipment:
    moved = msgspec.structs.replace(shipment, state=state, version=shipment.version + 1)
    now = tx.clock.now()
    await store.save_state(
        tx,
        moved,
        shipped_at=now if state is ShipmentState.SHIPPED else None,
        delivered_at=now if state is ShipmentState.DELIVERED else None,
        estimate=estimate,
    )
    await store.add_step(tx, moved.id, state=state, actor=actor.label(), note=note)
    keys = {
        "shipment_id": moved.id,
        "seller_order_id": moved.seller_order_id,
        "seller_id": moved.seller_id,
    }
    if state is ShipmentState.SHIPPED:
        lines = await store.lines_of(tx, moved.id)
        _tell_shipped(tx, actor, moved, lines=lines, estimate=estimate)
    elif state is ShipmentState.DELIVERED:
        outbox.add(tx, ShipmentDelivered(**keys), actor=actor)
    elif state is ShipmentState.RETURNED:
        outbox.add(tx, ShipmentReturned(**keys), actor=actor)
    return moved


def _estimate(tx: WriteTx, days: Days | None) -> tuple[date, date] | None:
    if days is None:
        return None
    today = tx.clock.now().date()
    return working_days_after(today, days[0]), working_days_after(today, days[1])


def _tell_shipped(
    tx: WriteTx,
    actor: Actor,
    shipment: Shipment,
    *,
    lines: list[ShipLine],
    estimate: tuple[date, date] | None,
) -> None:
    event = ShipmentShipped(
        shipment_id=shipment.id,
        seller_order_id=shipment.seller_order_id,
        seller_id=shipment.seller_id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=tracking_url(shipment.carrier, shipment.tracking_number),
        estimate_from=estimate[0] if estimate else None,
        estimate_to=estimate[1] if estimate else None,
        lines=[ShippedLine(line.order_line_id, line.quantity) for line in lines],
    )
    outbox.add(tx, event, actor=actor)
