from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from souk.contexts.listings import api, commands, store
from souk.kernel.errors import NotFound
from souk.kernel.ids import uuid7
from souk.kernel.page import BadCursor, encode_cursor
from souk.platform.database import count_statements
from tests.listings import factories


async def test_purchasable_says_everything_in_one_statement(db):
    actor = factories.seller_actor()
    await factories.known_seller(db, actor.seller_id)
    listing = await factories.active(
        db,
        actor,
        variants=[
            api.VariantInput(price=900, options={"Size": "5 l", "Colour": "red"}, weight_g=120),
            api.VariantInput(price=700, options={"Size": "3 l", "Colour": "red"}, active=False),
        ],
    )
    first, second = listing.variants
    async with db.read() as conn, count_statements() as count:
        found = await api.purchasable(conn, [first.id, second.id, uuid7()])
    assert count.total == 1
    assert set(found) == {first.id, second.id}
    item = found[first.id]
    assert (item.amount, item.currency, item.state) == (900, "EUR", "active")
    assert item.variant_title == "5 l / red"
    assert item.category_path == listing.category_path
    assert item.image_key == listing.images[0].key
    assert item.seller_open
    assert found[second.id].state == "paused"


async def test_nothing_can_be_bought_from_a_seller_who_is_away_or_suspended(db, clock):
    actor = factories.seller_actor()
    await factories.known_seller(db, actor.seller_id)
    listing = await factories.active(db, actor)
    variant_id = listing.variants[0].id

    async def state() -> tuple[str, bool]:
        async with db.read() as conn:
            item = (await api.purchasable(conn, [variant_id]))[variant_id]
        return item.state, item.seller_open

    now = clock.now()
    await db.transact(
        lambda tx: store.save_absence(
            tx, actor.seller_id, away_from=now, away_until=now + timedelta(days=2)
        )
    )
    assert await state() == ("paused", False)
    clock.advance(timedelta(days=2))
    assert await state() == ("active", True)
    await db.transact(lambda tx: store.set_suspended(tx, actor.seller_id, suspended=True))
    assert await state() == ("paused", False)


async def test_pages_of_the_newest_follow_each_other_without_gap_or_repeat(db):
    actor = factories.seller_actor()
    category = uuid7()
    made = [
        await factories.active(db, actor, category_id=category, category_path=[uuid7(), category])
        for _ in range(5)
    ]
    seen: list = []
    cursor = None
    async with db.read() as conn:
        while True:
            async with count_statements() as count:
                page = await api.newest(conn, category_id=category, cursor=cursor, limit=2)
            assert count.total == 1
            seen += [card.id for card in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert seen == sorted((listing.id for listing in made), reverse=True)
    async with db.read() as conn:
        of_shop = await api.newest(conn, seller_id=actor.seller_id, kind=api.Kind.GOODS)
        none = await api.newest(conn, seller_id=actor.seller_id, kind=api.Kind.DIGITAL)
    assert [card.id for card in of_shop.items] == seen
    assert none.items == []


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        encode_cursor("never", str(UUID(int=7))),
        encode_cursor("2026-01-01", "x"),
        encode_cursor("2026-01-01", str(UUID(int=7))),
    ],
)
async def test_a_foreign_cursor_is_refused(db, cursor):
    async with db.read() as conn:
        with pytest.raises(BadCursor):
            await api.newest(conn, cursor=cursor)
        with pytest.raises(BadCursor):
            await api.of_seller(conn, uuid7(), cursor=cursor)


async def test_the_card_follows_every_change(db):
    actor = factories.seller_actor()
    await factories.known_seller(db, actor.seller_id, name="Fern & Co")
    listing = await factories.active(db, actor)
    await db.transact(
        lambda tx: commands.update(
            tx,
            actor,
            seller_id=actor.seller_id,
            listing_id=listing.id,
            changes=api.ListingChanges(title="Renamed"),
        )
    )
    await db.transact(
        lambda tx: commands.set_variants(
            tx,
            actor,
            seller_id=actor.seller_id,
            listing_id=listing.id,
            variants=[
                api.VariantInput(price=500, compare_at=800, options={"Size": "S"}),
                api.VariantInput(price=900, options={"Size": "M"}),
            ],
        )
    )
    async with db.read() as conn:
        (card,) = await api.cards(conn, [uuid7(), listing.id])
        document = await api.detail(conn, listing.slug)
    assert card.title == document.title == "Renamed"
    assert (card.price.amount, card.price_max.amount, card.compare_at.amount) == (500, 900, 800)
    assert card.seller.name == "Fern & Co"
    assert [variant.title for variant in document.variants] == ["S", "M"]
    assert document.images[0].srcset.endswith("/960.webp 900w")


async def test_only_visible_listings_have_a_public_detail(db):
    actor = factories.seller_actor()
    draft = await factories.create(db, actor)
    async with db.read() as conn:
        for key in (draft.id, draft.slug, uuid7(), "no-such-thing"):
            with pytest.raises(NotFound):
                await api.detail(conn, key)
        assert await api.cards(conn, [draft.id]) == []
        assert (await api.own(conn, draft.id, seller_id=actor.seller_id)).id == draft.id
        with pytest.raises(NotFound):
            await api.own(conn, draft.id, seller_id=uuid7())


async def test_search_fields_are_plain_text_of_visible_listings(db):
    actor = factories.seller_actor()
    await factories.known_seller(db, actor.seller_id)
    listing = await factories.active(db, actor, description="<p>Likes <b>shade</b></p><p>Grows</p>")
    draft = await factories.create(db, actor)
    async with db.read() as conn:
        (fields,) = await api.search_documents(conn, [listing.id, draft.id])
        ids = await api.visible_ids(conn, after=UUID(int=listing.id.int - 1))
    assert fields.description_text == "Likes shade Grows"
    assert fields.price == 1_250
    assert fields.seller_name == "Fern & Co"
    assert listing.id in ids
    assert draft.id not in ids


async def test_a_seller_sees_all_states_and_counts(db):
    actor = factories.seller_actor()
    first = await factories.create(db, actor)
    second = await factories.active(db, actor)
    async with db.read() as conn:
        page = await api.of_seller(conn, actor.seller_id, limit=1)
        rest = await api.of_seller(conn, actor.seller_id, limit=1, cursor=page.next_cursor)
        drafts = await api.of_seller(conn, actor.seller_id, states=[api.State.DRAFT])
        counts = await api.state_counts(conn, actor.seller_id)
    assert [row.id for row in page.items + rest.items] == [second.id, first.id]
    assert rest.next_cursor is None
    assert [row.id for row in drafts.items] == [first.id]
    assert counts == {"draft": 1, "active": 1}
