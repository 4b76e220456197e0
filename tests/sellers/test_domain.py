from __future__ import annotations

from datetime import timedelta

import pytest

from souk.contexts.sellers.domain import (
    MAX_BIO,
    MAX_POLICY,
    TRANSITIONS,
    Record,
    Seller,
    SellerKind,
    SellerState,
    check_application,
    check_holiday,
    check_storefront,
    slug_of,
    standing,
)
from souk.kernel.clock import SettableClock
from souk.kernel.errors import IllegalTransition, InvalidInput
from souk.kernel.ids import uuid7

NOW = SettableClock().now()
DAY = timedelta(days=1)
ALLOWED = {
    ("applied", "approved"),
    ("applied", "rejected"),
    ("applied", "needs_info"),
    ("needs_info", "applied"),
    ("needs_info", "approved"),
    ("needs_info", "rejected"),
    ("approved", "suspended"),
    ("suspended", "approved"),
    ("rejected", "applied"),
}


def bare(**fields):
    base = {
        "id": uuid7(), "user_id": uuid7(), "slug": "fern", "name": "Fern",
        "kind": SellerKind.PRIVATE, "country": "DE", "state": SellerState.APPLIED,
        "applied_at": NOW,
    }  # fmt: skip
    return Seller(**base | fields)


@pytest.mark.parametrize("current", list(SellerState))
@pytest.mark.parametrize("wanted", list(SellerState))
def test_every_step_is_allowed_or_refused_with_both_states(current, wanted):
    seller = bare(state=current)
    if (current, wanted) in ALLOWED:
        seller.move(wanted, now=NOW)
        assert seller.state is wanted
    else:
        with pytest.raises(IllegalTransition) as refused:
            seller.move(wanted, now=NOW)
        assert refused.value.fields["current"] == current
        assert refused.value.fields["wanted"] == wanted
        assert seller.state is current


def test_the_table_covers_every_state():
    assert set(TRANSITIONS) == set(SellerState)


def test_the_day_of_opening_survives_a_suspension():
    seller = bare()
    seller.move(SellerState.APPROVED, now=NOW)
    seller.move(SellerState.SUSPENDED, now=NOW + DAY)
    seller.move(SellerState.APPROVED, now=NOW + 2 * DAY)
    assert seller.approved_at == NOW


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "x"}, "name"),
        ({"name": " x  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"slug": "ab"}, "slug"),
        ({"slug": "a" * 49}, "slug"),
        ({"slug": "Bad Slug"}, "slug"),
        ({"slug": "-fern"}, "slug"),
        ({"slug": "fern-"}, "slug"),
        ({"slug": "fern\n"}, "slug"),
        ({"slug": "me"}, "slug"),
        ({"slug": "admin"}, "slug"),
        ({"slug": "apply"}, "slug"),
        ({"country": "de"}, "country"),
        ({"country": "DEU"}, "country"),
        ({"bio": "x" * (MAX_BIO + 1)}, "bio"),
    ],
)
def test_applications_that_cannot_be_name_the_field(fields, path):
    right = {"name": "Fern", "slug": "fern", "country": "DE", "bio": ""}
    check_application(**right)
    with pytest.raises(InvalidInput) as refused:
        check_application(**right | fields)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_all_mistakes_are_told_at_once():
    with pytest.raises(InvalidInput) as refused:
        check_application(name="", slug="", country="", bio="x" * (MAX_BIO + 1))
    paths = [problem.path for problem in refused.value.problems]
    assert paths == ["name", "slug", "country", "bio"]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "x"),
        ("bio", "x" * (MAX_BIO + 1)),
        ("shipping_policy", "x" * (MAX_POLICY + 1)),
        ("returns_policy", "x" * (MAX_POLICY + 1)),
    ],
)
def test_storefronts_that_cannot_be(field, text):
    right = {"name": "Fern", "bio": "x" * MAX_BIO, "shipping_policy": "", "returns_policy": ""}
    check_storefront(**right)
    with pytest.raises(InvalidInput) as refused:
        check_storefront(**right | {field: text})
    assert [problem.path for problem in refused.value.problems] == [field]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Green Thumb", "green-thumb"),
        ("  Café — du Jardin! ", "cafe-du-jardin"),
        ("植物", ""),
        ("x" * 80, "x" * 48),
        ("a" * 47 + " b", "a" * 47),
    ],
)
def test_a_slug_is_made_from_the_name(name, slug):
    assert slug_of(name) == slug


@pytest.mark.parametrize(
    ("start", "end"), [(NOW, NOW), (NOW, NOW - DAY), (None, NOW), (None, NOW + DAY)]
)
def test_a_holiday_ends_after_it_begins(start, end):
    with pytest.raises(InvalidInput):
        check_holiday(start=start, end=end)


def test_a_holiday_may_be_open_ended_or_none():
    check_holiday(start=NOW, end=None)
    check_holiday(start=None, end=None)
    check_holiday(start=NOW, end=NOW + DAY)


@pytest.mark.parametrize(
    ("start", "end", "closed"),
    [
        (None, None, False),
        (NOW, None, True),
        (NOW + DAY, None, False),
        (NOW - DAY, NOW, False),
        (NOW - DAY, NOW + DAY, True),
        (NOW, NOW + DAY, True),
    ],
)
def test_a_shop_is_closed_from_the_start_until_the_end(start, end, closed):
    assert bare(holiday_from=start, holiday_until=end).on_holiday(NOW) is closed


@pytest.mark.parametrize(
    ("stars", "reviews", "record", "expected"),
    [
        (0, 0, Record(), None),
        (0, 0, Record(due=2, on_time=2), None),
        (0, 0, Record(due=3, on_time=3), 430),
        (0, 0, Record(due=3, on_time=0), 310),
        (5, 1, Record(), 417),
        (1, 1, Record(), 350),
        (500, 100, Record(due=100, on_time=100), 497),
        (500, 100, Record(due=100, on_time=0), 377),
        (100, 100, Record(due=0, cancelled=10), 110),
    ],
)
def test_standing_weighs_reviews_and_service(stars, reviews, record, expected):
    assert standing(stars=stars, reviews=reviews, record=record) == expected


def test_one_more_good_review_never_lowers_a_standing():
    for reviews in range(1, 40):
        for record in (Record(), Record(due=10, on_time=7, cancelled=1)):
            before = standing(stars=4 * reviews, reviews=reviews, record=record)
            after = standing(stars=4 * reviews + 5, reviews=reviews + 1, record=record)
            assert after is not None
            assert before is not None
            assert before <= after <= 500
