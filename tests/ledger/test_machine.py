"""Random sequences of money movements on PostgreSQL, compared with a model after every step."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger.api import CommissionShare, OrderShare, account
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database, WriteTx
from tests.ledger.factories import ACTOR, violations

DAY = timedelta(days=1)
HOLD = 3 * DAY
sellers = st.integers(0, 1)
amounts = st.integers(1, 5_000)
Parts = dict[str, int]


class Order:
    """A captured seller order: what is in escrow, and what commission will take of it."""

    def __init__(self, seller: int, escrow: int, tax: int) -> None:
        self.id = uuid7()
        self.seller = seller
        self.escrow = escrow
        self.tax = tax
        self.commission = escrow // 10
        self.commission_tax = self.commission // 5
        self.state = "captured"

    @property
    def earned(self) -> int:
        return self.escrow - self.commission - self.commission_tax


class LedgerMachine(RuleBasedStateMachine):
    """Two sellers, one gateway; the model holds every balance in plain integers."""

    runner: asyncio.Runner
    db: Database
    clock: SettableClock

    def __init__(self) -> None:
        super().__init__()
        self.gateway = f"g{uuid7()}"
        self.in_gateway = 0
        self.ids = [uuid7(), uuid7()]
        self.parts: list[Parts] = [self._empty(), self._empty()]
        self.orders: list[Order] = []
        self.holds: list[tuple[int, int, timedelta]] = []
        self.payouts: list[tuple[UUID, int, int]] = []
        self.now = timedelta()

    @staticmethod
    def _empty() -> Parts:
        return {"pending": 0, "available": 0, "receivable": 0}

    def _run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(call)

    def _pick(self, state: str, choice: int) -> Order | None:
        fitting = [order for order in self.orders if order.state == state]
        return fitting[choice % len(fitting)] if fitting else None

    @rule(seller=sellers, escrow=amounts, tax=st.integers(0, 500), times=st.integers(1, 2))
    def capture(self, seller: int, escrow: int, tax: int, times: int) -> None:
        order = Order(seller, escrow, tax)
        draft = ledger.draft.captured(
            payment_id=order.id,
            gateway=self.gateway,
            order_number="N",
            currency="EUR",
            shares=[OrderShare(order.id, Money(escrow, "EUR"), {"DE": Money(tax, "EUR")})],
            cause="test",
        )
        for _ in range(times):
            self._run(self.db.transact(lambda tx: ledger.post(tx, ACTOR, draft)))
        self.orders.append(order)
        self.in_gateway += escrow + tax

    @rule(choice=st.integers(0, 9), times=st.integers(1, 2))
    def release(self, choice: int, times: int) -> None:
        order = self._pick("captured", choice)
        if order is None:
            return
        for _ in range(times):
            self._run(self.db.transact(lambda tx: self._release(tx, order)))
        order.state = "released"
        parts = self.parts[order.seller]
        paid_back = min(order.earned, parts["receivable"])
        parts["receivable"] -= paid_back
        parts["pending"] += order.earned - paid_back
        if order.earned > paid_back:
            self.holds.append((order.seller, order.earned - paid_back, self.now + HOLD))

    async def _release(self, tx: WriteTx, order: Order) -> None:
        await ledger.release_escrow(
            tx,
            ACTOR,
            seller_order_id=order.id,
            seller_id=self.ids[order.seller],
            order_number="N",
            amount=Money(order.escrow, "EUR"),
            commission=self._commission(order),
            release_at=self.clock.now() + HOLD,
            cause="test",
        )

    @staticmethod
    def _commission(order: Order) -> CommissionShare:
        return CommissionShare(
            Money(order.commission, "EUR"), Money(order.commission_tax, "EUR"), "DE"
        )

    @rule(choice=st.integers(0, 9))
    def refund_before(self, choice: int) -> None:
        order = self._pick("captured", choice)
        if order is None:
            return
        share = OrderShare(order.id, Money(order.escrow, "EUR"), {"DE": Money(order.tax, "EUR")})
        draft = ledger.draft.refund_before_release(
            refund_id=uuid7(),
            gateway=self.gateway,
            order_number="N",
            currency="EUR",
            shares=[share],
            cause="test",
        )
        self._run(self.db.transact(lambda tx: ledger.post(tx, ACTOR, draft)))
        order.state = "refunded"
        self.in_gateway -= order.escrow + order.tax

    @rule(choice=st.integers(0, 9), times=st.integers(1, 2))
    def refund_after(self, choice: int, times: int) -> None:
        order = self._pick("released", choice)
        if order is None:
            return
        refund_id = uuid7()

        async def refund(tx: WriteTx) -> None:
            await ledger.refund_released(
                tx,
                ACTOR,
                refund_id=refund_id,
                gateway=self.gateway,
                order_number="N",
                seller_id=self.ids[order.seller],
                amount=Money(order.escrow + order.tax, "EUR"),
                tax={"DE": Money(order.tax, "EUR")},
                commission=self._commission(order),
                cause="test",
            )

        for _ in range(times):
            self._run(self.db.transact(refund))
        order.state = "refunded"
        self.in_gateway -= order.escrow + order.tax
        parts, owed = self.parts[order.seller], order.earned
        for part in ("available", "pending"):
            taken = min(owed, parts[part])
            parts[part] -= taken
            owed -= taken
        parts["receivable"] += owed

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.clock.advance(DAY * days)
        self.now += DAY * days

    @rule()
    def end_holds(self) -> None:
        self._run(self.db.transact(lambda tx: ledger.release_due(tx, self.clock.now(), 1_000)))
        for hold in sorted(self.holds, key=lambda hold: hold[2]):
            seller, amount, until = hold
            if until > self.now:
                continue
            self.holds.remove(hold)
            moved = min(amount, self.parts[seller]["pending"])
            self.parts[seller]["pending"] -= moved
            self.parts[seller]["available"] += moved

    @rule(seller=sellers, amount=amounts)
    def request_payout(self, seller: int, amount: int) -> None:
        payout_id = uuid7()

        async def request(tx: WriteTx) -> None:
            await ledger.request_payout(
                tx,
                ACTOR,
                payout_id=payout_id,
                seller_id=self.ids[seller],
                amount=Money(amount, "EUR"),
                cause="test",
            )

        if amount > self.parts[seller]["available"]:
            with pytest.raises(ledger.BalanceTooLow) as refused:
                self._run(self.db.transact(request))
            assert refused.value.fields["available"] == self.parts[seller]["available"]
            return
        self._run(self.db.transact(request))
        self.parts[seller]["available"] -= amount
        self.payouts.append((payout_id, seller, amount))

    @rule(paid=st.booleans())
    def finish_payout(self, paid: bool) -> None:
        if not self.payouts:
            return
        payout_id, seller, amount = self.payouts.pop()
        money = Money(amount, "EUR")
        if paid:
            rail = account.gateway(self.gateway)
            draft = ledger.draft.payout_paid(
                payout_id=payout_id, amount=money, rail=rail, cause="test"
            )
            self.in_gateway -= amount
        else:
            draft = ledger.draft.payout_failed(
                payout_id=payout_id, seller_id=self.ids[seller], amount=money, cause="test"
            )
            self.parts[seller]["available"] += amount
        self._run(self.db.transact(lambda tx: ledger.post(tx, ACTOR, draft)))

    @rule()
    def fold(self) -> None:
        self._run(self.db.transact(ledger.fold))

    @invariant()
    def balances_agree(self) -> None:
        async def seen() -> tuple[list[Parts], int]:
            found: list[Parts] = []
            async with self.db.read() as conn:
                for seller_id in self.ids:
                    parts = self._empty()
                    for row in await ledger.balances(conn, seller_id):
                        parts = {
                            "pending": row.pending,
                            "available": row.available,
                            "receivable": row.receivable,
                        }
                    found.append(parts)
                gateway = account.gateway(self.gateway).code
                return found, await ledger.balance_of(conn, gateway, "EUR")

        assert self._run(seen()) == (self.parts, self.in_gateway)

    def teardown(self) -> None:
        assert self._run(violations(self.db)) == []
        for part in self.parts:
            assert min(part.values()) >= 0


def test_random_sequences_agree_with_the_model(db_url: str, clock: SettableClock) -> None:
    with asyncio.Runner() as runner:
        LedgerMachine.runner = runner
        LedgerMachine.clock = clock
        LedgerMachine.db = runner.run(Database.connect(db_url, size=2, clock=clock))
        try:
            run_state_machine_as_test(LedgerMachine)
        finally:
            runner.run(LedgerMachine.db.close())
