"""Wishlist, recently viewed and reminders on a real database."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from souk.contexts.carts import api
from souk.contexts.carts.commands import mark_bought
from souk.contexts.carts.domain import REMEMBERED_DAYS
from souk.contexts.carts.jobs import forget_idle_guests
from souk.kernel.clock import SettableClock
from souk.kernel.ids import fingerprint, token, uuid7
from souk.platform.database import Database, count_statements
from souk.platform.http.holder import Holder
from souk.platform.services import Services
from tests.carts.test_carts import guest, item, member, put


def wanted(db: Database, *, price: int = 1_000) -> api.Wish:
    return api.Wish(
        listing_id=uuid7(),
        title="Olive tree",
        price_seen=price,
        currency="EUR",
        in_stock_seen=True,
        added_at=db.clock.now(),
    )


async def keep(db: Database, holder: Holder, what: api.Wish) -> None:
    assert isinstance(db.clock, SettableClock)
    db.clock.advance(timedelta(seconds=1))
    await db.transact(lambda tx: api.wish(tx, holder, wanted=what))


async def ids(db: Database, holder: Holder) -> list[UUID]:
    async with db.read() as conn:
        return [each.listing_id for each in await api.wishes(conn, holder)]


async def seen(db: Database, holder: Holder) -> list[UUID]:
    async with db.read() as conn:
        return await api.viewed(conn, holder)


async def note(db: Database, holder: Holder, *listing_ids: UUID) -> None:
    assert isinstance(db.clock, SettableClock)
    db.clock.advance(timedelta(seconds=1))
    await db.transact(lambda tx: api.note_viewed(tx, holder, listing_ids=listing_ids))


async def test_newest_wish_first_and_each_once(db: Database) -> None:
    holder, first, second = member(), wanted(db), wanted(db)
    for one in (first, second, first):
        await keep(db, holder, one)
    assert await ids(db, holder) == [second.listing_id, first.listing_id]


async def test_lists_are_their_holders_own(db: Database) -> None:
    mine, other, what = member(), guest()[1], wanted(db)
    await keep(db, mine, what)
    assert await ids(db, other) == []
    gone = await db.transact(lambda tx: api.unwish(tx, other, listing_id=what.listing_id))
    assert not gone
    assert await ids(db, mine) == [what.listing_id]


async def test_a_full_wishlist_says_so(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("souk.contexts.carts.commands.MAX_WISHES", 2)
    holder, first = member(), wanted(db)
    for one in (first, wanted(db)):
        await keep(db, holder, one)
    with pytest.raises(api.WishlistFull):
        await keep(db, holder, wanted(db))
    await keep(db, holder, first)
    assert len(await ids(db, holder)) == 2


async def test_views_are_bounded_and_the_last_is_first(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("souk.contexts.carts.commands.MAX_VIEWED", 3)
    holder, looked = member(), [uuid7() for _ in range(4)]
    for one in (*looked, looked[1]):
        await note(db, holder, one)
    assert await seen(db, holder) == [looked[1], looked[3], looked[2]]
    assert await db.transact(lambda tx: api.forget_viewed(tx, holder)) == 3
    assert await seen(db, holder) == []


async def test_lists_come_along_at_log_in(db: Database) -> None:
    secret, unknown = guest()
    holder, both, only = member(), wanted(db), wanted(db)
    assert holder.user_id is not None
    for whose, what in ((unknown, both), (unknown, only), (holder, both)):
        await keep(db, whose, what)
    looked = [uuid7(), uuid7()]
    await note(db, unknown, *looked)
    for _ in range(2):
        await db.transact(lambda tx: api.merge_guest(tx, secret, holder.user_id))  # type: ignore[arg-type]
    assert sorted(await ids(db, holder)) == sorted([both.listing_id, only.listing_id])
    assert await seen(db, holder) == looked
    assert await ids(db, unknown) == []
    assert await seen(db, unknown) == []


async def test_idle_guests_lists_are_dropped(db: Database, services: Services) -> None:
    unknown, known, what = guest()[1], member(), wanted(db)
    for whose in (unknown, known):
        await keep(db, whose, what)
        await note(db, whose, what.listing_id)
    assert isinstance(db.clock, SettableClock)
    db.clock.advance(timedelta(days=61))
    await forget_idle_guests(services)
    assert await ids(db, unknown) == await seen(db, unknown) == []
    assert await ids(db, known) == await seen(db, known) == [what.listing_id]


async def test_one_statement_however_long(db: Database) -> None:
    holder = member()
    for n in (1, 50):
        for _ in range(n):
            await keep(db, holder, wanted(db))
        async with db.read() as conn, count_statements() as count:
            await api.wishes(conn, holder)
        assert count.total == 1
    async with db.read() as conn:
        badge = await api.badge(conn, holder)
    assert (badge.pieces, len(badge.wished)) == (0, 51)


async def waiting(db: Database, holder: Holder) -> list[api.WaitingCart]:
    async with db.read() as conn:
        return [cart for cart in await api.waiting(conn) if cart.user_id == holder.user_id]


async def test_a_cart_is_due_after_hours_and_once(db: Database) -> None:
    holder, what = member(), item(price=1_250)
    assert isinstance(db.clock, SettableClock)
    assert holder.user_id is not None
    await put(db, holder, what, 2)
    assert await waiting(db, holder) == []
    db.clock.advance(timedelta(hours=api.IDLE_HOURS, minutes=1))
    [cart] = await waiting(db, holder)
    assert (cart.pieces, cart.amount, cart.variant_ids) == (2, 2_500, [what.variant_id])
    assert await db.transact(lambda tx: api.mark_reminded(tx, cart))
    assert not await db.transact(lambda tx: api.mark_reminded(tx, cart))
    await put(db, holder, item())
    db.clock.advance(timedelta(hours=api.IDLE_HOURS, minutes=1))
    assert await waiting(db, holder) == []


async def test_an_emptied_cart_is_another_one(db: Database) -> None:
    holder, what = member(), item()
    assert isinstance(db.clock, SettableClock)
    for _ in range(2):
        await put(db, holder, what)
        db.clock.advance(timedelta(hours=api.IDLE_HOURS, minutes=1))
        [cart] = await waiting(db, holder)
        await db.transact(lambda tx, cart=cart: api.mark_reminded(tx, cart))
        await db.transact(lambda tx: api.remove(tx, holder, variant_id=what.variant_id))
        db.clock.advance(timedelta(hours=1))


async def test_old_carts_and_guests_are_left_in_peace(db: Database) -> None:
    holder = member()
    await put(db, holder, item())
    await put(db, Holder(guest=fingerprint(token())), item())
    assert isinstance(db.clock, SettableClock)
    db.clock.advance(timedelta(days=REMEMBERED_DAYS, minutes=1))
    assert await waiting(db, holder) == []


async def test_figures_of_what_was_left_and_came_back(db: Database) -> None:
    holder, what = member(), item(price=3_000, currency="CHF")
    assert isinstance(db.clock, SettableClock)
    assert holder.user_id is not None
    start = db.clock.now()
    await put(db, holder, what)
    await put(db, guest()[1], item(price=500, currency="CHF"))
    db.clock.advance(timedelta(hours=api.IDLE_HOURS, minutes=1))
    [cart] = await waiting(db, holder)
    await db.transact(lambda tx: api.mark_reminded(tx, cart))
    user_id = holder.user_id
    for amount in (2_800, 9_999):
        await db.transact(lambda tx, amount=amount: mark_bought(tx, user_id=user_id, amount=amount))
    async with db.read() as conn:
        rows = await api.abandonment(conn, since=start, until=start + timedelta(days=30))
    [chf] = [row for row in rows if row.currency == "CHF"]
    assert (chf.waiting, chf.waiting_members, chf.waiting_amount) == (2, 1, 3_500)
    assert (chf.reminded, chf.reminded_amount, chf.bought, chf.bought_amount) == (
        1,
        3_000,
        1,
        2_800,
    )
