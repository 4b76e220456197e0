"""Totals that add up, every transition of the tables, quantities, refunds, a machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from souk.contexts.orders.domain import (
    CHECKOUT_LIFE,
    RESERVATION_LIFE,
    RETURN_WINDOW,
    TRANSITIONS,
    Checkout,
    CheckoutLine,
    CheckoutState,
    DeliveryChoice,
    OrderLine,
    SellerOrder,
    SellerOrderState,
    Totals,
    add_totals,
    by_seller,
    order_state,
    price,
    price_line,
)
from souk.contexts.orders.errors import (
    CancelTooLate,
    CheckoutClosed,
    LineNotFound,
    QuantityNotLeft,
    ReturnWindowOver,
)
from souk.kernel.errors import IllegalTransition
from souk.kernel.ids import uuid7
from souk.kernel.money import divide_half_even

S = SellerOrderState
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SELLERS = sorted(uuid7() for _ in range(4))


def line(
    seller_id: UUID, *, unit_price: int = 1_000, quantity: int = 1, kind: str = "goods"
) -> CheckoutLine:
    return CheckoutLine(
        variant_id=uuid7(),
        listing_id=uuid7(),
        seller_id=seller_id,
        kind=kind,
        title="Fern",
        variant_title="",
        sku="F",
        unit_price=unit_price,
        quantity=quantity,
        weight_g=100,
        slug="fern",
    )


lines = st.lists(
    st.builds(
        line,
        st.sampled_from(SELLERS),
        unit_price=st.integers(0, 10**9),
        quantity=st.integers(1, 99),
        kind=st.sampled_from(["goods", "digital", "second_hand"]),
    ),
    min_size=1,
    max_size=12,
)
rates = st.integers(0, 3_000)
fees = st.dictionaries(st.sampled_from(SELLERS), st.integers(0, 10**6))


@given(lines, fees, rates)
def test_lines_add_up_to_sellers_and_sellers_to_the_order(
    bought: list[CheckoutLine], fees: dict[UUID, int], rate: int
) -> None:
    choices = {
        seller: DeliveryChoice(seller, uuid7(), "Parcel", amount) for seller, amount in fees.items()
    }
    priced = price(bought, choices, currency="EUR", tax_rate=rate)
    groups = by_seller(bought)
    assert [part.seller_id for part in priced.sellers] == sorted(groups)
    for part in priced.sellers:
        mine, totals = groups[part.seller_id], part.totals
        assert [one.subtotal for one in part.lines] == [one.subtotal for one in mine]
        for one in part.lines:
            assert one.total == one.subtotal - one.discount + one.tax
            assert one.tax == divide_half_even(one.subtotal * rate, 10_000)
        assert totals.items == sum(one.subtotal for one in part.lines)
        assert totals.delivery == fees.get(part.seller_id, 0)
        assert totals.tax == sum(one.tax for one in part.lines) + part.delivery_tax
        lines_and_delivery = sum(one.total for one in part.lines) + totals.delivery
        assert totals.total == lines_and_delivery + part.delivery_tax
    whole = priced.totals
    assert whole == add_totals([part.totals for part in priced.sellers])
    assert whole.total == whole.items - whole.discount + whole.delivery + whole.tax
    assert whole.items == sum(one.subtotal for one in bought)


@given(lines, rates)
def test_the_order_of_lines_and_sellers_changes_no_total(
    bought: list[CheckoutLine], rate: int
) -> None:
    forwards = price(bought, {}, currency="EUR", tax_rate=rate)
    backwards = price(bought[::-1], {}, currency="EUR", tax_rate=rate)
    assert forwards.totals == backwards.totals
    assert [p.totals for p in forwards.sellers] == [p.totals for p in backwards.sellers]


def test_figures_by_hand() -> None:
    first, second = SELLERS[:2]
    bought = [line(first, unit_price=1_999, quantity=3), line(second, unit_price=5)]
    choices = {first: DeliveryChoice(first, None, "Parcel", 490)}
    priced = price(bought, choices, currency="EUR", tax_rate=1_900)
    # 5997 × 19 % = 1139.43 → 1139; 490 × 19 % = 93.1 → 93; 5 × 19 % = 0.95 → 1.
    assert priced.sellers[0].totals == Totals(5_997, 0, 490, 1_232, 7_719)
    assert priced.sellers[1].totals == Totals(5, 0, 0, 1, 6)
    assert priced.totals == Totals(6_002, 0, 490, 1_233, 7_725)
    # Half a cent goes to the even neighbour: 250 × 1 % = 2.5 → 2, 350 × 1 % = 3.5 → 4.
    halves = [line(first, unit_price=250), line(first, unit_price=350)]
    priced = price(halves, {}, currency="EUR", tax_rate=100)
    assert [one.tax for one in priced.sellers[0].lines] == [2, 4]


def part(
    *quantities: int, state: SellerOrderState = S.CONFIRMED, prices: tuple[int, ...] = ()
) -> SellerOrder:
    made: list[OrderLine] = []
    for index, quantity in enumerate(quantities):
        amount = prices[index] if prices else 1_000
        made.append(
            OrderLine(
                id=uuid7(), variant_id=uuid7(), listing_id=uuid7(), kind="goods", title="Fern",
                variant_title="", sku="F", slug="fern", image_key=None, unit_price=amount,
                quantity=quantity, discount=0, tax=0, total=amount * quantity, commission=0,
                commission_tax=0, commission_rule_id=None, file_ids=[],
            )
        )  # fmt: skip
    items = sum(one.total for one in made)
    totals = Totals(items=items, delivery=490, total=items + 490)
    return SellerOrder(
        id=uuid7(), order_id=uuid7(), seller_id=SELLERS[0], buyer_id=None, currency="EUR",
        state=state, totals=totals, delivery_tax=0, commission=0, commission_tax=0,
        delivery=DeliveryChoice(SELLERS[0], None, "Parcel", 490), lines=made,
    )  # fmt: skip


ALLOWED = {
    (S.PENDING, S.CONFIRMED),
    (S.PENDING, S.CANCELLED),
    (S.CONFIRMED, S.PROCESSING),
    (S.CONFIRMED, S.DELIVERED),
    (S.CONFIRMED, S.CANCELLED),
    (S.PROCESSING, S.SHIPPED),
    (S.PROCESSING, S.DELIVERED),
    (S.PROCESSING, S.CANCELLED),
    (S.SHIPPED, S.DELIVERED),
    (S.DELIVERED, S.COMPLETED),
    (S.DELIVERED, S.RETURN_REQUESTED),
    (S.RETURN_REQUESTED, S.RETURNED),
    (S.RETURN_REQUESTED, S.DELIVERED),
}


@pytest.mark.parametrize(("current", "wanted"), list(product(S, S)))
def test_every_step_of_a_seller_order(current: S, wanted: S) -> None:
    one = part(1, state=current)
    if (current, wanted) in ALLOWED:
        assert one.move(wanted) is current
        assert one.state is wanted
        return
    with pytest.raises(IllegalTransition) as refused:
        one.move(wanted)
    assert one.state is current
    assert current.replace("_", " ") in str(refused.value)
    assert wanted.replace("_", " ") in str(refused.value)


def test_the_table_knows_every_state_and_three_ends() -> None:
    assert set(TRANSITIONS) == set(S)
    ends = {state for state, after in TRANSITIONS.items() if not after}
    assert ends == {S.COMPLETED, S.CANCELLED, S.RETURNED}


def checkout(state: CheckoutState) -> Checkout:
    return Checkout(
        id=uuid7(), state=state, currency="EUR", user_id=None, guest=b"x", cart_id=None,
        lines=[line(SELLERS[0])], created_at=NOW, expires_at=NOW,
    )  # fmt: skip


C = CheckoutState
CHECKOUT_ALLOWED = {
    (C.OPEN, C.AWAITING_PAYMENT),
    (C.OPEN, C.COMPLETED),
    (C.OPEN, C.EXPIRED),
    (C.OPEN, C.CANCELLED),
    (C.AWAITING_PAYMENT, C.OPEN),
    (C.AWAITING_PAYMENT, C.COMPLETED),
    (C.AWAITING_PAYMENT, C.EXPIRED),
    (C.AWAITING_PAYMENT, C.CANCELLED),
    (C.EXPIRED, C.COMPLETED),
    (C.EXPIRED, C.CANCELLED),
}


@pytest.mark.parametrize(("current", "wanted"), list(product(C, C)))
def test_every_step_of_a_checkout(current: C, wanted: C) -> None:
    one = checkout(current)
    if (current, wanted) in CHECKOUT_ALLOWED:
        one.move(wanted)
        assert one.state is wanted
        return
    with pytest.raises(IllegalTransition):
        one.move(wanted)
    assert one.state is current


@pytest.mark.parametrize("state", list(C))
def test_only_an_open_checkout_takes_changes(state: C) -> None:
    if state is C.OPEN:
        checkout(state).require_open()
        return
    with pytest.raises(CheckoutClosed) as refused:
        checkout(state).require_open()
    assert refused.value.fields["state"] == state


def test_units_are_handed_over_once() -> None:
    one = part(3, 2)
    first, second = one.lines
    assert one.fulfil({first.id: 2}) is False
    assert one.fulfil({first.id: 1}) is False
    with pytest.raises(QuantityNotLeft):
        one.fulfil({first.id: 1})
    with pytest.raises(QuantityNotLeft):
        one.fulfil({second.id: -1})
    with pytest.raises(LineNotFound):
        one.fulfil({uuid7(): 1})
    assert one.fulfil({second.id: 2}) is True
    assert [line.to_fulfil for line in one.lines] == [0, 0]


@pytest.mark.parametrize("state", list(S))
def test_cancelling_needs_everything_still_here(state: S) -> None:
    one = part(3, 2, state=state)
    if S.CANCELLED not in TRANSITIONS[state]:
        with pytest.raises(CancelTooLate):
            one.cancel()
        assert [line.cancelled for line in one.lines] == [0, 0]
        return
    assert one.cancel() is state
    assert [line.cancelled for line in one.lines] == [3, 2]
    sent = part(3, state=state)
    sent.fulfil({sent.lines[0].id: 1})
    with pytest.raises(CancelTooLate):
        sent.cancel()


def test_the_return_window() -> None:
    one = part(2, state=S.SHIPPED)
    one.fulfil({one.lines[0].id: 2})
    one.deliver(now=NOW)
    late = msgspec.structs.replace(one)
    with pytest.raises(ReturnWindowOver):
        late.request_return(now=NOW + RETURN_WINDOW + timedelta(seconds=1))
    assert late.state is S.DELIVERED
    assert one.request_return(now=NOW + RETURN_WINDOW) is S.DELIVERED
    assert one.take_back() is S.RETURN_REQUESTED
    assert one.lines[0].returned == 2


@given(st.data())
def test_refunds_in_parts_equal_one(data: st.DataObject) -> None:
    prices = tuple(data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=5)))
    one = part(*[1] * len(prices), prices=prices)
    while one.refundable:
        before = [line.refunded for line in one.lines]
        amount = data.draw(st.integers(1, one.refundable))
        one.refund(amount)
        grown = [line.refunded - old for line, old in zip(one.lines, before, strict=True)]
        assert all(units >= 0 for units in grown)
        assert sum(grown) <= amount
        assert all(line.refunded <= line.total for line in one.lines)
        assert one.refunded - sum(line.refunded for line in one.lines) <= 490
    assert [line.refunded for line in one.lines] == [line.total for line in one.lines]
    for wrong in (1, -1):
        with pytest.raises(ValueError, match="refunded"):
            one.refund(wrong)


def test_an_order_is_as_far_as_its_slowest_part() -> None:
    assert order_state([S.SHIPPED, S.CONFIRMED]) == "confirmed"
    assert order_state([S.COMPLETED, S.CANCELLED]) == "completed"
    assert order_state([S.CANCELLED, S.RETURNED]) == "returned"
    assert order_state([S.CANCELLED]) == "cancelled"
    assert order_state([S.DELIVERED, S.RETURN_REQUESTED]) == "return_requested"
    for pair in product(S, S):
        assert order_state(pair) == order_state(pair[::-1])
        assert order_state(pair) in pair


class CheckoutTotals(RuleBasedStateMachine):
    """Whatever parts are replaced, and however often, the totals are those of the parts."""

    @initialize(bought=lines, rate=rates)
    def begin(self, bought: list[CheckoutLine], rate: int) -> None:
        self.checkout = checkout(C.OPEN)
        self.checkout.lines = bought
        self.checkout.tax_rate = rate
        self.checkout.reprice()

    @rule(fees=fees)
    def choose(self, fees: dict[UUID, int]) -> None:
        self.checkout.choices = [
            DeliveryChoice(seller, None, "Parcel", amount) for seller, amount in fees.items()
        ]
        self.checkout.reprice()

    @rule(rate=rates)
    def move_country(self, rate: int) -> None:
        self.checkout.tax_rate = rate
        self.checkout.reprice()

    @rule(more=lines)
    def change_lines(self, more: list[CheckoutLine]) -> None:
        self.checkout.lines = more
        self.checkout.reprice()

    @precondition(lambda self: len(self.checkout.lines) > 1)
    @rule()
    def drop_line(self) -> None:
        before = self.checkout.totals
        gone = self.checkout.lines[-1]
        self.checkout.lines = self.checkout.lines[:-1]
        self.checkout.reprice()
        assert self.checkout.totals.items == before.items - gone.subtotal

    @invariant()
    def sums_hold(self) -> None:
        one = self.checkout
        sellers = {each.seller_id for each in one.lines}
        delivery = sum(each.amount for each in one.choices if each.seller_id in sellers)
        tax = sum(divide_half_even(each.subtotal * one.tax_rate, 10_000) for each in one.lines)
        tax += sum(
            divide_half_even(each.amount * one.tax_rate, 10_000)
            for each in one.choices
            if each.seller_id in sellers
        )
        items = sum(each.subtotal for each in one.lines)
        assert one.totals == Totals(items, 0, delivery, tax, items + delivery + tax)


TestCheckoutTotals = CheckoutTotals.TestCase


class PartLife(RuleBasedStateMachine):
    """Random steps of a seller order: quantities never exceed what was bought, nor money."""

    @initialize(quantities=st.lists(st.integers(1, 5), min_size=1, max_size=3))
    def begin(self, quantities: list[int]) -> None:
        self.part = part(*quantities)
        self.now = NOW

    @rule(index=st.integers(0, 2), units=st.integers(-1, 6))
    def fulfil(self, index: int, units: int) -> None:
        chosen = self.part.lines[index % len(self.part.lines)]
        before = chosen.fulfilled
        if 0 <= units <= chosen.to_fulfil and self.part.state in {S.CONFIRMED, S.PROCESSING}:
            self.part.fulfil({chosen.id: units})
            assert chosen.fulfilled == before + units
        elif not 0 <= units <= chosen.to_fulfil:
            with pytest.raises(QuantityNotLeft):
                self.part.fulfil({chosen.id: units})
            assert chosen.fulfilled == before

    @rule(wanted=st.sampled_from(S))
    def move(self, wanted: S) -> None:
        before = self.part.state
        if wanted in {S.CANCELLED, S.RETURNED}:
            return
        try:
            self.part.move(wanted)
        except IllegalTransition:
            assert self.part.state is before

    @rule()
    def cancel(self) -> None:
        untouched = not any(each.fulfilled for each in self.part.lines)
        before = self.part.state
        try:
            self.part.cancel()
        except CancelTooLate:
            assert self.part.state is before
        else:
            assert untouched
            self.part.refund(self.part.refundable)

    @precondition(lambda self: self.part.state is S.RETURN_REQUESTED)
    @rule()
    def take_back(self) -> None:
        self.part.take_back()
        self.part.refund(self.part.refundable)

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        for each in self.part.lines:
            assert min(each.fulfilled, each.cancelled, each.returned, each.refunded) >= 0
            assert each.fulfilled + each.cancelled <= each.quantity
            assert each.returned <= each.fulfilled
            assert each.refunded <= each.total
        assert 0 <= self.part.refunded <= self.part.totals.total
        if self.part.state in {S.CANCELLED, S.RETURNED}:
            assert self.part.refundable == 0


TestPartLife = PartLife.TestCase


def test_a_new_part_has_given_nothing_away() -> None:
    order = part(2)
    assert (order.released, order.refunded, order.refundable) == (False, 0, order.totals.total)


def test_an_illegal_step_names_the_order_and_both_states() -> None:
    with pytest.raises(IllegalTransition) as refused:
        part(1).move(S.COMPLETED)
    assert refused.value.fields["subject"] == "order"
    assert (refused.value.fields["current"], refused.value.fields["wanted"]) == (
        "confirmed", "completed",
    )  # fmt: skip


def test_what_was_cancelled_is_not_left_to_send() -> None:
    (one,) = part(5).lines
    one.fulfilled, one.cancelled = 1, 3
    assert one.to_fulfil == 1


def test_steps_tell_from_where_they_came() -> None:
    order = part(1, state=S.SHIPPED)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert order.deliver(now=now) is S.SHIPPED
    assert order.request_return(now=now + RETURN_WINDOW) is S.DELIVERED
    assert order.take_back() is S.RETURN_REQUESTED
    assert part(1).cancel() is S.CONFIRMED


def test_a_refund_of_nothing_and_of_everything() -> None:
    order = part(2, 1, prices=(1_000, 300))
    order.refund(0)
    assert (order.refunded, [one.refunded for one in order.lines]) == (0, [0, 0])
    order.refund(order.refundable)
    assert (order.refundable, [one.refunded for one in order.lines]) == (0, [2_000, 300])
    order.refund(0)
    for wrong in (1, -1):
        with pytest.raises(ValueError, match="at most 0"):
            order.refund(wrong)


def test_the_words_that_are_stored_and_sent_stay_as_they_are() -> None:
    assert [state.value for state in CheckoutState] == [
        "open", "awaiting_payment", "completed", "expired", "cancelled",
    ]  # fmt: skip
    assert [state.value for state in SellerOrderState] == [
        "pending", "confirmed", "processing", "shipped", "delivered", "completed", "cancelled",
        "return_requested", "returned",
    ]  # fmt: skip


def test_how_long_things_last() -> None:
    assert timedelta(days=7) == RETURN_WINDOW
    assert timedelta(hours=2) == CHECKOUT_LIFE
    assert timedelta(minutes=20) == RESERVATION_LIFE


def test_what_nobody_chose() -> None:
    choice = DeliveryChoice(SELLERS[0], None, "Parcel", 490)
    assert (choice.kind, choice.min_days, choice.max_days) == ("shipping", 0, 0)
    nothing = Totals()
    assert (nothing.items, nothing.discount, nothing.delivery, nothing.tax, nothing.total) == (
        0, 0, 0, 0, 0,
    )  # fmt: skip
    fresh = checkout(C.OPEN)
    assert (fresh.tax_rate, fresh.version) == (0, 1)
    (seller,) = price([line(SELLERS[0])], {}, currency="EUR", tax_rate=0).sellers
    assert (seller.delivery.kind, seller.delivery.amount) == ("none", 0)


def test_only_files_need_no_parcel() -> None:
    goods, file = line(SELLERS[0]), line(SELLERS[1], kind="digital")
    assert (goods.ships, file.ships) == (True, False)
    for lines_of, wanted in (([goods, file], True), ([file], False), ([], False)):
        made = checkout(C.OPEN)
        made.lines = list(lines_of)
        assert made.ships() is wanted


def test_repricing_keeps_and_returns_the_totals() -> None:
    made = checkout(C.OPEN)
    made.tax_rate = 1_900
    priced = made.reprice()
    assert priced.totals == made.totals
    assert made.totals.total == 1_190
    with pytest.raises(IllegalTransition) as refused:
        checkout(C.COMPLETED).move(C.OPEN)
    assert refused.value.fields["subject"] == "checkout"


def test_a_discount_lowers_the_net_price_and_its_tax() -> None:
    priced = price_line(line(SELLERS[0]), discount=300, currency="EUR", tax_rate=1_000)
    assert (priced.subtotal, priced.discount, priced.tax, priced.total) == (1_000, 300, 70, 770)
