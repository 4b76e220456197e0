"""Paid orders, made by the real commands of orders, with what they sell in listings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec

from souk.contexts.orders import api as orders
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from souk.platform.storage import FileStore
from tests.listings import factories as listing_factories

ACTOR = system("test")
CONTENT = b"%PDF-1.7 a field guide to ferns\n" * 64


class Sold(msgspec.Struct, frozen=True):
    """One line of an order to be made."""

    seller_id: UUID
    kind: str = "goods"
    variant_id: UUID = msgspec.field(default_factory=uuid7)
    listing_id: UUID = msgspec.field(default_factory=uuid7)
    quantity: int = 1
    unit_price: int = 1_000
    file_ids: list[UUID] = msgspec.field(default_factory=list[UUID])


async def digital(db: Database, files: FileStore, seller_id: UUID, *, quantity: int = 1) -> Sold:
    """A digital listing with one stored file."""
    seller = listing_factories.seller_actor(seller_id)
    listing = await listing_factories.create(db, seller, kind="digital")
    file_id = uuid7()
    key = f"digital/{file_id}"
    await files.put(key, CONTENT)
    await db.transact(
        lambda tx: tx.execute(
            "INSERT INTO listings.digital_file (id, listing_id, key, filename, media_type, size,"
            " sha256, version, current, created_at)"
            " VALUES ($1, $2, $3, 'ferns.pdf', 'application/pdf', $4, $5, 1, true, $6)",
            file_id,
            listing.id,
            key,
            len(CONTENT),
            hashlib.sha256(CONTENT).digest(),
            tx.clock.now(),
        )
    )
    return Sold(
        seller_id,
        kind="digital",
        variant_id=listing.variants[0].id,
        listing_id=listing.id,
        quantity=quantity,
        file_ids=[file_id],
    )


async def checkout(
    db: Database,
    sold: Sequence[Sold],
    *,
    email: str,
    user_id: UUID | None = None,
    guest: bytes | None = None,
) -> orders.Checkout:
    """An open checkout of these lines."""

    async def make(tx: WriteTx) -> orders.Checkout:
        made = orders.new_checkout(
            now=tx.clock.now(),
            user_id=user_id,
            guest=guest if user_id is None else None,
            cart_id=None,
            currency="EUR",
            tax_rate=0,
            lines=[
                orders.CheckoutLine(
                    variant_id=line.variant_id,
                    listing_id=line.listing_id,
                    seller_id=line.seller_id,
                    kind=line.kind,
                    title=f"A {line.kind} thing",
                    variant_title="",
                    sku="SKU",
                    unit_price=line.unit_price,
                    quantity=line.quantity,
                    weight_g=100,
                    slug="thing",
                    file_ids=line.file_ids,
                )
                for line in sold
            ],
        )
        made.email = email
        made.choices = [
            orders.DeliveryChoice(
                seller_id=seller_id,
                method_id=uuid7(),
                label="Parcel",
                amount=490,
                kind="delivery",
                min_days=1,
                max_days=3,
            )
            for seller_id in {line.seller_id for line in sold if line.kind != "digital"}
        ]
        made.reprice()
        await orders.open_checkout(tx, made)
        return made

    return await db.transact(make)


async def order(
    db: Database,
    sold: Sequence[Sold],
    *,
    email: str,
    user_id: UUID | None = None,
    guest: bytes | None = None,
) -> orders.PlacedOrder:
    """A paid order of these lines; its event waits for the relay."""
    open_one = await checkout(db, sold, email=email, user_id=user_id, guest=guest)

    async def place(tx: WriteTx) -> orders.PlacedOrder:
        locked = await orders.lock_any_checkout(tx, checkout_id=open_one.id)
        locked.move(orders.CheckoutState.AWAITING_PAYMENT)
        return await orders.place(
            tx,
            ACTOR,
            checkout=locked,
            payment_id=uuid7(),
            commissions=[orders.LineCommission(None, 100, 20) for _ in locked.lines],
        )

    return await db.transact(place)
