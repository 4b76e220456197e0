"""The state machine: news only leads upwards."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.payments.domain import (
    GatewayOutcome,
    OutcomeKind,
    Payment,
    PaymentState,
    RefundState,
    apply,
    covers,
    decline_message,
    display_state,
    refund_step,
)
from souk.contexts.payments.errors import AmountMismatch, ForeignOutcome
from souk.kernel.errors import IllegalTransition
from souk.kernel.ids import uuid7


def payment(**changes: object) -> Payment:
    made = Payment(
        id=uuid7(), checkout_id=uuid7(), gateway="sandbox", amount=100, currency="EUR",
        state=PaymentState.CREATED, holds_checkout=True, method_token="pm", return_url="http://x",
        gateway_ref=None, action_url=None, decline_code=None, method_label=None, captured=0,
        refunded=0, refund_held=0, created_at=datetime(2026, 1, 5, tzinfo=UTC),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def outcome(kind: OutcomeKind) -> GatewayOutcome:
    amount = 100 if kind in {OutcomeKind.CAPTURED, OutcomeKind.AUTHORISED} else 0
    return GatewayOutcome(kind=kind, gateway_ref="pi_1", amount=amount, currency="EUR")


RANK = {
    PaymentState.CREATED: 0, PaymentState.REQUIRES_ACTION: 1, PaymentState.AUTHORISED: 2,
    PaymentState.FAILED: 3, PaymentState.CANCELLED: 3, PaymentState.CAPTURED: 4,
}  # fmt: skip


@given(st.lists(st.sampled_from(OutcomeKind), max_size=12))
def test_no_order_of_news_leads_backwards(kinds: list[OutcomeKind]) -> None:
    current = payment()
    for kind in kinds:
        after = apply(current, outcome(kind))
        assert RANK[after.state] >= RANK[current.state]
        assert apply(after, outcome(kind)) is after
        assert after.captured == (100 if after.state == PaymentState.CAPTURED else 0)
        current = after
    if OutcomeKind.CAPTURED in kinds:
        assert current.state == PaymentState.CAPTURED


def test_every_order_of_the_usual_news_ends_captured() -> None:
    kinds = [OutcomeKind.REQUIRES_ACTION, OutcomeKind.PENDING, OutcomeKind.AUTHORISED,
             OutcomeKind.CAPTURED]  # fmt: skip
    for order in permutations(kinds):
        current = payment()
        for kind in order:
            current = apply(current, outcome(kind))
        assert (current.state, current.gateway_ref) == (PaymentState.CAPTURED, "pi_1")


def test_an_ended_payment_lets_the_checkout_go_and_a_late_capture_is_still_told() -> None:
    failed = apply(payment(), outcome(OutcomeKind.DECLINED))
    assert (failed.state, failed.holds_checkout) == (PaymentState.FAILED, False)
    late = apply(failed, outcome(OutcomeKind.CAPTURED))
    assert (late.state, late.holds_checkout, late.captured) == (PaymentState.CAPTURED, False, 100)


@pytest.mark.parametrize("wrong", [{"amount": 99}, {"amount": 101}, {"currency": "USD"}], ids=str)
def test_another_amount_is_not_accepted(wrong: dict[str, object]) -> None:
    said = msgspec.structs.replace(outcome(OutcomeKind.CAPTURED), **wrong)
    with pytest.raises(AmountMismatch):
        apply(payment(), said)


def test_another_payments_outcome_is_not_accepted() -> None:
    with pytest.raises(ForeignOutcome):
        apply(payment(gateway_ref="pi_2"), outcome(OutcomeKind.CAPTURED))


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_covers_names_exactly_the_states_in_which_news_changes_no_state(
    kind: OutcomeKind,
) -> None:
    covered = covers(kind)
    for state in PaymentState:
        captured = 100 if state == PaymentState.CAPTURED else 0
        before = payment(state=state, captured=captured, gateway_ref="pi_1")
        assert (apply(before, outcome(kind)).state == state) == (state in covered)


def test_refund_ends_are_final() -> None:
    assert refund_step(RefundState.REQUESTED, RefundState.SUCCEEDED)
    assert not refund_step(RefundState.SUCCEEDED, RefundState.SUCCEEDED)
    with pytest.raises(IllegalTransition, match="succeeded and cannot become failed"):
        refund_step(RefundState.SUCCEEDED, RefundState.FAILED)


def test_derived_states() -> None:
    assert display_state("captured", captured=100, refunded=0) == "captured"
    assert display_state("captured", captured=100, refunded=40) == "partially_refunded"
    assert display_state("captured", captured=100, refunded=100) == "refunded"
    assert display_state("failed", captured=0, refunded=0) == "failed"


def test_thieves_are_not_told_why() -> None:
    assert decline_message(None) is None
    told = {decline_message(code) for code in ("lost_card", "stolen_card", "fraudulent")}
    assert told == {decline_message("generic_decline")}
    assert decline_message("expired_card") not in told
