"""Events of `fulfilment`."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from souk.platform.events import Event


class ShippedLine(msgspec.Struct, frozen=True):
    """So many pieces of one order line."""

    order_line_id: UUID
    quantity: int


class ShipmentShipped(Event, frozen=True, kw_only=True):
    """A parcel left the seller. `tracking_url` is empty when it cannot be followed."""

    name: ClassVar[str] = "fulfilment.shipment_shipped.v1"
    key: ClassVar[str] = "seller_order_id"

    shipment_id: UUID
    seller_order_id: UUID
    seller_id: UUID
    carrier: str
    tracking_number: str
    tracking_url: str
    estimate_from: date | None
    estimate_to: date | None
    lines: list[ShippedLine]


class ShipmentDelivered(Event, frozen=True, kw_only=True):
    """A parcel reached the buyer."""

    name: ClassVar[str] = "fulfilment.shipment_delivered.v1"
    key: ClassVar[str] = "seller_order_id"

    shipment_id: UUID
    seller_order_id: UUID
    seller_id: UUID


class ShipmentReturned(Event, frozen=True, kw_only=True):
    """A parcel came back to the seller."""

    name: ClassVar[str] = "fulfilment.shipment_returned.v1"
    key: ClassVar[str] = "seller_order_id"

    shipment_id: UUID
    seller_order_id: UUID
    seller_id: UUID


class DownloadsGranted(Event, frozen=True, kw_only=True):
    """Files or licence keys of a seller order are ready. `keys_missing` counts keys still owed."""

    name: ClassVar[str] = "fulfilment.downloads_granted.v1"
    key: ClassVar[str] = "seller_order_id"

    seller_order_id: UUID
    seller_id: UUID
    order_line_ids: list[UUID]
    keys_missing: int


class DownloadTaken(Event, frozen=True, kw_only=True):
    """A buyer downloaded a file for the first time."""

    name: ClassVar[str] = "fulfilment.download_taken.v1"
    key: ClassVar[str] = "seller_order_id"

    seller_order_id: UUID
    order_line_id: UUID
    grant_id: UUID
