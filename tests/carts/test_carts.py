"""Carts on a real database: putting in, limits, merging, races, statement counts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from souk.contexts.carts import api, commands
from souk.contexts.carts.domain import merged_lines
from souk.contexts.carts.errors import CartFull, CurrencyDiffers, QuantityOutOfRange
from souk.contexts.carts.jobs import forget_idle_guests
from souk.kernel.clock import SettableClock
from souk.kernel.errors import NotFound
from souk.kernel.ids import fingerprint, token, uuid7
from souk.platform.database import Database, WriteTx, count_statements
from souk.platform.http.holder import Holder
from souk.platform.services import Services


def guest() -> tuple[str, Holder]:
    secret = token()
    return secret, Holder(guest=fingerprint(secret))


def member() -> Holder:
    return Holder(user_id=uuid7())


def item(*, kind: str = "goods", price: int = 1250, currency: str = "EUR") -> api.CartItem:
    return api.CartItem(
        variant_id=uuid7(),
        listing_id=uuid7(),
        seller_id=uuid7(),
        kind=kind,
        price=price,
        currency=currency,
    )


async def put(db: Database, holder: Holder, what: api.CartItem, quantity: int = 1) -> api.Cart:
    assert isinstance(db.clock, SettableClock)
    db.clock.advance(timedelta(seconds=1))

    async def work(tx: WriteTx) -> api.Cart:
        cart = await api.lock(tx, holder)
        return await api.put(tx, holder, cart=cart, item=what, quantity=quantity)

    return await db.transact(work)


async def read(db: Database, holder: Holder) -> api.Cart:
    async with db.read() as conn:
        return await api.read(conn, holder)


async def test_nothing_put_in_reads_as_the_empty_cart(db: Database) -> None:
    cart = await read(db, member())
    assert cart.id == api.NO_CART
    assert cart.lines == []


async def test_what_put_answers_is_what_is_read(db: Database) -> None:
    holder, first, second = member(), item(), item(price=99)
    await put(db, holder, first, 2)
    answered = await put(db, holder, second)
    assert answered == await read(db, holder)
    again = await put(db, holder, first, 3)
    assert again == await read(db, holder)
    assert [(line.variant_id, line.quantity) for line in again.lines] == [
        (first.variant_id, 5),
        (second.variant_id, 1),
    ]
    assert again.version > answered.version


@pytest.mark.parametrize("kind", ["digital", "secondhand"])
async def test_one_of_a_kind_stays_one(db: Database, kind: str) -> None:
    holder, what = guest()[1], item(kind=kind)
    await put(db, holder, what, 4)
    cart = await put(db, holder, what, 1)
    assert cart.lines[0].quantity == 1
    with pytest.raises(QuantityOutOfRange, match="only one"):
        await db.transact(
            lambda tx: api.set_quantity(tx, holder, variant_id=what.variant_id, quantity=2)
        )


@pytest.mark.parametrize("quantity", [0, -1, 100])
async def test_quantities_out_of_range_change_nothing(db: Database, quantity: int) -> None:
    holder, what = member(), item()
    await put(db, holder, what, 3)
    with pytest.raises(QuantityOutOfRange):
        await put(db, holder, what, quantity)
    with pytest.raises(QuantityOutOfRange):
        await db.transact(
            lambda tx: api.set_quantity(tx, holder, variant_id=what.variant_id, quantity=quantity)
        )
    assert (await read(db, holder)).lines[0].quantity == 3


async def test_the_hundred_and_first_thing_is_refused(db: Database) -> None:
    holder, first = member(), item()
    await put(db, holder, first)
    for _ in range(api.MAX_LINES - 1):
        await put(db, holder, item())
    with pytest.raises(CartFull):
        await put(db, holder, item())
    await put(db, holder, first)
    cart = await read(db, holder)
    assert len(cart.lines) == api.MAX_LINES
    assert cart.lines[0].quantity == 2


async def test_one_cart_one_currency(db: Database) -> None:
    holder, euro = member(), item()
    await put(db, holder, euro)
    with pytest.raises(CurrencyDiffers):
        await put(db, holder, item(currency="USD"))
    await db.transact(lambda tx: api.remove(tx, holder, variant_id=euro.variant_id))
    assert (await put(db, holder, item(currency="USD"))).currency == "USD"


async def test_set_and_remove_reach_only_the_holders_cart(db: Database) -> None:
    mine, theirs, what = member(), guest()[1], item()
    await put(db, mine, what)
    for attempt in (
        lambda tx: api.set_quantity(tx, theirs, variant_id=what.variant_id, quantity=2),
        lambda tx: api.remove(tx, theirs, variant_id=what.variant_id),
    ):
        with pytest.raises(NotFound):
            await db.transact(attempt)
    cart = await db.transact(
        lambda tx: api.set_quantity(tx, mine, variant_id=what.variant_id, quantity=7)
    )
    assert cart == await read(db, mine)
    assert cart.lines[0].quantity == 7
    cart = await db.transact(lambda tx: api.remove(tx, mine, variant_id=what.variant_id))
    assert cart == await read(db, mine)
    assert cart.lines == []


async def test_a_guests_cart_becomes_the_new_members(db: Database) -> None:
    secret, holder = guest()
    what = item()
    await put(db, holder, what, 2)
    user_id = uuid7()
    await db.transact(lambda tx: api.merge_guest(tx, secret, user_id))
    await db.transact(lambda tx: api.merge_guest(tx, secret, user_id))
    assert (await read(db, holder)).lines == []
    lines = (await read(db, Holder(user_id=user_id))).lines
    assert [(line.variant_id, line.quantity) for line in lines] == [(what.variant_id, 2)]


async def test_merging_adds_up_and_caps(db: Database) -> None:
    secret, holder = guest()
    user = member()
    shared, single, mine, theirs = item(), item(kind="digital"), item(), item()
    for cart_holder, what, quantity in (
        (holder, shared, 60),
        (holder, single, 1),
        (holder, theirs, 4),
        (user, shared, 50),
        (user, single, 1),
        (user, mine, 3),
    ):
        await put(db, cart_holder, what, quantity)
    assert user.user_id is not None
    user_id = user.user_id
    await db.transact(lambda tx: api.merge_guest(tx, secret, user_id))
    quantities = {line.variant_id: line.quantity for line in (await read(db, user)).lines}
    assert quantities == {
        shared.variant_id: 99,
        single.variant_id: 1,
        mine.variant_id: 3,
        theirs.variant_id: 4,
    }


async def test_merging_leaves_another_currency_behind(db: Database) -> None:
    secret, holder = guest()
    user_id = uuid7()
    user = Holder(user_id=user_id)
    await put(db, holder, item(currency="USD"))
    kept = item()
    await put(db, user, kept)
    await db.transact(lambda tx: api.merge_guest(tx, secret, user_id))
    cart = await read(db, user)
    assert cart.currency == "EUR"
    assert [line.variant_id for line in cart.lines] == [kept.variant_id]


async def test_merging_into_an_emptied_cart_takes_its_currency(db: Database) -> None:
    secret, holder = guest()
    user_id = uuid7()
    user = Holder(user_id=user_id)
    old = item()
    await put(db, user, old)
    await db.transact(lambda tx: api.remove(tx, user, variant_id=old.variant_id))
    await put(db, holder, item(currency="USD"))
    await db.transact(lambda tx: api.merge_guest(tx, secret, user_id))
    cart = await read(db, user)
    assert (cart.currency, len(cart.lines)) == ("USD", 1)


async def test_merged_lines_stop_at_the_limit(db: Database) -> None:
    full, more = member(), member()
    for _ in range(api.MAX_LINES - 1):
        cart = await put(db, full, item())
    for _ in range(3):
        extra = await put(db, more, item())
    assert len(merged_lines(cart, extra)) == 1


async def test_two_devices_at_log_in_make_one_cart(db: Database) -> None:
    user_id = uuid7()
    secrets = []
    for _ in range(4):
        secret, holder = guest()
        await put(db, holder, item())
        secrets.append(secret)

    async def merge(secret: str) -> None:
        await db.transact(lambda tx: api.merge_guest(tx, secret, user_id))

    await asyncio.gather(*(merge(secret) for secret in secrets for _ in range(2)))
    assert len((await read(db, Holder(user_id=user_id))).lines) == 4


async def test_parallel_puts_lose_nothing(db: Database) -> None:
    holder, what = guest()[1], item()
    others = [item() for _ in range(5)]
    await asyncio.gather(
        *(put(db, holder, what) for _ in range(20)), *(put(db, holder, other) for other in others)
    )
    cart = await read(db, holder)
    quantities = {line.variant_id: line.quantity for line in cart.lines}
    assert quantities[what.variant_id] == 20
    assert len(quantities) == 6
    assert cart.version == 25


async def test_parallel_puts_stop_at_the_limit(db: Database) -> None:
    holder = member()
    for _ in range(api.MAX_LINES - 3):
        await put(db, holder, item())
    answers = await asyncio.gather(
        *(put(db, holder, item()) for _ in range(8)), return_exceptions=True
    )
    full = [answer for answer in answers if isinstance(answer, CartFull)]
    assert len(full) == 5
    assert len((await read(db, holder)).lines) == api.MAX_LINES


async def test_bought_lines_leave_the_cart_once(db: Database) -> None:
    holder, bought, kept = member(), item(), item()
    await put(db, holder, bought)
    cart = await put(db, holder, kept)
    gone = await db.transact(lambda tx: api.remove_lines(tx, cart.id, [bought.variant_id]))
    assert gone == 1
    assert await db.transact(lambda tx: api.remove_lines(tx, cart.id, [bought.variant_id])) == 0
    assert [line.variant_id for line in (await read(db, holder)).lines] == [kept.variant_id]


async def test_putting_in_takes_four_statements_and_reading_one(db: Database) -> None:
    holder = member()
    await put(db, holder, item())
    async with count_statements() as count:
        await put(db, holder, item())
    assert count.total == 4, count.texts
    async with count_statements() as count:
        await read(db, holder)
    assert count.total == 1


async def test_idle_guests_are_forgotten_and_members_are_not(
    db: Database, services: Services, clock: SettableClock
) -> None:
    idle, fresh, user = guest()[1], guest()[1], member()
    await put(db, idle, item())
    await put(db, user, item())
    clock.advance(timedelta(days=commands.GUEST_DAYS, minutes=1))
    await put(db, fresh, item())
    await forget_idle_guests(services)
    assert (await read(db, idle)).lines == []
    assert len((await read(db, user)).lines) == 1
    assert len((await read(db, fresh)).lines) == 1
