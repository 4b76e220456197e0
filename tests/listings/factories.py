from __future__ import annotations

from typing import Any
from uuid import UUID

from souk.contexts.listings import api, commands, store
from souk.contexts.listings.domain import Image, Kind, Listing, SellerFacts
from souk.kernel.actor import Actor, Role
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx


def seller_actor(seller_id: UUID | None = None) -> Actor:
    return Actor(
        kind="user",
        user_id=uuid7(),
        seller_id=seller_id or uuid7(),
        roles=frozenset({Role.CUSTOMER, Role.SELLER}),
    )


def new_listing(**changes: Any) -> api.NewListing:
    fields: dict[str, Any] = {
        "kind": Kind.GOODS,
        "title": f"Monstera {uuid7().hex[-8:]}",
        "currency": "EUR",
        "description": "<p>A plant.</p>",
        "variants": [api.VariantInput(price=1_250)],
    }
    return api.NewListing(**fields | changes)


async def create(db: Database, actor: Actor, **changes: Any) -> Listing:
    assert actor.seller_id is not None
    seller_id = actor.seller_id
    data = new_listing(**changes)
    return await db.transact(lambda tx: commands.create(tx, actor, seller_id=seller_id, data=data))


async def with_image(tx: WriteTx, listing_id: UUID) -> None:
    found = await store.lock(tx, listing_id, seller_id=None)
    assert found is not None
    listing, seller = found
    image_id = uuid7()
    listing.images = [
        *listing.images,
        Image(id=image_id, key=f"images/{image_id}", alt="A leaf", width=900, height=600, size=9),
    ]
    await store.save(tx, listing, seller, images=True)


async def active(db: Database, actor: Actor, **changes: Any) -> Listing:
    """A published listing with a picture and a category."""
    assert actor.seller_id is not None
    seller_id = actor.seller_id
    category = uuid7()
    changes = {"category_id": category, "category_path": [category]} | changes
    listing = await create(db, actor, **changes)

    async def publish(tx: WriteTx) -> Listing:
        await with_image(tx, listing.id)
        return await commands.submit(
            tx, actor, seller_id=seller_id, listing_id=listing.id, in_stock=True, trusted=True
        )

    return await db.transact(publish)


async def known_seller(db: Database, seller_id: UUID, *, name: str = "Fern & Co") -> None:
    facts = SellerFacts(id=seller_id, name=name, slug=f"shop-{seller_id.hex[-12:]}")
    await db.transact(lambda tx: store.save_seller(tx, facts, suspended=False))
