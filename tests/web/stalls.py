"""Sellers with an open stall in a live market, and a picture for what is sold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pyvips

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.actor import Actor, Role
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.listings import factories as listing_factories
from tests.web import desks
from tests.web.visits import Person, logged_in, prepare


@dataclass(frozen=True)
class Stall:
    """An open shop: who is logged in for it, its slug, and that of a listing with one variant of
    ten pieces at 12.00."""

    person: Person
    slug: str
    listing: str
    variant_id: str


def open_stall(db_url: str) -> Person:
    """An approved seller who has listed nothing."""

    async def work(db: Database) -> Person:
        email, _, _ = await _approved(db)
        return await logged_in(db, email)

    return prepare(db_url, work)


def filled_stall(db_url: str) -> Stall:
    """A seller with a quince tree on sale."""

    async def work(db: Database) -> Stall:
        email, person, shop = await _approved(db)
        actor = replace(person, seller_id=shop.id, roles=frozenset({Role.SELLER}))
        listing = await listing_factories.active(
            db, actor, title="Quince tree", variants=[listings.VariantInput(price=1_200)]
        )
        stock = inventory.StockSetUp(listing.variants[0].id, listing.id, shop.id, 10)
        await db.transact(lambda tx: inventory.set_up(tx, actor, items=[stock]))
        return Stall(
            await logged_in(db, email), shop.slug, listing.slug, str(listing.variants[0].id)
        )

    return prepare(db_url, work)


async def _approved(db: Database) -> tuple[str, Actor, sellers.Seller]:
    email, person = await desks.member(db)

    async def work(tx: WriteTx) -> sellers.Seller:
        application = sellers.Application(name=f"Stall {uuid7().hex[-6:]}", country="DE")
        made = await sellers.apply(tx, person, application=application)
        return await decide(
            tx, desks.OPERATOR, seller_id=made.id, decision=Decision.APPROVE, reason="Good."
        )

    return email, person, await db.transact(work)


def picture(folder: Path, name: str = "fig.png", shade: int = 90) -> Path:
    """A picture file of one colour."""
    path = folder / name
    (pyvips.Image.black(320, 240, bands=3) + shade).cast("uchar").write_to_file(str(path))
    return path
