"""What parcels that arrive mean for the order that they belong to."""

from __future__ import annotations

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.flows.fulfil_order import steps
from souk.kernel.actor import system
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, subscribe
from souk.published.fulfilment import ShipmentDelivered

_ACTOR = system("orders.arrived")


async def on_shipment_delivered(tx: WriteTx, event: ShipmentDelivered, _meta: EventMeta) -> None:
    """The last parcel of a part has arrived: its return window begins. Repeatable."""
    part = await orders.lock_part(tx, seller_order_id=event.seller_order_id)
    on_the_way = await fulfilment.on_the_way(tx, part.id)
    if part.state is orders.SellerOrderState.SHIPPED and not on_the_way:
        await steps.arrive(tx, _ACTOR, part=part, reason="Every parcel has arrived.")


subscriptions = [subscribe("fulfil_order", ShipmentDelivered, on_shipment_delivered)]
