"""Open pages hear of every step of an order, also of those that no message tells."""

from __future__ import annotations

from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta
from souk.published.orders import SellerOrderChanged


async def on_seller_order_changed(tx: WriteTx, event: SellerOrderChanged, meta: EventMeta) -> None:
    """The pages of the buyer and of the shop's people show the step without being reloaded."""
    if event.buyer_id is not None:
        await notifications.signal(
            tx,
            user_ids=[event.buyer_id],
            kind=notifications.ORDERS,
            subject=event.order_id,
            dedupe_key=f"{meta.id}:orders",
        )
    await notifications.signal(
        tx,
        user_ids=await identity.members(tx, seller_id=event.seller_id),
        kind=notifications.SALES,
        subject=event.seller_order_id,
        dedupe_key=f"{meta.id}:sales",
    )
