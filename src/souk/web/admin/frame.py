"""What every page of the operator's desk shows: the queues beside the navigation."""

from __future__ import annotations

from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.platform import relay
from souk.platform.database import ReadConn

_MOST = 100


async def queues(conn: ReadConn, actor: Actor) -> dict[str, int]:
    """How much waits in each queue that the actor may work on; a full hundred means at least."""
    found: dict[str, int] = {}
    if actor.may(Permission.SELLERS_REVIEW):
        found["sellers"] = (await sellers.counts(conn)).get("applied", 0)
    if actor.may(Permission.LISTINGS_REVIEW):
        found["listings"] = len((await listings.for_review(conn, limit=_MOST)).items)
    if actor.may(Permission.REVIEWS_MODERATE):
        waiting = await reviews.queue_counts(conn)
        found["reviews"] = waiting.get("held", 0) + waiting.get("reported", 0)
    if actor.may(Permission.EVENTS_MANAGE):
        found["dead"] = (await relay.lag(conn)).dead
    return found
