"""Listens to what reviews tell."""

from __future__ import annotations

from souk.contexts.sellers import commands
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta, Subscription, subscribe
from souk.published.reviews import RatingChanged


async def on_rating_changed(tx: WriteTx, event: RatingChanged, _meta: EventMeta) -> None:
    """The shop's stars are shown wherever the shop is."""
    if event.kind == "seller":
        await commands.keep_rating(
            tx, seller_id=event.seller_id, stars=event.sum, reviews=event.count
        )


subscriptions: list[Subscription] = [subscribe("sellers.ratings", RatingChanged, on_rating_changed)]
