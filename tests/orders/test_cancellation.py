"""Cancelling single pieces: any row of them gives back what one cancellation of all would."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from souk.contexts.orders.cancellation import (
    cancel_pieces,
    earned,
    given_up_of,
    of_pieces,
    open_pieces,
)
from souk.contexts.orders.domain import (
    DeliveryChoice,
    OrderLine,
    SellerOrder,
    SellerOrderState,
    Totals,
)
from souk.contexts.orders.errors import CancelTooLate, LineNotFound, NothingToCancel
from souk.kernel.errors import IllegalTransition
from souk.kernel.ids import uuid7

S = SellerOrderState
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SELLER = uuid7()


def line(
    quantity: int = 1, *, price: int = 1_000, tax: int = 0, fee: int = 0, kind: str = "goods"
) -> OrderLine:
    return OrderLine(
        id=uuid7(), variant_id=uuid7(), listing_id=uuid7(), kind=kind, title="Fern",
        variant_title="", sku="F", slug="fern", image_key=None, unit_price=price,
        quantity=quantity, discount=0, tax=tax, total=price * quantity + tax, commission=fee,
        commission_tax=fee // 5, commission_rule_id=None, file_ids=[],
    )  # fmt: skip


def part(*lines: OrderLine, state: S = S.CONFIRMED, delivery: int = 490) -> SellerOrder:
    items = sum(one.unit_price * one.quantity for one in lines)
    delivery_tax = 93 if delivery else 0
    tax = sum(one.tax for one in lines) + delivery_tax
    totals = Totals(items=items, delivery=delivery, tax=tax, total=items + delivery + tax)
    return SellerOrder(
        id=uuid7(), order_id=uuid7(), seller_id=SELLER, buyer_id=None, currency="EUR",
        state=state, totals=totals, delivery_tax=delivery_tax,
        commission=sum(one.commission for one in lines),
        commission_tax=sum(one.commission_tax for one in lines),
        delivery=DeliveryChoice(SELLER, None, "Parcel", delivery), lines=list(lines),
    )  # fmt: skip


@given(st.integers(0, 10**9), st.integers(1, 99))
def test_pieces_carry_an_amount_to_the_cent(amount: int, quantity: int) -> None:
    marks = [of_pieces(amount, pieces=n, quantity=quantity) for n in range(quantity + 1)]
    assert (marks[0], marks[-1]) == (0, amount)
    steps = [after - before for before, after in pairwise(marks)]
    assert max(steps) - min(steps) <= 1


amounts = st.integers(0, 10**6)
some_lines = st.lists(
    st.builds(
        line,
        st.integers(1, 6),
        price=amounts,
        tax=amounts,
        fee=st.integers(0, 10**5),
        kind=st.sampled_from(["goods", "goods", "second_hand", "digital"]),
    ),
    min_size=1,
    max_size=4,
)


@given(st.data(), some_lines)
def test_a_row_of_cancellations_equals_one(data: st.DataObject, lines: list[OrderLine]) -> None:
    one = part(*lines)
    for each in one.lines:
        if each.kind == "digital":
            each.fulfilled = each.quantity
    paid, asked, tax, fee = one.totals.total, 0, 0, 0
    while pieces := open_pieces(one):
        chosen = data.draw(st.sampled_from(sorted(pieces)))
        units = data.draw(st.integers(1, pieces[chosen]))
        given = cancel_pieces(one, {chosen: units}, now=NOW).given_up
        assert min(given.refund, given.tax, given.commission, given.commission_tax) >= 0
        asked, tax, fee = asked + given.refund, tax + given.tax, fee + given.commission
        escrow, left, left_tax = earned(one)
        assert escrow == paid - asked - (one.totals.tax - tax)
        assert (left, left_tax >= 0) == (one.commission - fee, True)
    assert one.refunded == asked
    kept = [each for each in one.lines if each.kind == "digital"]
    if len(kept) == len(one.lines):
        assert asked == 0
        return
    assert asked == paid - sum(each.total for each in kept)
    assert one.state is (S.DELIVERED if kept else S.CANCELLED)
    assert earned(one)[1] == sum(each.commission for each in kept)


def test_figures_by_hand() -> None:
    # 3 pieces for 10.00 with 1.90 of tax: 3.97, 3.97, 3.96 come back, 0.64, 0.63, 0.63 of it tax.
    three = line(3, price=0, tax=190, fee=100)
    three.total, three.unit_price = 1_190, 0
    one = part(three, line(1))
    first = cancel_pieces(one, {three.id: 1}, now=NOW)
    assert (first.given_up.refund, first.given_up.tax, first.given_up.commission) == (397, 64, 34)
    assert (first.previous, one.state, three.refunded) == (S.CONFIRMED, S.CONFIRMED, 397)
    second = cancel_pieces(one, {three.id: 2}, now=NOW).given_up
    assert (second.refund, second.tax, second.commission) == (793, 126, 66)
    assert given_up_of(one).delivery == 0


def test_delivery_comes_back_with_the_last_piece_that_would_be_sent() -> None:
    one = part(line(2), line(1))
    a, b = one.lines
    assert cancel_pieces(one, {a.id: 2}, now=NOW).given_up.delivery == 0
    last = cancel_pieces(one, {b.id: 1}, now=NOW)
    assert last.given_up.delivery == 583
    assert (one.state, last.previous) == (S.CANCELLED, S.CONFIRMED)
    assert one.refundable == 0


def test_the_rest_of_a_part_that_was_sent_in_part() -> None:
    one = part(line(3), state=S.PROCESSING)
    [only] = one.lines
    one.fulfil({only.id: 1})
    done = cancel_pieces(one, {only.id: 2}, now=NOW)
    assert (one.state, done.given_up.refund, done.given_up.delivery) == (S.SHIPPED, 2_000, 0)


def test_downloads_that_are_left_alone_are_delivered() -> None:
    one = part(line(1), line(1, kind="digital"), state=S.PROCESSING)
    plant, guide = one.lines
    guide.fulfilled = 1
    cancel_pieces(one, {plant.id: 1}, now=NOW)
    assert (one.state, one.delivered_at) == (S.DELIVERED, NOW)


def test_what_cannot_be_cancelled_changes_nothing() -> None:
    one = part(line(2), line(1, kind="digital"))
    plant, guide = one.lines
    plant.fulfilled = 1
    before = [each.cancelled for each in one.lines]
    for wrong, error in (
        ({plant.id: 2}, CancelTooLate),
        ({plant.id: -1}, CancelTooLate),
        ({guide.id: 1}, CancelTooLate),
        ({uuid7(): 1}, LineNotFound),
        ({plant.id: 0}, NothingToCancel),
        ({}, NothingToCancel),
    ):
        with pytest.raises(error):
            cancel_pieces(one, wrong, now=NOW)
    for state in set(S) - {S.CONFIRMED, S.PROCESSING}:
        one.state = state
        assert open_pieces(one) == {}
        with pytest.raises(IllegalTransition):
            cancel_pieces(one, {plant.id: 1}, now=NOW)
    assert ([each.cancelled for each in one.lines], one.refunded) == (before, 0)
