from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from souk.contexts.listings import api, commands, projections
from souk.contexts.listings.handlers import subscriptions
from souk.contexts.listings.jobs import job_types
from souk.kernel.actor import system
from souk.kernel.errors import NotFound
from souk.kernel.ids import uuid7
from souk.platform import outbox
from souk.platform.events import EventWriter
from souk.platform.relay import Relay
from souk.published.catalog import CategoryMerged, CategoryMoved, CategoryPath
from souk.published.inventory import StockChanged
from souk.published.sellers import SellerApproved, SellerSuspended, StorefrontChanged
from tests.listings import factories


@pytest.fixture(scope="module")
def event_writer() -> EventWriter:
    return EventWriter(subscriptions)


@pytest.fixture
def tell(db, event_writer, services):
    async def deliver(*events):
        async def add(tx):
            for event in events:
                outbox.add(tx, event, actor=system("test"))

        await db.transact(add)
        await Relay(db, event_writer).drain()
        while await follow(services):
            continue

    return deliver


async def follow(services):
    """Run the jobs that wait, once each; returns how many there were."""
    types = {each.name: each for each in job_types}

    async def take(tx):
        return await tx.fetch(
            "DELETE FROM jobs.pgqueuer WHERE entrypoint LIKE 'listings.follow%'"
            " RETURNING entrypoint, payload"
        )

    rows = await services.db.transact(take)
    for row in rows:
        each = types[row["entrypoint"]]
        await each.run(services, msgspec.json.decode(row["payload"], type=each.payload))
    return len(rows)


def stock(listing, *, available):
    return StockChanged(
        listing_id=listing.id,
        seller_id=listing.seller_id,
        available=available,
        unlimited=False,
        in_stock=available > 0,
        low=False,
    )


async def state_of(db, listing):
    async with db.read() as conn:
        return (await api.any_state(conn, listing.id)).state


async def test_a_listing_leaves_the_lists_without_stock_and_comes_back(db, tell):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    await tell(stock(listing, available=0), stock(listing, available=0))
    assert await state_of(db, listing) == "sold_out"
    async with db.read() as conn:
        assert (await api.newest(conn, seller_id=actor.seller_id)).items == []
        assert (await api.detail(conn, listing.id)).state == "sold_out"
        item = (await api.purchasable(conn, [listing.variants[0].id])).popitem()[1]
    assert item.state == "sold_out"
    await tell(stock(listing, available=2))
    assert await state_of(db, listing) == "active"
    draft = await factories.create(db, actor)
    await tell(stock(draft, available=0), stock(draft, available=1))
    assert await state_of(db, draft) == "draft"


async def test_cards_follow_the_sellers_name(db, tell):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    seller_id, user_id = actor.seller_id, actor.user_id

    async def seller_on_card():
        async with db.read() as conn:
            return (await api.cards(conn, [listing.id]))[0].seller

    assert (await seller_on_card()).name == ""
    await tell(
        SellerApproved(seller_id=seller_id, user_id=user_id, shop_name="Fern", slug="fern-x")
    )
    assert (await seller_on_card()).name == "Fern"
    await tell(
        StorefrontChanged(
            seller_id=seller_id,
            user_id=user_id,
            shop_name="Moss",
            slug="fern-x",
            holiday_from=None,
            holiday_until=None,
        )
    )
    assert (await seller_on_card()).name == "Moss"


async def test_nothing_is_bought_from_suspended_or_absent_sellers(db, tell, clock):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    seller_id, user_id = actor.seller_id, actor.user_id
    approved = SellerApproved(
        seller_id=seller_id, user_id=user_id, shop_name="Fern", slug=f"f-{seller_id.hex[-8:]}"
    )

    async def is_open():
        async with db.read() as conn:
            found = await api.purchasable(conn, [listing.variants[0].id])
        return found[listing.variants[0].id].seller_open

    await tell(approved)
    assert await is_open()
    await tell(SellerSuspended(seller_id=seller_id, user_id=user_id, reason="Complaints"))
    assert not await is_open()
    await tell(approved)
    assert await is_open()
    await tell(
        StorefrontChanged(
            seller_id=seller_id,
            user_id=user_id,
            shop_name="Fern",
            slug=approved.slug,
            holiday_from=clock.now() - timedelta(hours=1),
            holiday_until=None,
        )
    )
    assert not await is_open()


async def test_a_suspended_shop_goes_out_of_sight_and_comes_back_as_it_was(db, tell):
    actor = factories.seller_actor()
    shown, sold, emptied, paused = [await factories.active(db, actor) for _ in range(4)]
    await db.transact(
        lambda tx: api.pause(tx, actor, seller_id=actor.seller_id, listing_id=paused.id)
    )
    await tell(stock(sold, available=0))
    seller_id, user_id = actor.seller_id, actor.user_id
    approved = SellerApproved(
        seller_id=seller_id, user_id=user_id, shop_name="Fern", slug=f"f-{seller_id.hex[-8:]}"
    )
    await tell(approved)
    await tell(SellerSuspended(seller_id=seller_id, user_id=user_id, reason="Complaints"))
    ids = [shown.id, sold.id, emptied.id, paused.id]
    async with db.read() as conn:
        assert await api.search_documents(conn, ids) == []
        assert await api.cards(conn, ids) == []
        assert (await api.newest(conn, seller_id=seller_id)).items == []
        with pytest.raises(NotFound):
            await api.detail(conn, shown.id)
    # An operator who lets it through while the shop is closed shows it later, not now.
    flagged = await factories.active(db, actor)
    await db.transact(
        lambda tx: commands.flag(tx, actor, listing_id=flagged.id, reason="Look at this")
    )
    await db.transact(lambda tx: commands.approve(tx, actor, listing_id=flagged.id))
    assert await state_of(db, flagged) == "paused"
    await tell(stock(emptied, available=0), stock(sold, available=3), stock(paused, available=0))
    await tell(approved)
    states = [await state_of(db, one) for one in (shown, sold, emptied, paused, flagged)]
    assert states == ["active", "active", "sold_out", "paused", "active"]
    async with db.read() as conn:
        found = await api.search_documents(conn, ids)
        assert {row.seller_name for row in found} == {"Fern"}
        assert len(found) == 3


async def test_many_listings_follow_in_batches(db, tell, services, monkeypatch):
    monkeypatch.setattr(projections, "BATCH", 2)
    actor = factories.seller_actor()
    category, new = uuid7(), uuid7()
    made = [
        await factories.active(db, actor, category_id=category, category_path=[category])
        for _ in range(5)
    ]
    changes = []

    async def kept(conn):
        rows = await conn.fetch(
            "SELECT aggregate_id FROM platform.event WHERE name = 'listings.listing_updated.v1'"
            " AND aggregate_id = ANY($1)",
            [one.id for one in made],
        )
        return len(rows)

    approved = SellerApproved(
        seller_id=actor.seller_id, user_id=actor.user_id, shop_name="Moss", slug="moss-many"
    )
    for event in (approved, approved):
        await tell(event)
        async with db.read() as conn:
            changes.append(await kept(conn))
    # Nothing is told of a listing that shows the same as before.
    assert changes == [5, 5]
    await tell(CategoryMoved(category_id=category, paths=[CategoryPath(category, [new, category])]))
    async with db.read() as conn:
        assert len((await api.newest(conn, category_id=new)).items) == 5
        names = {card.seller.name for card in await api.cards(conn, [one.id for one in made])}
    assert names == {"Moss"}


async def test_a_rename_reaches_what_was_listed_before_it_was_known(db, tell):
    """A new draft keeps the new name at once; the event finds the facts as they are already."""
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    seller_id = actor.seller_id
    await db.transact(
        lambda tx: api.know_seller(tx, seller_id=seller_id, name="Moss", slug="moss-known")
    )
    await tell(
        StorefrontChanged(
            seller_id=seller_id,
            user_id=actor.user_id,
            shop_name="Moss",
            slug="moss-known",
            holiday_from=None,
            holiday_until=None,
        )
    )
    async with db.read() as conn:
        assert (await api.cards(conn, [listing.id]))[0].seller.name == "Moss"


async def test_listings_follow_their_category(db, tell):
    actor = factories.seller_actor()
    old, category, new = uuid7(), uuid7(), uuid7()
    listing = await factories.active(db, actor, category_id=category, category_path=[old, category])

    async def listed_under(category_id):
        async with db.read() as conn:
            page = await api.newest(conn, category_id=category_id)
        return [card.id for card in page.items] == [listing.id]

    assert await listed_under(old)
    await tell(CategoryMoved(category_id=category, paths=[CategoryPath(category, [new, category])]))
    assert await listed_under(new)
    assert not await listed_under(old)
    await tell(CategoryMerged(category_id=category, target=CategoryPath(old, [old]), paths=[]))
    assert await listed_under(old)
    assert not await listed_under(category)
    async with db.read() as conn:
        assert (await api.any_state(conn, listing.id)).category_id == old
