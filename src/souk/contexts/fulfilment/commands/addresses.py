"""Saved addresses of a person."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.fulfilment.domain.address import Address, normalise
from souk.contexts.fulfilment.errors import TooManyAddresses, no_such
from souk.contexts.fulfilment.queries.addresses import SavedAddress
from souk.contexts.fulfilment.store import addresses as store
from souk.kernel.actor import Actor
from souk.kernel.errors import NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform.database import WriteTx

MAX_ADDRESSES = 50


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotSignedIn("Log in to keep addresses.")
    return actor.user_id


async def save_address(
    tx: WriteTx, actor: Actor, *, address: Address, label: str = "", default: bool = False
) -> SavedAddress:
    """Keep an address; the first one is the default. Raises InvalidInput, TooManyAddresses."""
    user_id = _person(actor)
    normal = normalise(address, path="address")
    count = await store.count(tx, user_id)
    if count >= MAX_ADDRESSES:
        raise TooManyAddresses(most=MAX_ADDRESSES)
    default = default or not count
    if default:
        await store.unset_default(tx, user_id)
    made = uuid7()
    await store.insert(tx, made, user_id=user_id, label=label, default=default, address=normal)
    return SavedAddress(made, label, default, normal)


async def change_address(
    tx: WriteTx,
    actor: Actor,
    *,
    address_id: UUID,
    address: Address,
    label: str = "",
    default: bool = False,
) -> None:
    """Replace a kept address. Raises NotFound, InvalidInput."""
    user_id = _person(actor)
    normal = normalise(address, path="address")
    await store.count(tx, user_id)
    if default:
        await store.unset_default(tx, user_id)
    if not await store.update(
        tx, address_id, user_id=user_id, label=label, default=default, address=normal
    ):
        raise no_such("address")


async def forget_address(tx: WriteTx, actor: Actor, *, address_id: UUID) -> None:
    """Remove a kept address; orders keep their copy. Raises NotFound."""
    if not await store.delete(tx, address_id, user_id=_person(actor)):
        raise no_such("address")
