"""What happens to a listing happens to the index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.flows.index_listings.handlers import subscriptions
from souk.flows.index_listings.indexer import Indexer
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.events import EventWriter
from souk.platform.relay import Relay
from tests.listings.factories import active, known_seller, seller_actor

OPERATOR = system("tests")


@pytest.fixture(scope="module")
def event_writer() -> EventWriter:
    return EventWriter(subscriptions)


@pytest.fixture
async def engine(tmp_path: Path, db: Database) -> AsyncIterator[search.SearchEngine]:
    opened = search.open_engine(tmp_path, writer=True)
    yield opened
    opened.close()


async def category(db: Database, name: str, *, parent: UUID | None = None) -> UUID:
    slug = f"c-{uuid7().hex[-12:]}"
    made = await db.transact(
        lambda tx: catalog.create_category(tx, OPERATOR, name=name, slug=slug, parent_id=parent)
    )
    return made.id


class Shop:
    """A database, an engine and what keeps the one in step with the other."""

    def __init__(self, db: Database, engine: search.SearchEngine, writer: EventWriter) -> None:
        self.db = db
        self.engine = engine
        self.indexer = Indexer(db, engine)
        self._relay = Relay(db, writer)

    async def settle(self) -> None:
        await self._relay.drain()
        await self.indexer.drain()

    def find(self, text: str, **filters: object) -> list[UUID]:
        return self.engine.search(search.SearchQuery(text=text, **filters)).ids  # type: ignore[arg-type]


@pytest.fixture
def shop(db: Database, engine: search.SearchEngine, event_writer: EventWriter) -> Shop:
    return Shop(db, engine, event_writer)


async def test_life_of_a_listing(shop: Shop) -> None:
    actor = seller_actor()
    assert actor.seller_id is not None
    await known_seller(shop.db, actor.seller_id, name="Thornbury Nursery")
    plants = await category(shop.db, "Plants")
    house_plants = await category(shop.db, "House plants", parent=plants)
    given = catalog.SpeciesInput(
        scientific_name=f"Aloe barbadensis {uuid7().hex[-6:]}", common_names=["Barbados aloe"]
    )
    aloe = await shop.db.transact(lambda tx: catalog.create_species(tx, OPERATOR, data=given))
    listing = await active(
        shop.db,
        actor,
        title="Spiny xerolux",
        description="<p>Likes <b>sandy</b> soil.</p>",
        category_id=house_plants,
        category_path=[plants, house_plants],
        species_id=aloe.id,
        attributes={"colour": ["green"], "height": 40, "gift": True},
        tags=["lowmaintenance"],
    )
    await shop.settle()
    for text in ("xerolux", "sandy xerolux", "barbados xerolux", "thornbury lowmaintenance house"):
        assert shop.find(text) == [listing.id]
    assert shop.find(
        "xerolux",
        category_id=plants,
        in_stock=True,
        attributes={"colour": ["green"], "gift": ["true"]},
        ranges={"height": search.NumberRange(40, 40)},
        price_max=1_250,
    ) == [listing.id]

    await shop.db.transact(
        lambda tx: listings.mark_sold_out(tx, system("stock"), listing_id=listing.id)
    )
    await shop.settle()
    assert shop.find("xerolux", in_stock=False) == [listing.id]

    seller_id = actor.seller_id
    await shop.db.transact(
        lambda tx: listings.archive(tx, actor, seller_id=seller_id, listing_id=listing.id)
    )
    await shop.settle()
    assert shop.find("xerolux") == []


async def test_renamed_category_reaches_its_listings(shop: Shop) -> None:
    group = await category(shop.db, "Succulents")
    listing = await active(
        shop.db, seller_actor(), title="Plain pot", category_id=group, category_path=[group]
    )
    await shop.settle()
    assert shop.find("succulents pot", category_id=group) == [listing.id]
    await shop.db.transact(
        lambda tx: catalog.rename_category(tx, OPERATOR, category_id=group, name="Xerophytes")
    )
    await shop.settle()
    assert shop.find("xerophytes pot") == [listing.id]


async def test_new_index_is_built_from_what_is_there(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    listing = await active(shop.db, seller_actor(), title="Quondam zamioculcas")
    await shop.settle()
    fresh = search.open_engine(tmp_path_factory.mktemp("fresh"), writer=True)
    indexer = Indexer(shop.db, fresh)
    assert fresh.needs_rebuild
    await indexer.drain()
    assert not fresh.needs_rebuild
    assert fresh.search(search.SearchQuery(text="quondam")).ids == [listing.id]
    assert fresh.count() == shop.engine.count()
    fresh.close()


async def test_rebuild_on_request_heals_the_index(shop: Shop) -> None:
    listing = await active(shop.db, seller_actor(), title="Vagrant yarrow")
    await shop.settle()
    shop.engine.delete([listing.id])
    shop.engine.commit()
    await shop.settle()
    assert shop.find("vagrant yarrow") == []
    await shop.db.transact(search.ask_for_rebuild)
    counted: list[int] = []
    await shop.settle()
    assert shop.find("vagrant yarrow") == [listing.id]
    assert await shop.indexer.rebuild(progress=counted.append) == counted[-1]


async def test_failure_before_the_note_is_gone_repeats_the_work(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.settle()
    listing = await active(shop.db, seller_actor(), title="Obdurate quince")

    def fail() -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(shop.engine, "commit", fail)
        with pytest.raises(OSError, match="disk full"):
            await shop.settle()
    assert shop.find("obdurate") == []
    await shop.settle()
    assert shop.find("obdurate") == [listing.id]


async def test_failed_rebuild_stays_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.settle()
    await shop.db.transact(search.ask_for_rebuild)
    before = shop.engine.count()

    async def fail(*_given: object, **_named: object) -> list[UUID]:
        raise RuntimeError("lost")

    with monkeypatch.context() as patch:
        patch.setattr(listings, "visible_ids", fail)
        with pytest.raises(RuntimeError, match="lost"):
            await shop.indexer.drain()
    assert shop.engine.count() == before
    async with shop.db.read() as conn:
        assert await search.rebuild_asked(conn) is not None
    await shop.settle()
    async with shop.db.read() as conn:
        assert await search.rebuild_asked(conn) is None
