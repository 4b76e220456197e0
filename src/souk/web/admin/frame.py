"""What pages of the operator's desk share: the queues beside the navigation, names of people."""

from __future__ import annotations

from collections.abc import Iterable

from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import parse_uuid
from souk.platform import jobs, relay
from souk.platform.database import ReadConn

_MOST = 100


async def queues(conn: ReadConn, actor: Actor) -> dict[str, int]:
    """How much waits in each queue that the actor may work on; a full hundred means at least."""
    found: dict[str, int] = {}
    if actor.may(Permission.SELLERS_REVIEW):
        found["sellers"] = (await sellers.counts(conn)).get("applied", 0)
    if actor.may(Permission.LISTINGS_REVIEW):
        found["listings"] = len((await listings.for_review(conn, limit=_MOST)).items)
        found["reports"] = await listings.reported.waiting(conn)
    if actor.may(Permission.REVIEWS_MODERATE):
        waiting = await reviews.queue_counts(conn)
        found["reviews"] = waiting.get("held", 0) + waiting.get("reported", 0)
    if actor.may(Permission.EVENTS_MANAGE):
        found["dead"] = (await relay.lag(conn)).dead
        found["held"] = len(await jobs.held_jobs(conn, limit=_MOST))
    return found


async def people_of(conn: ReadConn, labels: Iterable[str]) -> dict[str, dict[str, str]]:
    """Names and pages of the people behind actors' labels such as `user:…`; one statement.

    Those who are no people, or gone, are absent.
    """
    ids = {
        label: found
        for label in labels
        if label.startswith("user:") and (found := parse_uuid(label.removeprefix("user:")))
    }
    known = await identity.contacts(conn, set(ids.values()))
    return {
        label: {"name": known[user_id].name, "url": f"/admin/users/{user_id}"}
        for label, user_id in ids.items()
        if user_id in known
    }
