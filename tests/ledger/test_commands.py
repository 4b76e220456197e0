"""The books on a real database: what is written, repeated, refused, folded, released."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger import jobs
from souk.contexts.ledger.api import EntryDraft, Line, account
from souk.kernel.clock import SettableClock
from souk.kernel.errors import NotFound
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database, WriteTx, count_statements
from souk.platform.services import Services
from tests.ledger.factories import (
    ACTOR,
    COMMISSION,
    Sale,
    balance,
    end_holds,
    eur,
    move,
    violations,
)


async def post(db: Database, draft: EntryDraft) -> ledger.EntryRef:
    return await db.transact(lambda tx: ledger.post(tx, ACTOR, draft))


async def events(db: Database, sale: Sale) -> list[tuple[str, object]]:
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT name, payload FROM platform.event WHERE aggregate_id = $1 ORDER BY seq",
            sale.seller_id,
        )
    return [(row["name"], row["payload"]["amount"]) for row in rows]


async def test_a_sale_from_payment_to_payout(db: Database, clock: SettableClock) -> None:
    sale = await Sale(db, gateway=f"g{uuid7()}").capture()
    gateway, escrow = account.gateway(sale.gateway), account.escrow(sale.seller_order_id)
    assert await balance(db, gateway) == 10_000
    assert await balance(db, escrow) == -9_000
    commission_before = await balance(db, account.COMMISSION)
    await sale.release()
    assert await balance(db, escrow) == 0
    assert await balance(db, account.COMMISSION) == commission_before - 800
    assert await sale.balances() == (8_040, 0, 0, 0)
    await end_holds(db)
    assert await sale.balances() == (0, 8_040, 0, 0)
    payout_id = await sale.pay_out(eur("80.40"))
    assert await sale.balances() == (0, 0, 0, 0)
    await post(
        db,
        ledger.draft.payout_paid(payout_id=payout_id, amount=eur("80.40"), rail=gateway, cause="p"),
    )
    assert await balance(db, gateway) == 1_960
    assert await events(db, sale) == [
        ("ledger.earning_recorded.v1", 8_040),
        ("ledger.funds_available.v1", 8_040),
    ]
    assert await violations(db) == []


async def test_booking_costs_one_statement_however_many_entries(db: Database) -> None:
    drafts = [Sale(db).draft() for _ in range(5)]

    async def work(tx: WriteTx) -> list[int]:
        async with count_statements() as count:
            await ledger.post(tx, ACTOR, drafts[0])
            one = count.total
            await ledger.post_many(tx, ACTOR, drafts)
        return [one, count.total - one]

    assert await db.transact(work) == [1, 2]


async def test_the_same_key_is_booked_once(db: Database) -> None:
    sale = Sale(db)
    first = await post(db, sale.draft())
    again = await post(db, sale.draft())
    assert (first.created, again.created, again.id) == (True, False, first.id)
    twice = await db.transact(lambda tx: ledger.post_many(tx, ACTOR, [sale.draft(), sale.draft()]))
    assert [ref.id for ref in twice] == [first.id] * 2
    assert await balance(db, account.escrow(sale.seller_order_id)) == -9_000


async def test_the_same_key_cannot_say_something_else(db: Database) -> None:
    draft = move(account.BANK, account.COMMISSION, eur("1.00"))
    other = move(account.BANK, account.COMMISSION, eur("2.00"), key=draft.key)
    with pytest.raises(ledger.EntryKeyReused):
        await db.transact(lambda tx: ledger.post_many(tx, ACTOR, [draft, other]))
    await post(db, draft)
    with pytest.raises(ledger.EntryKeyReused) as refused:
        await post(db, other)
    assert refused.value.fields == {"key": draft.key}


async def test_the_same_entry_sent_many_times_at_once_is_booked_once(db: Database) -> None:
    sale = Sale(db)
    refs = await asyncio.gather(*(post(db, sale.draft()) for _ in range(10)))
    assert len({ref.id for ref in refs}) == 1
    assert [ref.created for ref in refs].count(True) == 1
    assert await balance(db, account.escrow(sale.seller_order_id)) == -9_000


async def test_an_empty_list_and_an_empty_entry_book_nothing(db: Database) -> None:
    assert await db.transact(lambda tx: ledger.post_many(tx, ACTOR, [])) == []
    ref = await post(db, move(account.BANK, account.COMMISSION, eur("0")))
    async with db.read() as conn:
        assert (await ledger.entry(conn, ref.id)).lines == []


async def test_one_entry_may_touch_an_account_twice(db: Database) -> None:
    seller_id = uuid7()
    draft = EntryDraft(
        f"test:{uuid7()}",
        "test",
        "Three lines.",
        (
            Line(account.available(seller_id), eur("-5.00")),
            Line(account.BANK, eur("3.00")),
            Line(account.available(seller_id), eur("2.00")),
        ),
    )
    await post(db, draft)
    async with db.read() as conn:
        page = await ledger.statement(conn, seller_id)
    assert [(line.amount, line.balance) for line in page.items] == [(-200, 300), (500, 500)]
    assert await violations(db) == []


async def test_a_debt_is_paid_back_out_of_the_next_earning(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    await sale.pay_out(eur("60.00"))
    await sale.refund()
    assert await sale.balances() == (0, 0, 0, 6_000)
    later = await Sale(db, seller_id=sale.seller_id).capture()
    await later.release()
    assert await sale.balances() == (2_040, 0, 0, 0)
    await end_holds(db)
    assert await sale.balances() == (0, 2_040, 0, 0)
    assert await violations(db) == []


async def test_an_earning_smaller_than_the_debt_leaves_nothing_on_hold(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    await sale.pay_out(eur("80.40"))
    await sale.refund()
    await post(db, move(account.receivable(sale.seller_id), account.gateway("g"), eur("9.60")))
    later = await Sale(db, seller_id=sale.seller_id).capture()
    await later.release()
    assert await sale.balances() == (0, 0, 0, 960)
    await end_holds(db)
    assert await sale.balances() == (0, 0, 0, 960)


async def test_a_refund_takes_what_is_pending_and_its_hold_shrinks(db: Database) -> None:
    first = await Sale(db).capture()
    second = await Sale(db, seller_id=first.seller_id).capture()
    await first.release()
    await second.release()
    await first.refund()
    assert await first.balances() == (8_040, 0, 0, 0)
    await end_holds(db)
    assert await first.balances() == (0, 8_040, 0, 0)
    assert await violations(db) == []


async def test_a_refund_is_booked_once(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    refund_id = uuid7()
    first = await sale.refund(refund_id)
    again = await sale.refund(refund_id)
    assert (again.id, again.created) == (first.id, False)
    assert await sale.balances() == (0, 0, 0, 0)


async def test_the_same_refund_sent_many_times_at_once_is_booked_once(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    refund_id = uuid7()
    refs = await asyncio.gather(*(sale.refund(refund_id) for _ in range(8)))
    assert len({ref.id for ref in refs}) == 1
    assert await sale.balances() == (0, 0, 0, 0)


async def test_escrow_is_released_once(db: Database) -> None:
    sale = await Sale(db).capture()
    first = await sale.release()
    again = await sale.release()
    assert (again.id, again.created) == (first.id, False)
    assert await sale.balances() == (8_040, 0, 0, 0)
    await end_holds(db)
    assert await sale.balances() == (0, 8_040, 0, 0)


async def test_a_hold_ends_at_its_time_not_before(
    db: Database, clock: SettableClock, services: Services
) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    other = uuid7()
    await post(db, move(account.BANK, account.pending(sale.seller_id), eur("5.00")))
    for _ in range(2):
        await db.transact(
            lambda tx: ledger.add_hold(
                tx,
                seller_order_id=other,
                seller_id=sale.seller_id,
                amount=eur("5.00"),
                release_at=clock.now() + timedelta(days=3),
                hold_id=other,
            )
        )
    clock.advance(timedelta(days=3, seconds=-1))
    await jobs.release_holds(services)
    assert await sale.balances() == (500, 8_040, 0, 0)
    clock.advance(timedelta(seconds=1))
    await jobs.release_holds(services)
    assert await sale.balances() == (0, 8_540, 0, 0)


async def test_a_payout_never_exceeds_what_is_available(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    with pytest.raises(ledger.BalanceTooLow) as refused:
        await sale.pay_out(eur("1.00"))
    assert refused.value.fields == {"wanted": 100, "available": 0, "currency": "EUR"}
    await end_holds(db)
    wishes = await asyncio.gather(
        *(sale.pay_out(eur("30.00")) for _ in range(5)), return_exceptions=True
    )
    assert [isinstance(wish, ledger.BalanceTooLow) for wish in wishes].count(True) == 3
    assert await sale.balances() == (0, 2_040, 0, 0)


async def test_a_reversal_takes_an_entry_back_once(db: Database) -> None:
    sale = await Sale(db).capture()
    ref = await post(db, sale.draft())

    async def back() -> ledger.EntryRef:
        return await db.transact(
            lambda tx: ledger.reverse(tx, ACTOR, entry_id=ref.id, why="a mistake", cause="m")
        )

    first = await back()
    assert (await back()).id == first.id
    assert await balance(db, account.escrow(sale.seller_order_id)) == 0
    async with db.read() as conn:
        assert (await ledger.entry(conn, ref.id)).reversed_by == first.id
        assert (await ledger.entry(conn, first.id)).entry.reverses == ref.id
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: ledger.reverse(tx, ACTOR, entry_id=uuid7(), why="w", cause="m")
        )


async def test_folding_changes_no_balance(db: Database, services: Services) -> None:
    gateway = account.gateway(f"g{uuid7()}")
    for _ in range(3):
        await post(db, move(gateway, account.COMMISSION, eur("1.50")))

    async def stored() -> int:
        async with db.read() as conn:
            return await conn.fetchval(
                "SELECT balance FROM ledger.account WHERE code = $1", gateway.code
            )

    assert (await stored(), await balance(db, gateway)) == (0, 450)
    await jobs.fold_hot_accounts(services)
    assert (await stored(), await balance(db, gateway)) == (450, 450)
    await jobs.fold_hot_accounts(services)
    assert await stored() == 450
    assert await violations(db) == []


async def test_hot_accounts_never_make_a_sale_wait(db: Database, services: Services) -> None:
    gateway = f"g{uuid7()}"
    await Sale(db, gateway=gateway).capture()
    await jobs.fold_hot_accounts(services)
    inside = asyncio.Event()
    others_done = asyncio.Event()

    async def slow(tx: WriteTx) -> None:
        await ledger.post(tx, ACTOR, Sale(db, gateway=gateway).draft())
        inside.set()
        await asyncio.wait_for(others_done.wait(), timeout=10)

    async def others() -> None:
        await inside.wait()
        await asyncio.gather(*(Sale(db, gateway=gateway).capture() for _ in range(50)))
        others_done.set()

    await asyncio.gather(db.transact(slow), others())
    assert await balance(db, account.gateway(gateway)) == 52 * 10_000
    assert await violations(db) == []


async def test_a_fold_beside_a_sale_waits_for_nothing(db: Database, services: Services) -> None:
    gateway = f"g{uuid7()}"
    await Sale(db, gateway=gateway).capture()

    async def slow(tx: WriteTx) -> None:
        await ledger.post(tx, ACTOR, Sale(db, gateway=gateway).draft())
        await asyncio.wait_for(jobs.fold_hot_accounts(services), timeout=10)

    await db.transact(slow)
    assert await balance(db, account.gateway(gateway)) == 20_000
    assert await violations(db) == []


async def test_crossing_transfers_between_sellers_all_arrive(db: Database) -> None:
    one, two = account.available(uuid7()), account.available(uuid7())
    await post(db, move(account.BANK, one, eur("100.00")))
    await post(db, move(account.BANK, two, eur("100.00")))
    await asyncio.gather(
        *(
            post(db, move(*((one, two) if turn % 2 else (two, one)), eur("1.00")))
            for turn in range(60)
        )
    )
    assert (await balance(db, one), await balance(db, two)) == (-10_000, -10_000)
    assert await violations(db) == []


async def test_an_earning_and_a_payout_take_their_locks_in_one_order(db: Database) -> None:
    """Both wait for the account that comes first, and neither holds what the other wants."""
    seller_id = next(
        one
        for one in iter(uuid7, None)
        if account.available(one).id_in("EUR") < account.pending(one).id_in("EUR")
    )
    first, second = Sale(db, seller_id=seller_id), Sale(db, seller_id=seller_id)
    await (await first.capture()).release()
    await end_holds(db)
    await second.capture()
    begun: list[str] = []
    held, go = asyncio.Event(), asyncio.Event()

    async def hold(tx: WriteTx) -> None:
        await tx.execute(
            "SELECT FROM ledger.account WHERE id = $1 FOR UPDATE",
            account.available(seller_id).id_in("EUR"),
        )
        held.set()
        await go.wait()

    async def pay_out(tx: WriteTx) -> None:
        begun.append("payout")
        await ledger.request_payout(
            tx, ACTOR, payout_id=uuid7(), seller_id=seller_id, amount=eur("1.00"), cause="payout"
        )

    async def earn(tx: WriteTx) -> None:
        begun.append("earning")
        await ledger.release_escrow(
            tx,
            ACTOR,
            seller_order_id=second.seller_order_id,
            seller_id=seller_id,
            order_number="7KQM-42XD",
            amount=eur("90.00"),
            commission=COMMISSION,
            release_at=tx.clock.now(),
            cause="order:1",
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(db.transact(hold))
        await held.wait()
        group.create_task(db.transact(pay_out))
        await asyncio.sleep(0.2)
        group.create_task(db.transact(earn))
        await asyncio.sleep(0.2)
        go.set()
    # A deadlock would have had one of them begin anew.
    assert begun == ["payout", "earning"]
    assert await violations(db) == []


async def test_currencies_are_kept_apart(db: Database) -> None:
    seller_id = uuid7()
    await post(db, move(account.BANK, account.available(seller_id), eur("1.00")))
    await post(db, move(account.BANK, account.available(seller_id), Money(700, "USD")))
    async with db.read() as conn:
        found = await ledger.balances(conn, seller_id)
    assert [(row.currency, row.available) for row in found] == [("EUR", 100), ("USD", 700)]


async def test_locked_balances_are_zero_for_a_new_seller(db: Database) -> None:
    found = await db.transact(
        lambda tx: ledger.lock_balances(tx, seller_id=uuid7(), currency="EUR")
    )
    assert found == ledger.SellerBalances(*[eur("0")] * 4)


class TestTheDatabaseRefuses:
    """What no bug in the program can do to the books."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger.entry SET text = 'x'",
            "DELETE FROM ledger.entry",
            "TRUNCATE ledger.entry CASCADE",
            "UPDATE ledger.posting SET amount = amount + 1",
            "DELETE FROM ledger.posting",
            "TRUNCATE ledger.posting",
        ],
    )
    async def test_changes(self, db: Database, statement: str) -> None:
        await Sale(db).capture()
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.transact(lambda tx: tx.execute(statement))

    async def _add(self, db: Database, currency: str, amounts: list[int]) -> None:
        ref = await post(db, move(account.BANK, account.COMMISSION, eur("1.00")))

        async def work(tx: WriteTx) -> None:
            for index, amount in enumerate(amounts):
                await tx.execute(
                    "INSERT INTO ledger.posting"
                    " (entry_id, position, account_id, currency, amount)"
                    " VALUES ($1, $2, $3, $4, $5)",
                    ref.id,
                    10 + index,
                    account.BANK.id_in("EUR"),
                    currency,
                    amount,
                )

        await db.transact(work)

    async def test_an_unbalanced_entry(self, db: Database) -> None:
        with pytest.raises(asyncpg.CheckViolationError, match="out of balance by 1 EUR"):
            await self._add(db, "EUR", [1])
        with pytest.raises(asyncpg.CheckViolationError, match="out of balance by -1 EUR"):
            await self._add(db, "EUR", [5, -6])

    async def test_an_account_of_another_currency(self, db: Database) -> None:
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await self._add(db, "USD", [5, -5])

    async def test_a_line_of_nothing(self, db: Database) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await self._add(db, "EUR", [0])

    async def test_an_overdrawn_account(self, db: Database) -> None:
        sale = await Sale(db).capture()
        escrow = account.escrow(sale.seller_order_id)
        with pytest.raises(asyncpg.CheckViolationError, match="overdrawn by 1"):
            await post(db, move(escrow, account.BANK, eur("90.01")))
        with pytest.raises(asyncpg.CheckViolationError, match="overdrawn"):
            await post(db, move(account.available(uuid7()), account.BANK, eur("0.01")))
        with pytest.raises(asyncpg.CheckViolationError, match="overdrawn"):
            await post(db, move(account.BANK, account.receivable(uuid7()), eur("0.01")))
        await post(db, move(escrow, account.BANK, eur("90.00")))

    async def test_an_entry_reversed_twice(self, db: Database) -> None:
        ref = await post(db, move(account.BANK, account.COMMISSION, eur("1.00")))
        for key, fails in ((f"a:{uuid7()}", False), (f"b:{uuid7()}", True)):
            lines = move(account.COMMISSION, account.BANK, eur("1.00")).lines
            draft = EntryDraft(key, "test", "Back.", lines, reverses=ref.id)
            if fails:
                with pytest.raises(asyncpg.UniqueViolationError):
                    await post(db, draft)
            else:
                await post(db, draft)


async def test_verify_finds_tampering(db: Database) -> None:
    sale = await Sale(db).capture()
    escrow = account.escrow(sale.seller_order_id).code

    async def after(tx: WriteTx, amount: int) -> list[str]:
        await tx.execute(
            "UPDATE ledger.account SET balance = balance + $2 WHERE code = $1", escrow, amount
        )
        return [row.invariant for row in await ledger.violations(tx) if row.subject == escrow]

    assert await db.transact(lambda tx: after(tx, 5)) == ["ledger.balance"]
    assert await db.transact(lambda tx: after(tx, -5)) == []

    async def disarmed(tx: WriteTx) -> list[str]:
        await tx.execute("ALTER TABLE ledger.account DISABLE TRIGGER never_overdrawn")
        found = await after(tx, 9_001)
        await after(tx, -9_001)
        await tx.execute("ALTER TABLE ledger.account ENABLE TRIGGER never_overdrawn")
        return found

    assert await db.transact(disarmed) == ["ledger.balance", "ledger.overdrawn"]

    async def spoil_a_line(tx: WriteTx) -> list[tuple[str, str]]:
        await tx.execute("ALTER TABLE ledger.posting DISABLE TRIGGER append_only")
        change = "UPDATE ledger.posting SET amount = amount + $2 WHERE account_id = $1"
        escrow_id = account.escrow(sale.seller_order_id).id_in("EUR")
        await tx.execute(change, escrow_id, 7)
        found = [(row.invariant, row.detail) for row in await ledger.violations(tx)]
        await tx.execute(change, escrow_id, -7)
        await tx.execute("ALTER TABLE ledger.posting ENABLE TRIGGER append_only")
        return found

    found = await db.transact(spoil_a_line)
    assert [invariant for invariant, _ in found] == [
        "ledger.balance",
        "ledger.running_balance",
        "ledger.unbalanced",
        "ledger.edited",
    ]
    assert found[2][1] == "the postings sum to 7 EUR"
    assert await violations(db) == []
