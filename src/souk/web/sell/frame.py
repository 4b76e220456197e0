"""What every page of the desk shows: the figures beside the navigation."""

from __future__ import annotations

from souk.contexts.inventory import api as inventory
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.kernel.actor import Actor
from souk.platform.database import ReadConn

TO_DO = ("confirmed", "processing", "return_requested")


def open_orders(counts: dict[str, int]) -> int:
    """How many orders wait for the seller."""
    return sum(counts.get(state, 0) for state in TO_DO)


async def desk_counts(conn: ReadConn, actor: Actor) -> dict[str, int]:
    """Orders that wait, goods that run low and reviews without an answer, in three statements."""
    seller_id = actor.seller_id
    if seller_id is None:
        return {}
    counts = await orders.seller_order_counts(conn, seller_id=seller_id)
    stock = await inventory.stock_counts(conn, seller_id)
    unanswered = await reviews.unanswered(conn, seller_id)
    return {"orders": open_orders(counts), "stock": stock.low, "reviews": unanswered}
