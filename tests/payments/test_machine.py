"""Payments and refunds against a model: any order of starts, outcomes, refunds and repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from souk.contexts.payments import api as payments
from souk.contexts.payments.api import GatewayOutcome, OutcomeKind, RefundOutcome, RefundState
from souk.kernel.errors import IllegalTransition
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.payments.conftest import Book

T = TypeVar("T")
AMOUNT = 1_000
RANK = {
    "created": 0, "requires_action": 1, "authorised": 2, "failed": 3, "cancelled": 3, "captured": 4,
}  # fmt: skip
TARGET = {
    OutcomeKind.REQUIRES_ACTION: "requires_action",
    OutcomeKind.AUTHORISED: "authorised",
    OutcomeKind.CAPTURED: "captured",
    OutcomeKind.DECLINED: "failed",
    OutcomeKind.CANCELLED: "cancelled",
}


@dataclass
class Refund:
    view: payments.RefundView
    state: str = "requested"


@dataclass
class Attempt:
    view: payments.PaymentView
    state: str = "created"
    refunds: dict[str, Refund] = field(default_factory=dict[str, Refund])

    @property
    def held(self) -> int:
        return sum(one.view.amount for one in self.refunds.values() if one.state == "requested")

    @property
    def refunded(self) -> int:
        return sum(one.view.amount for one in self.refunds.values() if one.state == "succeeded")

    @property
    def left(self) -> int:
        return (AMOUNT if self.state == "captured" else 0) - self.held - self.refunded


class PaymentMachine(RuleBasedStateMachine):
    """One checkout. `loop` and `book` are set by the test."""

    loop: asyncio.AbstractEventLoop
    book: Book

    def __init__(self) -> None:
        super().__init__()
        self.checkout_id = uuid7()
        self.model: list[Attempt] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @property
    def blocking(self) -> Attempt | None:
        paid = [one for one in self.model if one.state == "captured"]
        live = [one for one in self.model if RANK[one.state] < RANK["failed"]]
        return (paid + live + [None])[0]

    @rule()
    def start(self) -> None:
        view = self.run(self.book.start(checkout_id=self.checkout_id, amount=AMOUNT))
        blocking = self.blocking
        if blocking is None:
            assert view.state == "created"
            assert view.id not in {one.view.id for one in self.model}
            self.model.append(Attempt(view))
        else:
            assert view.id in {
                one.view.id for one in self.model if one.state not in {"failed", "cancelled"}
            }

    @precondition(lambda self: self.model)
    @rule(data=st.data(), kind=st.sampled_from(OutcomeKind))
    def hear(self, data: st.DataObject, kind: OutcomeKind) -> None:
        attempt = data.draw(st.sampled_from(self.model))
        amount = AMOUNT if kind in {OutcomeKind.CAPTURED, OutcomeKind.AUTHORISED} else 0
        outcome = GatewayOutcome(
            kind=kind, gateway_ref=f"pi_{attempt.view.id.hex}", amount=amount, currency="EUR"
        )
        view = self.run(self.book.record(attempt.view, outcome))
        target = TARGET.get(kind)
        if target is not None and RANK[target] > RANK[attempt.state]:
            attempt.state = target
        assert view.state == attempt.state

    @precondition(lambda self: self.model)
    @rule(data=st.data(), amount=st.integers(1, AMOUNT), key=st.sampled_from(["a", "b", "c", "d"]))
    def ask_refund(self, data: st.DataObject, amount: int, key: str) -> None:
        attempt = data.draw(st.sampled_from(self.model))
        known = attempt.refunds.get(key)
        try:
            view = self.run(self.book.refund(attempt.view, amount, key=key))
        except payments.RefundKeyReused:
            assert known is not None
            assert known.view.amount != amount
        except payments.RefundTooLarge:
            assert known is None
            assert amount > attempt.left
        else:
            if known is None:
                assert amount <= attempt.left
                attempt.refunds[key] = Refund(view)
            else:
                assert view.id == known.view.id

    @precondition(lambda self: any(one.refunds for one in self.model))
    @rule(data=st.data(), state=st.sampled_from([None, *RefundState]))
    def hear_of_refund(self, data: st.DataObject, state: RefundState | None) -> None:
        every = [refund for one in self.model for refund in one.refunds.values()]
        refund = data.draw(st.sampled_from(every))
        outcome = RefundOutcome(state=state, gateway_ref=f"re_{refund.view.id.hex}")
        try:
            view = self.run(self.book.record_refund(refund.view, outcome))
        except IllegalTransition:
            assert refund.state != "requested"
            assert state not in {None, refund.state}
        else:
            if refund.state == "requested" and state is not None:
                refund.state = state.value
            assert view.state == refund.state

    @invariant()
    def database_and_model_agree(self) -> None:
        for attempt in self.model:
            view = self.run(self.book.find(attempt.view.id))
            assert view.state == attempt.state
            assert view.captured == (AMOUNT if attempt.state == "captured" else 0)
            assert view.refunded == attempt.refunded
            told = self.run(self.book.events(attempt.view.id))
            captured = told.count("payments.payment_captured.v1")
            assert captured == (1 if attempt.state == "captured" else 0)
            assert told.count("payments.payment_refunded.v1") == sum(
                refund.state == "succeeded" for refund in attempt.refunds.values()
            )


def test_payments_follow_the_model(db_url: str) -> None:
    """In an event loop of its own: hypothesis drives the machine from outside of any loop."""
    loop = asyncio.new_event_loop()
    db = loop.run_until_complete(Database.connect(db_url, size=2))
    try:
        PaymentMachine.loop = loop
        PaymentMachine.book = Book(db)
        run_state_machine_as_test(PaymentMachine)
    finally:
        loop.run_until_complete(db.close())
        loop.close()
