"""What a buyer may download of an order, and the licence keys that sellers keep in stock."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.listings import api as listings
from souk.contexts.orders import api as orders
from souk.kernel.actor import Actor
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.platform.http.holder import Holder
from souk.platform.settings import Settings

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class LicenceKeysWire(msgspec.Struct, frozen=True):
    """The keys of one order line; `missing` are still owed by the seller."""

    order_line_id: UUID
    keys: list[str]
    missing: int
    revoked: bool


class OrderDownloads(msgspec.Struct, frozen=True):
    """Everything digital that an order brought; links last a day and are made anew each time."""

    files: list[fulfilment.DownloadLink]
    licence_keys: list[LicenceKeysWire]


class AddKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys for one variant; ones that the pool already has are left out."""

    keys: Annotated[list[Key], msgspec.Meta(min_length=1, max_length=5_000)]


class Added(msgspec.Struct, frozen=True):
    """How many keys were new, and the pool after buyers who waited were served."""

    added: int
    pool: fulfilment.KeyPool


@get("/api/v1/orders/{order_id:uuid}/downloads", access=access.HOLDER)
async def order_downloads(
    order_id: FromPath[UUID], db: Database, holder: Holder, settings: Settings
) -> OrderDownloads:
    """The files and licence keys of one of the caller's orders."""
    async with db.read() as conn:
        order = await orders.order(conn, order_id, user_id=holder.user_id, guest=holder.guest)
        ids = [part.id for part in order.seller_orders]
        links = await fulfilment.links(conn, seller_order_ids=ids, secret=settings.secret_key)
        keys = await fulfilment.licence_keys(conn, seller_order_ids=ids)
    return OrderDownloads(
        files=[link for part_id in ids for link in links.get(part_id, [])],
        licence_keys=[
            LicenceKeysWire(
                line.order_line_id, [key.content for key in line.keys], line.missing, line.revoked
            )
            for line in keys.values()
        ],
    )


async def _check_own(conn: ReadConn, actor: Actor, variant_id: UUID) -> None:
    item = (await listings.purchasable(conn, [variant_id])).get(variant_id)
    if item is None or item.seller_id != actor.seller_id or item.kind != "digital":
        raise fulfilment.no_such("digital variant of yours")


@get("/api/v1/licence-keys/{variant_id:uuid}", access=access.SELLER)
async def key_pool(variant_id: FromPath[UUID], db: Database, actor: Actor) -> fulfilment.KeyPool:
    """How many keys of one of the caller's variants are free, given out and owed."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        await _check_own(conn, actor, variant_id)
        return await fulfilment.key_pool(conn, seller_id=actor.seller_id, variant_id=variant_id)


@post("/api/v1/licence-keys/{variant_id:uuid}", access=access.SELLER, rate="write")
async def add_keys(variant_id: FromPath[UUID], data: AddKeys, db: Database, actor: Actor) -> Added:
    """Fill the pool; buyers who wait are served first."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        await _check_own(conn, actor, variant_id)
    added = await db.transact(
        lambda tx: fulfilment.add_licence_keys(tx, actor, variant_id=variant_id, keys=data.keys)
    )
    async with db.read() as conn:
        pool = await fulfilment.key_pool(conn, seller_id=actor.seller_id, variant_id=variant_id)
    return Added(added, pool)


@delete(
    "/api/v1/licence-keys/{variant_id:uuid}", access=access.SELLER, rate="write", status_code=200
)
async def remove_keys(variant_id: FromPath[UUID], db: Database, actor: Actor) -> fulfilment.KeyPool:
    """Take the keys that nobody was given out of the pool."""
    assert actor.seller_id is not None
    async with db.read() as conn:
        await _check_own(conn, actor, variant_id)
    await db.transact(lambda tx: fulfilment.remove_unused_keys(tx, actor, variant_id=variant_id))
    async with db.read() as conn:
        return await fulfilment.key_pool(conn, seller_id=actor.seller_id, variant_id=variant_id)


routes: list[Any] = [order_downloads, key_pool, add_keys, remove_keys]
