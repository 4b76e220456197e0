from __future__ import annotations

from datetime import timedelta

import pytest

from souk.contexts.listings import api
from souk.contexts.listings.handlers import subscriptions
from souk.kernel.actor import system
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
def tell(db, event_writer):
    async def deliver(*events):
        async def add(tx):
            for event in events:
                outbox.add(tx, event, actor=system("test"))

        await db.transact(add)
        await Relay(db, event_writer).drain()

    return deliver


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
