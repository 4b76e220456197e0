from __future__ import annotations

from datetime import timedelta

import pytest

from souk.contexts.listings import api, commands
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.platform import audit
from tests.listings import factories

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.LISTINGS_REVIEW}))


async def events_of(db, listing):
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT name FROM platform.event WHERE aggregate_id = $1 ORDER BY seq", listing.id
        )
    return [row["name"].split(".")[1] for row in rows]


@pytest.mark.parametrize(("title", "start"), [("花束", "item-"), ("New", "new-"), ("ab", "ab-")])
async def test_every_title_gets_an_address(db, title, start):
    listing = await factories.create(db, factories.seller_actor(), title=title)
    assert listing.slug.startswith(start)


async def test_the_same_title_gets_another_address(db):
    actor = factories.seller_actor()
    first = await factories.create(db, actor)
    second = await factories.create(db, actor, title=first.title)
    assert second.slug.startswith(first.slug + "-")


async def set_variants(db, actor, listing, variants):
    return await db.transact(
        lambda tx: api.set_variants(
            tx, actor, seller_id=actor.seller_id, listing_id=listing.id, variants=variants
        )
    )


async def test_variants_keep_id_sku_and_the_order_of_their_options(db):
    actor = factories.seller_actor()
    listing = await factories.create(
        db, actor, variants=[api.VariantInput(price=900, options={"Zone": "9", "A": " red "})]
    )
    (only,) = listing.variants
    changed = await set_variants(
        db,
        actor,
        listing,
        [
            api.VariantInput(id=only.id, price=950, options={"Zone": "9", "A": "red"}),
            api.VariantInput(price=990, options={"Zone": "8", "A": "red"}),
        ],
    )
    async with db.read() as conn:
        stored = await api.own(conn, listing.id, seller_id=actor.seller_id)
    assert stored.variants == changed.variants
    assert (stored.variants[0].id, stored.variants[0].sku) == (only.id, only.sku)
    assert [variant.title for variant in stored.variants] == ["9 / red", "8 / red"]
    assert stored.version == 2


async def test_variants_that_are_not_the_listings_own(db):
    actor = factories.seller_actor()
    listing, other = await factories.create(db, actor), await factories.create(db, actor)
    foreign, own = other.variants[0].id, listing.variants[0].id
    for wrong in (
        [api.VariantInput(id=foreign, price=900)],
        [
            api.VariantInput(id=own, price=900, options={"S": "1"}),
            api.VariantInput(id=own, price=900, options={"S": "2"}, sku="X"),
        ],
    ):
        with pytest.raises(InvalidInput):
            await set_variants(db, actor, listing, wrong)


async def test_the_same_sku_serves_two_sellers_but_not_two_listings(db):
    first, second = factories.seller_actor(), factories.seller_actor()
    variants = [api.VariantInput(price=900, sku="FERN-1")]
    await factories.create(db, first, variants=variants)
    await factories.create(db, second, variants=variants)
    with pytest.raises(api.SkuTaken):
        await factories.create(db, first, variants=variants)


async def test_changes_are_cleaned_and_told_only_of_visible_listings(db):
    actor = factories.seller_actor()
    listing = await factories.create(db, actor)
    changes = api.ListingChanges(
        title="  New\ttitle ",
        description="<b onclick=x>Hi</b><script>x</script>",
        tags=[" a ", "a", ""],
        location=" Berlin ",
        slug=f"slug-{uuid7().hex[-8:]}",
    )
    changed = await db.transact(
        lambda tx: api.update(
            tx, actor, seller_id=actor.seller_id, listing_id=listing.id, changes=changes
        )
    )
    assert (changed.title, changed.description_html) == ("New title", "<b>Hi</b>")
    assert (changed.tags, changed.location) == (["a"], "Berlin")
    assert await events_of(db, listing) == []
    visible = await factories.active(db, actor)
    await db.transact(
        lambda tx: api.update(
            tx,
            actor,
            seller_id=actor.seller_id,
            listing_id=visible.id,
            changes=api.ListingChanges(title="Other"),
        )
    )
    assert await events_of(db, visible) == ["listing_published", "listing_updated"]
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: api.update(
                tx,
                actor,
                seller_id=actor.seller_id,
                listing_id=visible.id,
                changes=api.ListingChanges(description=""),
            )
        )
    with pytest.raises(api.SlugTaken):
        await db.transact(
            lambda tx: api.update(
                tx,
                actor,
                seller_id=actor.seller_id,
                listing_id=visible.id,
                changes=api.ListingChanges(slug=changed.slug),
            )
        )


async def test_operators_act_with_a_reason_and_leave_a_trace(db):
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    for reason in ("", " x ", "y" * 1_001):
        with pytest.raises(InvalidInput):
            await db.transact(
                lambda tx, reason=reason: api.flag(
                    tx, OPERATOR, listing_id=listing.id, reason=reason
                )
            )
    await db.transact(
        lambda tx: api.flag(tx, OPERATOR, listing_id=listing.id, reason="Copied photo")
    )
    rejected = await db.transact(
        lambda tx: api.reject(tx, OPERATOR, listing_id=listing.id, reason="Copied photo")
    )
    assert not rejected.reviewed
    again = await db.transact(
        lambda tx: api.submit(
            tx,
            actor,
            seller_id=actor.seller_id,
            listing_id=listing.id,
            in_stock=True,
            trusted=False,
        )
    )
    assert again.state == "in_review"
    await db.transact(lambda tx: api.approve(tx, OPERATOR, listing_id=listing.id))
    async with db.read() as conn:
        trail = await audit.recent(conn, subject=f"listing:{listing.id}")
    assert [row.action for row in reversed(trail)] == [
        "listings.flagged",
        "listings.rejected",
        "listings.approved",
    ]
    assert await events_of(db, listing) == [
        "listing_published",
        "listing_paused",
        "listing_rejected",
        "listing_published",
    ]
    for act in (
        lambda tx: api.approve(tx, OPERATOR, listing_id=uuid7()),
        lambda tx: api.flag(tx, OPERATOR, listing_id=uuid7(), reason="because"),
        lambda tx: api.reject(tx, OPERATOR, listing_id=uuid7(), reason="because"),
    ):
        with pytest.raises(NotFound):
            await db.transact(act)


async def test_the_review_queue_is_paged_by_waiting_time(db):
    actor = factories.seller_actor()
    waiting = []
    for _ in range(3):
        category = uuid7()
        listing = await factories.create(db, actor, category_id=category, category_path=[category])

        async def submit(tx, listing_id=listing.id):
            await factories.with_image(tx, listing_id)
            await api.submit(
                tx,
                actor,
                seller_id=actor.seller_id,
                listing_id=listing_id,
                in_stock=True,
                trusted=False,
            )

        await db.transact(submit)
        waiting.append(listing.id)
    seen, cursor = [], None
    async with db.read() as conn:
        while True:
            page = await api.for_review(conn, cursor=cursor, limit=2)
            seen += [row.id for row in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(NotFound):
            await api.any_state(conn, uuid7())
    assert [each for each in seen if each in waiting] == waiting


async def test_stock_marks_do_nothing_to_absent_listings(db):
    await db.transact(lambda tx: api.mark_sold_out(tx, OPERATOR, listing_id=uuid7()))
    await db.transact(lambda tx: api.mark_in_stock(tx, OPERATOR, listing_id=uuid7()))
    actor = factories.seller_actor()
    listing = await factories.active(db, actor)
    with pytest.raises(NotFound):
        await db.transact(lambda tx: api.pause(tx, actor, seller_id=uuid7(), listing_id=listing.id))


async def test_what_is_changed_on_sale_is_looked_at_again(db, clock):
    actor = factories.seller_actor()
    seller_id = actor.seller_id
    await factories.known_seller(db, seller_id)
    listing = await factories.active(db, actor)

    async def waiting():
        async with db.read() as conn:
            return [row.id for row in (await api.for_review(conn, limit=100)).items]

    async def change(**changes):
        return await db.transact(
            lambda tx: commands.update(
                tx,
                actor,
                seller_id=seller_id,
                listing_id=listing.id,
                changes=api.ListingChanges(**changes),
            )
        )

    await change(slug=f"plain-{uuid7().hex[-8:]}")
    await change(title=listing.title)
    assert listing.id not in await waiting()
    changed = await change(title="Call me to buy this outside")
    assert changed.state == "active"
    assert listing.id in await waiting()
    first = changed.relook_at
    clock.advance(timedelta(hours=1))
    assert (await change(description="Another text")).relook_at == first
    looked = await db.transact(lambda tx: commands.approve(tx, OPERATOR, listing_id=listing.id))
    assert (looked.state, looked.relook_at) == ("active", None)
    assert listing.id not in await waiting()
    await db.transact(
        lambda tx: commands.pause(tx, actor, seller_id=seller_id, listing_id=listing.id)
    )
    await change(description="Changed in the dark")
    assert listing.id not in await waiting()
    await db.transact(
        lambda tx: commands.resume(
            tx, actor, seller_id=seller_id, listing_id=listing.id, in_stock=True
        )
    )
    assert listing.id in await waiting()
    flagged = await db.transact(
        lambda tx: commands.flag(tx, OPERATOR, listing_id=listing.id, reason="Not on here")
    )
    assert (flagged.state, flagged.relook_at) == ("flagged", None)


async def test_trusted_sellers_change_what_they_sell_without_a_second_look(db):
    actor = factories.seller_actor()
    slug = f"moss-{actor.seller_id.hex[-8:]}"
    await db.transact(
        lambda tx: api.know_seller(
            tx, seller_id=actor.seller_id, name="Moss", slug=slug, trusted=True
        )
    )
    listing = await factories.active(db, actor)
    changed = await db.transact(
        lambda tx: commands.update(
            tx,
            actor,
            seller_id=actor.seller_id,
            listing_id=listing.id,
            changes=api.ListingChanges(title="Another name"),
        )
    )
    assert changed.relook_at is None
