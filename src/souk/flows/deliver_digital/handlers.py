"""A confirmed order's files and keys are granted, and its digital lines count as handed over."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.kernel.actor import system
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, subscribe
from souk.published.fulfilment import DownloadsGranted
from souk.published.orders import OrderConfirmed

_ACTOR = system("deliver_digital")
_DIGITAL = "digital"


async def on_order_confirmed(tx: WriteTx, event: OrderConfirmed, _meta: EventMeta) -> None:
    """Grant every digital line. Repeatable: a line is given its files and keys once."""
    ids = sorted(ref.seller_order_id for ref in event.seller_orders if ref.has_digital)
    if not ids:
        return
    order = await orders.order(tx, event.order_id, any_holder=True)
    parts = [await orders.lock_part(tx, seller_order_id=part_id) for part_id in ids]
    file_ids = [file_id for part in parts for line in part.lines for file_id in line.file_ids]
    files = await listings.files_for_delivery(tx, file_ids)
    lines = [
        _digital_line(part, line, files)
        for part in parts
        for line in part.lines
        if line.kind == _DIGITAL and line.to_fulfil > 0
    ]
    granted = await fulfilment.grant_digital(
        tx, _ACTOR, lines=lines, buyer_id=event.buyer_id, buyer_email=order.email
    )
    waiting = {line.seller_order_id for line in lines if line.order_line_id in granted.lacking}
    for part_id in ids:
        if part_id not in waiting:
            await orders.mark_digital_delivered(tx, _ACTOR, seller_order_id=part_id)


def _digital_line(
    part: orders.SellerOrder,
    line: orders.OrderLine,
    files: dict[UUID, listings.FileForDelivery],
) -> fulfilment.DigitalLine:
    found = [files[file_id] for file_id in line.file_ids if file_id in files]
    return fulfilment.DigitalLine(
        order_line_id=line.id,
        seller_order_id=part.id,
        seller_id=part.seller_id,
        variant_id=line.variant_id,
        quantity=line.to_fulfil,
        files=[
            fulfilment.DigitalFile(
                file_id=file.id,
                storage_key=file.key,
                filename=file.filename,
                size=file.size,
                content_type=file.media_type,
            )
            for file in found
        ],
    )


async def on_downloads_granted(tx: WriteTx, event: DownloadsGranted, _meta: EventMeta) -> None:
    """Keys that a seller added later complete the hand-over."""
    if not await fulfilment.keys_owed(tx, event.seller_order_id):
        await orders.mark_digital_delivered(tx, _ACTOR, seller_order_id=event.seller_order_id)


subscriptions = [
    subscribe("deliver_digital", OrderConfirmed, on_order_confirmed),
    subscribe("deliver_digital", DownloadsGranted, on_downloads_granted),
]
