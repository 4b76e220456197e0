"""`/api/v1/shipments`: a seller's parcels. They are made by shipping a seller order."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, patch
from litestar.params import FromPath, QueryParameter

from souk.contexts.fulfilment import queries
from souk.contexts.fulfilment.commands import methods, shipments
from souk.contexts.fulfilment.domain.carriers import CARRIERS
from souk.contexts.fulfilment.domain.shipment import ShipmentState
from souk.contexts.fulfilment.queries import ShipmentView
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text


class CarrierView(msgspec.Struct, frozen=True):
    """A carrier that a shipment can name."""

    code: str
    name: str


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next state of a parcel, and what is now known of it."""

    state: ShipmentState
    carrier: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    tracking: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Advanced(msgspec.Struct, frozen=True):
    """The parcel's state after the step."""

    id: UUID
    state: ShipmentState


@get("/api/v1/carriers", access=access.PUBLIC)
async def list_carriers() -> Listed[CarrierView]:
    """The carriers that shipments can name."""
    return Listed([CarrierView(carrier.code, carrier.name) for carrier in CARRIERS.values()])


@get("/api/v1/shipments", access=access.SELLER)
async def list_shipments(
    db: Database,
    actor: Actor,
    cursor: Annotated[str | None, QueryParameter(max_length=1024)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
) -> Listed[ShipmentView]:
    """The caller's parcels, newest first."""
    seller_id = methods.seller_of(actor)
    async with db.read() as conn:
        page = await queries.of_seller(conn, seller_id, cursor=cursor, limit=limit)
    return Listed(page.items, page.next_cursor)


@patch("/api/v1/shipments/{shipment_id:uuid}", access=access.SELLER, rate="write")
async def advance_shipment(
    shipment_id: FromPath[UUID], data: Advance, db: Database, actor: Actor
) -> Advanced:
    """Take a parcel one step further: shipped, in transit, delivered, returned."""
    tracking = None if data.tracking is None else clean_text(data.tracking, path="tracking")
    note = clean_text(data.note, path="note")
    moved = await db.transact(
        lambda tx: shipments.advance(
            tx,
            actor,
            shipment_id=shipment_id,
            seller_id=methods.seller_of(actor),
            state=data.state,
            carrier=data.carrier,
            tracking=tracking,
            note=note,
        )
    )
    return Advanced(moved.id, moved.state)


routes: list[Any] = [list_carriers, list_shipments, advance_shipment]
