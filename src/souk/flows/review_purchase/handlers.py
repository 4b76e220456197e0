"""What an order's steps mean for its reviews and for its shop's standing."""

from __future__ import annotations

from datetime import timedelta

from souk.contexts.reviews import api as reviews
from souk.flows.review_purchase.flow import REFRESH_RECORD, RefreshRecord
from souk.platform import jobs
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, Subscription, subscribe
from souk.published.orders import SellerOrderChanged

_TELLING = {"shipped", "cancelled"}
_PAUSE = timedelta(minutes=1)


async def on_seller_order_changed(tx: WriteTx, event: SellerOrderChanged, _meta: EventMeta) -> None:
    """What went back is marked where it was reviewed; sending and cancelling count for the shop.

    A shop's record is counted once for all that happens within a minute.
    """
    if event.state == "returned":
        await reviews.mark_returned(tx, seller_order_id=event.seller_order_id)
    if event.state in _TELLING:
        await jobs.enqueue(
            tx,
            REFRESH_RECORD,
            RefreshRecord(event.seller_id),
            after=_PAUSE,
            dedupe_key=f"{REFRESH_RECORD}:{event.seller_id}",
        )


subscriptions: list[Subscription] = [
    subscribe("review_purchase", SellerOrderChanged, on_seller_order_changed)
]
