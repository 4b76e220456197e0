"""`/api/v1/addresses`: a person's saved addresses, and the check of one that is not saved."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath

from souk.contexts.fulfilment import queries
from souk.contexts.fulfilment.commands import addresses
from souk.contexts.fulfilment.domain.address import Address, lines, normalise
from souk.contexts.fulfilment.queries import SavedAddress
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Listed, clean_text

Label = Annotated[str, msgspec.Meta(max_length=60)]


class SaveAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`label` is the person's own name for it; `default` makes it the one that is offered first."""

    address: Address
    label: Label = ""
    default: bool = False


class CheckedAddress(msgspec.Struct, frozen=True):
    """The address as it is stored, and as it is written on a parcel."""

    address: Address
    lines: list[str]


@get("/api/v1/addresses", access=access.SIGNED_IN)
async def list_addresses(db: Database, actor: Actor) -> Listed[SavedAddress]:
    """The caller's saved addresses, the default first."""
    assert actor.user_id is not None
    async with db.read() as conn:
        return Listed(await queries.saved_addresses(conn, actor.user_id))


@post("/api/v1/addresses", access=access.SIGNED_IN, rate="write")
async def save_address(data: SaveAddress, db: Database, actor: Actor) -> SavedAddress:
    """Keep an address."""
    label = clean_text(data.label, path="label")
    return await db.transact(
        lambda tx: addresses.save_address(
            tx, actor, address=data.address, label=label, default=data.default
        )
    )


@put("/api/v1/addresses/{address_id:uuid}", access=access.SIGNED_IN, rate="write", status_code=204)
async def change_address(
    address_id: FromPath[UUID], data: SaveAddress, db: Database, actor: Actor
) -> None:
    """Replace a kept address."""
    label = clean_text(data.label, path="label")
    await db.transact(
        lambda tx: addresses.change_address(
            tx,
            actor,
            address_id=address_id,
            address=data.address,
            label=label,
            default=data.default,
        )
    )


@delete("/api/v1/addresses/{address_id:uuid}", access=access.SIGNED_IN, rate="write")
async def forget_address(address_id: FromPath[UUID], db: Database, actor: Actor) -> None:
    """Remove a kept address."""
    await db.transact(lambda tx: addresses.forget_address(tx, actor, address_id=address_id))


@post("/api/v1/addresses/check", access=access.PUBLIC, rate="write", status_code=200)
async def check_address(data: Address) -> CheckedAddress:
    """Check an address by its country's rules, and write it as that country does."""
    normal = normalise(data)
    return CheckedAddress(normal, lines(normal))


routes: list[Any] = [list_addresses, save_address, change_address, forget_address, check_address]
