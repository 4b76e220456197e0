"""Random sequences of commands on PostgreSQL, compared with a model after every step."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from souk.contexts.inventory import api as inventory
from souk.contexts.inventory.api import Reason
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.inventory.factories import ACTOR, Shop, broken, consume, release, reserve

VARIANTS = 3
HOLD = timedelta(minutes=10)
variants = st.integers(0, VARIANTS - 1)
checkouts = st.integers(0, 3)
lines = st.lists(st.tuples(variants, st.integers(1, 4)), min_size=1, max_size=4)


class Model:
    """What the stock should be, in plain dictionaries."""

    def __init__(self) -> None:
        self.on_hand = [6, 3, 0]
        self.held: dict[int, tuple[dict[int, int], timedelta]] = {}
        self.now = timedelta()

    def reserved(self, variant: int, *, but: int | None = None) -> int:
        return sum(held.get(variant, 0) for number, (held, _) in self.held.items() if number != but)

    def good(self, checkout: int) -> bool:
        return checkout in self.held and self.held[checkout][1] > self.now


class StockMachine(RuleBasedStateMachine):
    """`bind` gives it a database and a loop; each example works on a shop of its own."""

    runner: asyncio.Runner
    db: Database
    clock: SettableClock

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.shop = Shop(self.db, *self.model.on_hand)
        self.ids = [uuid7() for _ in range(4)]
        self.runner.run(self.shop.open())

    def _id(self, variant: int) -> UUID:
        return self.shop.variants[variant]

    @rule(checkout=checkouts, wanted=lines)
    def reserve(self, checkout: int, wanted: list[tuple[int, int]]) -> None:
        totals: dict[int, int] = {}
        for variant, quantity in wanted:
            totals[variant] = totals.get(variant, 0) + quantity
        short = {
            (self._id(variant), quantity, self._left(variant, checkout))
            for variant, quantity in totals.items()
            if quantity > self._left(variant, checkout)
        }
        call = reserve(
            self.db, self.ids[checkout], *((self._id(v), q) for v, q in wanted), hold=HOLD
        )
        if short:
            with pytest.raises(inventory.SoldOut) as refused:
                self.runner.run(call)
            shortages = refused.value.shortages
            assert {(s.variant_id, s.wanted, s.left) for s in shortages} == short
            return
        self.runner.run(call)
        self.model.held[checkout] = (totals, self.model.now + HOLD)

    def _left(self, variant: int, checkout: int) -> int:
        return self.model.on_hand[variant] - self.model.reserved(variant, but=checkout)

    @rule(checkout=checkouts)
    def consume(self, checkout: int) -> None:
        good = self.model.good(checkout)
        try:
            self.runner.run(consume(self.db, self.ids[checkout]))
        except inventory.ReservationGone:
            assert not good
            return
        assert good
        for variant, quantity in self.model.held.pop(checkout)[0].items():
            self.model.on_hand[variant] -= quantity

    @rule(checkout=checkouts)
    def release(self, checkout: int) -> None:
        self.runner.run(release(self.db, self.ids[checkout]))
        self.model.held.pop(checkout, None)

    @rule(checkout=checkouts)
    def extend(self, checkout: int) -> None:
        until = self.db.clock.now() + HOLD
        held = checkout in self.model.held
        try:
            self.runner.run(
                self.db.transact(lambda tx: inventory.extend(tx, self.ids[checkout], until))
            )
        except inventory.ReservationGone:
            assert not held
            return
        assert held
        self.model.held[checkout] = (self.model.held[checkout][0], self.model.now + HOLD)

    @rule(variant=variants, delta=st.integers(-4, 4))
    def adjust(self, variant: int, delta: int) -> None:
        wanted = self.model.on_hand[variant] + delta
        try:
            assert self.runner.run(self.shop.adjust(variant, delta=delta)) == wanted
        except inventory.StockTooLow:
            assert wanted < self.model.reserved(variant)
            return
        assert wanted >= self.model.reserved(variant)
        self.model.on_hand[variant] = wanted

    @rule(back=lines)
    def put_back(self, back: list[tuple[int, int]]) -> None:
        mapped = [(self._id(variant), quantity) for variant, quantity in back]
        self.runner.run(
            self.db.transact(
                lambda tx: inventory.put_back(
                    tx, ACTOR, lines=mapped, reference="R", reason=Reason.RETURN
                )
            )
        )
        for variant, quantity in back:
            self.model.on_hand[variant] += quantity

    @rule(minutes=st.integers(1, 6))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        self.model.now += timedelta(minutes=minutes)

    @precondition(lambda self: bool(self.model.held))
    @rule()
    def expire(self) -> None:
        due = {self.ids[number] for number in list(self.model.held) if not self.model.good(number)}

        async def past_hold() -> list[UUID]:
            async with self.db.read() as conn:
                return await inventory.checkouts_past_hold(conn, limit=1_000)

        over = [one for one in self.runner.run(past_hold()) if one in self.ids]
        assert due == set(over)
        self.runner.run(self.db.transact(lambda tx: inventory.release_all(tx, over)))
        self.model.held = {n: h for n, h in self.model.held.items() if self.model.good(n)}

    @invariant()
    def numbers_agree(self) -> None:
        async def seen() -> dict[UUID, inventory.Availability]:
            async with self.db.read() as conn:
                return await inventory.availability(conn, self.shop.variants)

        found = self.runner.run(seen())
        for variant in range(VARIANTS):
            stock = found[self._id(variant)]
            assert stock.on_hand == self.model.on_hand[variant]
            assert stock.reserved == self.model.reserved(variant)

    def teardown(self) -> None:
        for checkout in self.ids:
            self.runner.run(release(self.db, checkout))
        ours = {str(variant) for variant in self.shop.variants}
        assert not [row for row in self.runner.run(broken(self.db)) if row.subject in ours]


def test_random_sequences_agree_with_the_model(db_url: str, clock: SettableClock) -> None:
    with asyncio.Runner() as runner:
        StockMachine.runner = runner
        StockMachine.clock = clock
        StockMachine.db = runner.run(Database.connect(db_url, size=2, clock=clock))
        try:
            run_state_machine_as_test(StockMachine)
        finally:
            runner.run(StockMachine.db.close())
