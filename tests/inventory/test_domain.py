"""The rules of stock, without a database."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from souk.contexts.inventory import domain
from souk.contexts.inventory.domain import MAX_ON_HAND, UNLIMITED, ListingStock, Reason, StockLevel
from souk.contexts.inventory.errors import (
    ReservationGone,
    Shortage,
    SoldOut,
    StockNotCounted,
    StockTooLow,
)
from souk.kernel.errors import ErrorKind, InvalidInput

A, B, C, LISTING, OTHER, SELLER = (UUID(int=number) for number in range(1, 7))


def level(
    variant: UUID = A,
    on_hand: int = 10,
    reserved: int = 0,
    *,
    tracked: bool = True,
    low: int = 3,
    listing: UUID = LISTING,
) -> StockLevel:
    return StockLevel(variant, listing, SELLER, on_hand, reserved, tracked, low)


def test_available_is_on_hand_less_reserved() -> None:
    assert level(on_hand=10, reserved=4).available == 6
    assert level(on_hand=0, tracked=False).available == UNLIMITED


@pytest.mark.parametrize(
    ("on_hand", "reserved", "low"),
    [(4, 0, False), (3, 0, True), (1, 0, True), (0, 0, False), (5, 2, True), (3, 3, False)],
)
def test_low_means_some_left_but_no_more_than_the_threshold(
    on_hand: int, reserved: int, low: bool
) -> None:
    assert level(on_hand=on_hand, reserved=reserved).is_low is low
    assert level(tracked=False, low=UNLIMITED).is_low is False


def test_combine_sums_and_sorts() -> None:
    assert list(domain.combine([(B, 2), (A, 1), (B, 3)]).items()) == [(A, 1), (B, 5)]
    assert domain.combine([]) == {}


def test_combine_names_the_wrong_line() -> None:
    with pytest.raises(InvalidInput) as refused:
        domain.combine([(A, 1), (B, 0)])
    problem = refused.value.problems[0]
    assert (problem.path, problem.code) == ("lines[1].quantity", "too_small")
    assert problem.message == "Ask for at least one."
    assert refused.value.message == "A quantity is wrong."


def test_reserve_takes_the_place_of_what_was_held() -> None:
    before = [level(A, 10, 6), level(B, 5, 5), level(C, tracked=False, on_hand=0)]
    after = domain.reserve(before, held={A: 4, C: 2}, wanted={A: 8, C: 9})
    assert [(stock.on_hand, stock.reserved) for stock in after] == [(10, 10), (5, 5), (0, 0)]


def test_reserve_drops_what_is_no_longer_wanted() -> None:
    after = domain.reserve([level(A, 10, 6), level(B, 5)], held={A: 4}, wanted={B: 5})
    assert [stock.reserved for stock in after] == [2, 5]


def test_reserve_names_all_shortages() -> None:
    with pytest.raises(SoldOut) as refused:
        domain.reserve([level(A, 10, 6), level(B, 5, 5)], held={A: 1}, wanted={A: 6, B: 1, C: 2})
    assert refused.value.shortages == (Shortage(A, 6, 5), Shortage(B, 1, 0), Shortage(C, 2, 0))
    assert refused.value.message.startswith("Fewer are left")
    assert refused.value.fields["lines"] == [
        {"variant_id": str(A), "wanted": 6, "left": 5},
        {"variant_id": str(B), "wanted": 1, "left": 0},
        {"variant_id": str(C), "wanted": 2, "left": 0},
    ]


def test_a_shortage_without_any_left_says_sold_out() -> None:
    refused = SoldOut([Shortage(A, 1, 0)])
    assert refused.message == "Something in your cart has sold out. Remove it to go on."
    assert (refused.code, refused.kind) == ("sold_out", ErrorKind.CONFLICT)


def test_the_last_unit_can_be_reserved_but_not_one_more() -> None:
    assert domain.reserve([level(A, 1)], held={}, wanted={A: 1})[0].available == 0
    with pytest.raises(SoldOut):
        domain.reserve([level(A, 1)], held={}, wanted={A: 2})


def test_release_sell_and_add() -> None:
    levels = [level(A, 10, 6), level(B, 0, tracked=False)]
    assert domain.release(levels, held={A: 2, B: 7}) == [level(A, 10, 4), levels[1]]
    assert domain.sell(levels, held={A: 2, B: 7}) == [level(A, 8, 4), levels[1]]
    assert domain.add(levels, returned={A: 2, B: 7}) == [level(A, 12, 6), levels[1]]


def test_adjust_by_a_change_or_to_a_number() -> None:
    assert domain.adjust(level(on_hand=10), delta=5).on_hand == 15
    assert domain.adjust(level(on_hand=10), delta=-10).on_hand == 0
    assert domain.adjust(level(on_hand=10), absolute=0).on_hand == 0
    assert domain.adjust(level(on_hand=10), delta=0).on_hand == 10
    assert domain.adjust(level(on_hand=10, reserved=4), absolute=4).on_hand == 4
    assert domain.adjust(level(), absolute=MAX_ON_HAND).on_hand == MAX_ON_HAND


def test_adjust_refuses_what_cannot_be() -> None:
    with pytest.raises(StockTooLow, match="leaves at least 4") as refused:
        domain.adjust(level(on_hand=10, reserved=4), absolute=3)
    assert refused.value.fields == {"on_hand": 10, "reserved": 4}
    with pytest.raises(InvalidInput, match="not both"):
        domain.adjust(level(), delta=1, absolute=1)
    with pytest.raises(InvalidInput, match="not both"):
        domain.adjust(level())
    with pytest.raises(InvalidInput, match=f"{MAX_ON_HAND} at most"):
        domain.adjust(level(), absolute=MAX_ON_HAND + 1)
    with pytest.raises(StockNotCounted):
        domain.adjust(level(tracked=False), delta=1)


def test_seller_reasons() -> None:
    for reason in Reason:
        if reason in {Reason.SALE, Reason.INITIAL}:
            with pytest.raises(InvalidInput, match="cannot be given by hand") as refused:
                domain.check_seller_reason(reason)
            problem = refused.value.problems[0]
            assert (problem.path, problem.code) == ("reason", "not_allowed")
            assert problem.message == ("Choose one of: correction, import, loss, restock, return.")
        else:
            domain.check_seller_reason(reason)


def test_a_listing_is_the_sum_of_its_variants() -> None:
    after = [level(A, 5, 1), level(B, 2), level(C, 9, listing=OTHER)]
    assert domain.listing_changes([], after) == [
        ListingStock(LISTING, SELLER, available=6, unlimited=False, low=True),
        ListingStock(OTHER, SELLER, available=9, unlimited=False, low=False),
    ]


def test_only_flips_are_changes() -> None:
    full, fewer, low, out = level(A, 10), level(A, 5), level(A, 3), level(A, 0)
    changed = domain.listing_changes
    assert changed([full], [fewer]) == []
    assert [stock.low for stock in changed([fewer], [low])] == [True]
    assert [stock.low for stock in changed([low], [fewer])] == [False]
    assert [stock.in_stock for stock in changed([fewer], [out])] == [False]
    assert [stock.in_stock for stock in changed([out], [fewer])] == [True]
    assert changed([out], [out]) == []
    assert changed([], [out]) == []


def test_a_sibling_keeps_the_listing_in_stock() -> None:
    before = [level(A, 5), level(B, 5)]
    assert domain.listing_changes(before, [replace(before[0], on_hand=0), before[1]]) == []


def test_a_file_is_always_in_stock() -> None:
    file = level(B, 0, tracked=False)
    (stock,) = domain.listing_changes([], [level(A, 0), file])
    assert (stock.in_stock, stock.unlimited, stock.available) == (True, True, 0)


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [(4, 3, True), (5, 0, True), (3, 2, False), (3, 3, False), (2, 5, False), (9, 4, False)],
)
def test_the_warning_comes_when_the_threshold_is_reached(
    before: int, after: int, warned: bool
) -> None:
    old, new = level(A, before), level(A, after)
    assert domain.ran_low([old], [new]) == ([new] if warned else [])


def test_new_and_uncounted_variants_give_no_warning() -> None:
    assert domain.ran_low([], [level(A, 1)]) == []
    assert domain.ran_low([level(A, 9, tracked=False)], [level(A, 0, tracked=False)]) == []


def test_reservation_gone_says_what_to_do() -> None:
    refused = ReservationGone(A)
    assert refused.fields == {"checkout_id": str(A)}
    assert "check out again" in refused.message


def test_stored_names_and_limits_never_change() -> None:
    assert [str(reason) for reason in Reason] == [
        "initial",
        "restock",
        "correction",
        "sale",
        "return",
        "import",
        "loss",
    ]
    assert (UNLIMITED, MAX_ON_HAND) == (2_147_483_647, 1_000_000_000)


def test_the_last_piece_is_still_in_stock() -> None:
    assert ListingStock(LISTING, SELLER, available=1, unlimited=False, low=True).in_stock
    assert not ListingStock(LISTING, SELLER, available=0, unlimited=False, low=False).in_stock


def test_a_new_variant_without_stock_has_not_run_low() -> None:
    assert domain.ran_low([], [level(on_hand=0, low=0)]) == []
