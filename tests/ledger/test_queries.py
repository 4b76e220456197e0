"""Statements, searches, trial balances and commission quotes from a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger.api import CommissionBase, CommissionRule, Scope, account
from souk.kernel.clock import SettableClock
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.kernel.page import BadCursor
from souk.platform.database import Database, WriteTx, count_statements
from tests.ledger.factories import ACTOR, Sale, end_holds, eur, move


async def test_a_statement_shows_every_change_with_its_sentence_and_balance(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    await sale.pay_out(eur("60.00"))
    await sale.refund()
    async with db.read() as conn:
        page = await ledger.statement(conn, sale.seller_id)
    assert [(line.bucket, line.amount, line.balance) for line in page.items] == [
        ("receivable", -6_000, -6_000),
        ("available", -2_040, 0),
        ("available", -6_000, 2_040),
        ("available", 8_040, 8_040),
        ("pending", -8_040, 0),
        ("pending", 8_040, 8_040),
    ]
    assert page.items[-1].text.startswith("Order 7KQM-42XD is complete: 80.40 EUR earned")
    assert page.items[2].text == "A payout of 60.00 EUR was requested."
    assert page.next_cursor is None


async def test_a_statement_in_pages_is_the_same_statement(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    await sale.pay_out(eur("60.00"))
    seen: list[int] = []
    cursor = None
    async with db.read() as conn:
        whole = await ledger.statement(conn, sale.seller_id)
        while True:
            page = await ledger.statement(conn, sale.seller_id, cursor=cursor, limit=1)
            seen += [line.id for line in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(BadCursor):
            await ledger.statement(conn, sale.seller_id, cursor="WyJhIl0")
    assert seen == [line.id for line in whole.items]
    assert len(seen) == 4


async def test_entries_are_found_by_cause_key_words_and_account(db: Database) -> None:
    sale = await Sale(db).capture()
    draft = replace(sale.draft(), key=f"k:{uuid7()}", cause=f"c:{uuid7()}", text="A rare Bird.")
    ref = await db.transact(
        lambda tx: ledger.post(
            tx, ACTOR, replace(draft, lines=move(account.BANK, account.PROMOTIONS, eur("1")).lines)
        )
    )
    async with db.read() as conn:
        for search in (draft.key, draft.cause, "rare bird"):
            page = await ledger.entries(conn, search=search)
            assert [entry.id for entry in page.items] == [ref.id]
        escrow = account.escrow(sale.seller_order_id).code
        page = await ledger.entries(conn, account=escrow)
        assert [entry.key for entry in page.items] == [f"captured:{sale.payment_id}"]
        detail = await ledger.entry(conn, page.items[0].id)
        assert [(line.account, line.debit, line.credit) for line in detail.lines] == [
            ("gateway:sandbox", 10_000, 0),
            (escrow, 0, 9_000),
            ("tax:DE", 0, 1_000),
        ]
        assert (detail.entry.actor, detail.reversed_by) == ("system:test", None)
        with pytest.raises(NotFound):
            await ledger.entry(conn, uuid7())
        first = await ledger.entries(conn, limit=1)
        second = await ledger.entries(conn, limit=1, cursor=first.next_cursor)
        assert first.items[0].id > second.items[0].id
        with pytest.raises(BadCursor):
            await ledger.entries(conn, cursor="WyJhIl0")


async def test_accounts_by_prefix_in_pages(db: Database) -> None:
    sale = await Sale(db).capture()
    await sale.release()
    await end_holds(db)
    prefix = f"seller:{sale.seller_id}:"
    async with db.read() as conn:
        page = await ledger.accounts(conn, prefix=prefix, limit=1)
        rest = await ledger.accounts(conn, prefix=prefix, cursor=page.next_cursor)
    assert [(row.code, row.balance) for row in page.items + rest.items] == [
        (f"{prefix}available", -8_040),
        (f"{prefix}pending", 0),
    ]
    assert rest.next_cursor is None


async def test_the_trial_balance_is_in_balance_now_and_then(
    db: Database, clock: SettableClock
) -> None:
    gateway = f"g{uuid7()}"
    await Sale(db, gateway=gateway).capture()
    then = clock.now()
    clock.advance(timedelta(hours=1))
    await Sale(db, gateway=gateway).capture()
    async with db.read() as conn:
        now = await ledger.trial_balance(conn)
        before = await ledger.trial_balance(conn, as_of=then)
        long_ago = await ledger.trial_balance(conn, as_of=then - timedelta(days=9_000))
    for rows, amount in ((now, 20_000), (before, 10_000)):
        assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
        (row,) = (row for row in rows if row.code == f"gateway:{gateway}")
        assert (row.debit, row.credit, row.kind, row.currency) == (amount, 0, "asset", "EUR")
    assert long_ago == []


async def test_quotes_take_one_statement_and_keep_the_order(db: Database) -> None:
    special, plain, category = uuid7(), uuid7(), uuid7()
    rule = CommissionRule(
        uuid7(), Scope.SELLER, 500, db.clock.now(), seller_id=special, tax_bp=2_000
    )
    other = CommissionRule(
        uuid7(), Scope.CATEGORY, 0, db.clock.now(), category_id=category, fixed=99, currency="EUR"
    )

    async def work(tx: WriteTx) -> None:
        await ledger.add_commission_rule(tx, ACTOR, rule)
        await ledger.add_commission_rule(tx, ACTOR, other)

    await db.transact(work)
    bases = [
        CommissionBase(uuid7(), seller, "standard", categories, "goods", eur("80.00"))
        for seller, categories in ((plain, ()), (special, (category,)), (plain, (category,)))
    ]
    async with db.read() as conn, count_statements() as count:
        quotes = await ledger.quote_commissions(conn, bases)
    assert count.total == 1
    assert [(q.line_id, q.amount, q.tax) for q in quotes] == [
        (bases[0].line_id, eur("8.00"), eur("0")),
        (bases[1].line_id, eur("4.00"), eur("0.80")),
        (bases[2].line_id, eur("0.99"), eur("0")),
    ]
    async with db.read() as conn:
        rules = await ledger.commission_rules(conn)
        audited = await conn.fetchval(
            "SELECT action FROM platform.audit WHERE subject = $1", f"commission_rule:{rule.id}"
        )
    assert {found.id for found in rules} >= {rule.id, other.id}
    assert next(found for found in rules if found.id == other.id) == other
    assert audited == "ledger.commission_rule_added"


async def test_a_future_rule_waits(db: Database, clock: SettableClock) -> None:
    seller_id = uuid7()
    rule = CommissionRule(
        uuid7(), Scope.SELLER, 0, clock.now() + timedelta(days=1), seller_id=seller_id
    )
    await db.transact(lambda tx: ledger.add_commission_rule(tx, ACTOR, rule))
    base = CommissionBase(uuid7(), seller_id, "standard", (), "goods", eur("10.00"))

    async def rate() -> int:
        async with db.read() as conn:
            return (await ledger.quote_commissions(conn, [base]))[0].rate_bp

    assert await rate() == 1_000
    clock.advance(timedelta(days=1))
    assert await rate() == 0


async def test_a_contradictory_rule_is_not_stored(db: Database) -> None:
    rule = CommissionRule(uuid7(), Scope.SELLER, 0, db.clock.now())
    with pytest.raises(InvalidInput):
        await db.transact(lambda tx: ledger.add_commission_rule(tx, ACTOR, rule))
