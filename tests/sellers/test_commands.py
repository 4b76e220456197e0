from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from souk.contexts.sellers import api
from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.actor import GUEST
from souk.kernel.errors import IllegalTransition, InvalidInput, NotSignedIn
from souk.kernel.ids import uuid7
from souk.kernel.page import BadCursor
from souk.platform import audit
from souk.platform.database import count_statements
from tests.identity.factories import actor_of, make_person
from tests.sellers.factories import OPERATOR, application, applied, approved, events_of, person

REASON = "Please tell us more about it."


def decided(db, seller_id, decision, reason=REASON):
    return db.transact(
        lambda tx: decide(tx, OPERATOR, seller_id=seller_id, decision=decision, reason=reason)
    )


async def test_an_application_is_questioned_answered_and_approved(db):
    owner = person()
    seller = await applied(db, owner)
    await decided(db, seller.id, Decision.ASK_MORE)
    again = await applied(db, owner, name="New name", slug=seller.slug, bio="Ferns only")
    assert (again.id, again.state, again.name) == (seller.id, "applied", "New name")
    await db.transact(lambda tx: api.approve(tx, OPERATOR, seller_id=seller.id))
    async with db.read() as conn:
        account = await api.account(conn, user_id=owner.user_id)
        trail = await audit.recent(conn, subject=f"seller:{seller.id}")
    assert [(step.state, step.reason, step.actor) for step in account.steps] == [
        ("applied", "The application was sent.", owner.label()),
        ("needs_info", REASON, OPERATOR.label()),
        ("applied", "The application was sent.", owner.label()),
        ("approved", "", OPERATOR.label()),
    ]
    assert [row.action for row in trail] == ["sellers.approved", "sellers.needs_info"]
    assert await events_of(db, seller.id) == [
        "sellers.seller_applied.v1",
        "sellers.info_requested.v1",
        "sellers.seller_applied.v1",
        "sellers.seller_approved.v1",
    ]


async def test_who_may_apply(db):
    with pytest.raises(NotSignedIn):
        await applied(db, GUEST)
    with pytest.raises(api.EmailNotVerified):
        await applied(db, person(email_verified=False))
    owner = person()
    await applied(db, owner)
    with pytest.raises(api.AlreadyApplied) as refused:
        await applied(db, owner)
    assert refused.value.fields["state"] == "applied"


async def test_two_applications_at_once_make_one_account(db):
    owner, looked = person(), asyncio.Event()

    async def slowly(tx):
        seller = await api.apply(tx, owner, application=application())
        looked.set()
        await asyncio.sleep(0.3)
        return seller

    first = asyncio.create_task(db.transact(slowly))
    await looked.wait()
    with pytest.raises(api.AlreadyApplied):
        await applied(db, owner)
    assert (await first).state == "applied"


async def test_the_address_of_another_shop_is_taken(db):
    first = await applied(db)
    with pytest.raises(api.ShopNameTaken):
        await applied(db, slug=first.slug)
    owner = person()
    second = await applied(db, owner)
    await decided(db, second.id, Decision.REJECT)
    with pytest.raises(api.ShopNameTaken):
        await applied(db, owner, slug=first.slug)
    async with db.read() as conn:
        assert (await api.account(conn, seller_id=second.id)).state == "rejected"


async def test_a_rejected_applicant_may_try_again(db):
    owner = person()
    seller = await applied(db, owner)
    await decided(db, seller.id, Decision.REJECT)
    assert (await applied(db, owner)).state == "applied"
    assert (await events_of(db, seller.id))[1] == "sellers.seller_rejected.v1"


@pytest.mark.parametrize("decision", [Decision.REJECT, Decision.ASK_MORE, Decision.SUSPEND])
@pytest.mark.parametrize("reason", ["", "   ", "too short", " " * 20])
async def test_refusals_need_a_reason_that_says_something(db, decision, reason):
    seller = await applied(db)
    if decision is Decision.SUSPEND:
        await db.transact(lambda tx: api.approve(tx, OPERATOR, seller_id=seller.id))
    before = await events_of(db, seller.id)
    with pytest.raises(InvalidInput):
        await decided(db, seller.id, decision, reason)
    assert await events_of(db, seller.id) == before


async def test_approval_makes_the_applicant_the_owner(db):
    owner = await make_person(db)
    seller = await applied(db, person(user_id=owner.id))
    await decided(db, seller.id, Decision.APPROVE, "")
    assert (await actor_of(db, owner)).seller_id == seller.id
    assert "identity.membership_added.v1" in await events_of(db, owner.id)


async def test_an_approval_without_an_account_leaves_nothing(db):
    seller = await applied(db)
    with pytest.raises(Exception, match=r".+"):
        await decided(db, seller.id, Decision.APPROVE, "")
    async with db.read() as conn:
        assert (await api.account(conn, seller_id=seller.id)).state == "applied"
    assert await events_of(db, seller.id) == ["sellers.seller_applied.v1"]


async def test_suspension_and_return(db):
    owner = await make_person(db)
    seller = await applied(db, person(user_id=owner.id))
    await decided(db, seller.id, Decision.APPROVE, "")
    await decided(db, seller.id, Decision.SUSPEND)
    async with db.read() as conn:
        with pytest.raises(api.SellerNotFound):
            await api.by_slug(conn, seller.slug)
        assert seller.id in await api.cards(conn, [seller.id])
    with pytest.raises(IllegalTransition):
        await decided(db, seller.id, Decision.ASK_MORE)
    await decided(db, seller.id, Decision.APPROVE, "")
    async with db.read() as conn:
        assert (await api.by_slug(conn, seller.slug)).id == seller.id


@pytest.mark.parametrize("decision", list(Decision))
async def test_decisions_on_absent_shops(db, decision):
    with pytest.raises(api.SellerNotFound):
        await decided(db, uuid7(), decision)


async def test_the_storefront_changes_what_is_given_and_nothing_else(db):
    seller = await approved(db, bio="Moss")
    changes = api.Storefront(bio=" Ferns. ", returns_policy="30 days")
    await db.transact(
        lambda tx: api.update_storefront(tx, OPERATOR, seller_id=seller.id, changes=changes)
    )
    async with db.read() as conn:
        shop = await api.by_slug(conn, seller.slug)
    assert (shop.bio, shop.returns_policy, shop.name, shop.rating) == (
        "Ferns.",
        "30 days",
        seller.name,
        None,
    )
    assert (await events_of(db, seller.id))[-1] == "sellers.storefront_changed.v1"
    for wrong, seller_id in ((InvalidInput, seller.id), (api.SellerNotFound, uuid7())):
        with pytest.raises(wrong):
            await db.transact(
                lambda tx, key=seller_id: api.update_storefront(
                    tx, OPERATOR, seller_id=key, changes=api.Storefront(name=" x ")
                )
            )


async def test_a_holiday_begins_and_ends_by_the_clock(db, clock):
    seller = await approved(db)
    start = clock.now() + timedelta(days=1)
    end = start + timedelta(days=7)
    await db.transact(
        lambda tx: api.set_holiday(
            tx, OPERATOR, seller_id=seller.id, start=start, end=end, message=" At sea "
        )
    )

    async def closed():
        async with db.read() as conn:
            shop = await api.by_slug(conn, seller.slug)
        return shop.on_holiday, shop.holiday_message

    assert await closed() == (False, "At sea")
    clock.set(start)
    assert await closed() == (True, "At sea")
    clock.set(end)
    assert (await closed())[0] is False
    await db.transact(
        lambda tx: api.set_holiday(
            tx, OPERATOR, seller_id=seller.id, start=None, end=None, message="forgotten"
        )
    )
    assert await closed() == (False, "")
    assert (await events_of(db, seller.id))[-2:] == ["sellers.storefront_changed.v1"] * 2


async def test_tiers_are_set_with_a_trace(db):
    seller, other = await approved(db), await approved(db)
    await db.transact(
        lambda tx: api.set_tier(tx, OPERATOR, seller_id=seller.id, tier=api.Tier.PREMIUM)
    )
    async with db.read() as conn, count_statements() as count:
        cards = await api.cards(conn, [seller.id, other.id, uuid7()])
    assert count.total == 1
    assert {key: card.tier for key, card in cards.items()} == {
        seller.id: "premium",
        other.id: "standard",
    }
    async with db.read() as conn:
        newest = (await audit.recent(conn, subject=f"seller:{seller.id}"))[0]
    assert (newest.action, newest.detail) == ("sellers.tier", {"tier": "premium"})
    with pytest.raises(api.SellerNotFound):
        await db.transact(
            lambda tx: api.set_tier(tx, OPERATOR, seller_id=uuid7(), tier=api.Tier.PREMIUM)
        )


async def walk(db, query, **fields):
    seen, cursor = [], None
    async with db.read() as conn:
        while True:
            page = await query(conn, cursor=cursor, limit=2, **fields)
            seen += [each.id for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return seen


async def test_lists_are_paged_without_gaps_or_doubles(db):
    opened = [(await approved(db)).id for _ in range(3)]
    waiting = [(await applied(db)).id for _ in range(3)]
    shops = await walk(db, api.open_shops)
    assert [each for each in shops if each in opened] == opened[::-1]
    assert len(shops) == len(set(shops))
    assert not set(waiting) & set(shops)
    queue = await walk(db, api.listed, states=["applied"])
    assert [each for each in queue if each in waiting] == waiting
    assert not set(opened) & set(queue)
    assert set(opened) | set(waiting) <= set(await walk(db, api.listed))
    async with db.read() as conn:
        counts = await api.counts(conn)
        with pytest.raises(BadCursor):
            await api.open_shops(conn, cursor="?")
    assert counts["applied"] == len(queue)
    assert counts["approved"] == len(shops)


async def test_steps_cannot_be_rewritten(db):
    seller = await applied(db)

    async def rewrite(tx):
        await tx.execute("UPDATE sellers.step SET reason = '' WHERE seller_id = $1", seller.id)

    with pytest.raises(Exception, match="append-only"):
        await db.transact(rewrite)


async def test_a_slug_of_ones_own_is_used(db):
    slug = f"own-{uuid7().hex[-8:]}"
    assert (await applied(db, slug=slug)).slug == slug
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: api.apply(tx, person(), application=application(name="植物植物"))
        )
