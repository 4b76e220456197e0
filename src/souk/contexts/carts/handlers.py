"""What carts learn from others: who came back after a reminder and bought."""

from __future__ import annotations

from souk.contexts.carts import commands
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, Subscription, subscribe
from souk.published.orders import OrderConfirmed


async def on_order_confirmed(tx: WriteTx, event: OrderConfirmed, _meta: EventMeta) -> None:
    """A member bought: the reminder of the cart, if there was one, did its work."""
    if event.buyer_id is not None:
        await commands.mark_bought(tx, user_id=event.buyer_id, amount=event.total)


subscriptions: list[Subscription] = [
    subscribe("carts.reminders", OrderConfirmed, on_order_confirmed)
]
