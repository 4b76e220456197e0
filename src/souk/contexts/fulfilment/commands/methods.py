"""A seller's shipping methods."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.fulfilment.domain.shipping import Method, check_room, checked
from souk.contexts.fulfilment.errors import no_such
from souk.contexts.fulfilment.store import methods as store
from souk.kernel.actor import Actor
from souk.kernel.errors import Forbidden
from souk.platform.database import WriteTx


def seller_of(actor: Actor) -> UUID:
    """The seller account that the actor works for. Raises Forbidden."""
    if actor.seller_id is None:
        raise Forbidden("Only sellers can do this. Apply to become a seller first.")
    return actor.seller_id


async def add_method(tx: WriteTx, actor: Actor, *, method: Method) -> Method:
    """Offer a new way of delivery. Raises InvalidInput, TooManyMethods."""
    seller_id = seller_of(actor)
    good = checked(method)
    check_room(await store.count(tx, seller_id))
    await store.insert(tx, good, seller_id=seller_id)
    return good


async def change_method(tx: WriteTx, actor: Actor, *, method: Method) -> Method:
    """Replace a method with all its rates. Raises InvalidInput, NotFound."""
    good = checked(method)
    if not await store.update(tx, good, seller_id=seller_of(actor)):
        raise no_such("shipping method")
    return good


async def remove_method(tx: WriteTx, actor: Actor, *, method_id: UUID) -> None:
    """Stop offering a method. Raises NotFound."""
    if not await store.delete(tx, method_id, seller_id=seller_of(actor)):
        raise no_such("shipping method")
