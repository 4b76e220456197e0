from __future__ import annotations

from datetime import UTC, datetime

import pytest

from souk.contexts.listings.domain import (
    TRANSITIONS,
    Condition,
    Image,
    Kind,
    Listing,
    State,
    Variant,
    check_fields,
    check_variants,
    price_bounds,
    publishing_problems,
    reorder,
    slugify,
)
from souk.contexts.listings.errors import ListingArchived, StaleListing
from souk.kernel.errors import IllegalTransition, InvalidInput
from souk.kernel.ids import uuid7

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def variant(**fields) -> Variant:
    return Variant(**{"id": uuid7(), "options": {}, "sku": "SKU-1", "price": 1_000} | fields)


def image() -> Image:
    return Image(id=uuid7(), key="images/x", alt="", width=1, height=1, size=1)


def listing(**fields) -> Listing:
    base = {
        "id": uuid7(),
        "seller_id": uuid7(),
        "kind": Kind.GOODS,
        "title": "Olive tree",
        "slug": "olive-tree",
        "description_html": "<p>Green</p>",
        "category_id": uuid7(),
        "currency": "EUR",
        "created_at": NOW,
        "updated_at": NOW,
        "variants": [variant()],
        "images": [image()],
    }
    return Listing(**base | fields)


@pytest.mark.parametrize("current", list(State))
@pytest.mark.parametrize("wanted", list(State))
def test_every_transition_is_in_the_table_or_refused(current, wanted):
    it = listing(state=current)
    if wanted in TRANSITIONS[current]:
        it.move_to(wanted, now=NOW)
        assert it.state is wanted
        assert (it.published_at == NOW) == (wanted is State.ACTIVE)
    else:
        with pytest.raises(IllegalTransition) as error:
            it.move_to(wanted, now=NOW)
        assert error.value.fields["current"] == current
        assert error.value.fields["wanted"] == wanted
        assert it.state is current


def test_archived_is_the_end():
    assert TRANSITIONS[State.ARCHIVED] == frozenset()
    assert set(TRANSITIONS) == set(State)


def test_review_is_skipped_by_trusted_sellers_and_approved_listings():
    for trusted, reviewed, state in (
        (True, False, State.ACTIVE),
        (False, True, State.ACTIVE),
        (False, False, State.IN_REVIEW),
    ):
        it = listing(reviewed=reviewed)
        it.publish(in_stock=True, trusted=trusted, now=NOW)
        assert it.state is state


def test_the_date_of_publication_stays_the_first():
    it = listing(state=State.PAUSED, published_at=NOW)
    it.move_to(State.ACTIVE, now=NOW.replace(year=2027))
    assert it.published_at == NOW


@pytest.mark.parametrize(
    ("fields", "in_stock", "paths"),
    [
        ({}, True, []),
        ({"title": " a "}, True, ["title"]),
        ({"description_html": " "}, True, ["description"]),
        ({"category_id": None}, True, ["category_id"]),
        ({"variants": []}, True, ["variants"]),
        ({"variants": [variant(active=False)]}, True, ["variants"]),
        ({"images": []}, True, ["images"]),
        ({}, False, ["stock"]),
        ({"kind": Kind.DIGITAL, "images": []}, False, ["files"]),
        ({"kind": Kind.SECONDHAND}, True, ["condition"]),
        ({"kind": Kind.SECONDHAND, "condition": Condition.GOOD}, True, []),
    ],
)
def test_what_publishing_needs(fields, in_stock, paths):
    problems = publishing_problems(listing(**fields), in_stock=in_stock)
    assert [problem.path for problem in problems] == paths


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_prices_have_bounds_in_every_currency(currency):
    low, high = price_bounds(currency)
    assert (low, high) == {
        "EUR": (50, 100_000_000),
        "JPY": (1, 1_000_000),
        "KWD": (500, 1_000_000_000),
    }[currency]
    for price in (low, high):
        check_variants([variant(price=price)], kind=Kind.GOODS, currency=currency)
    for price in (low - 1, high + 1):
        with pytest.raises(InvalidInput):
            check_variants([variant(price=price)], kind=Kind.GOODS, currency=currency)


@pytest.mark.parametrize(
    ("variants", "problem"),
    [
        ([variant(compare_at=1_000)], ("variants[0].compare_at", "not_higher")),
        ([variant(compare_at=999)], ("variants[0].compare_at", "not_higher")),
        ([variant(weight_g=-1)], ("variants[0].weight_g", "out_of_range")),
        ([variant(sku="-bad")], ("variants[0].sku", "bad_sku")),
        ([variant(sku="=1+1")], ("variants[0].sku", "bad_sku")),
        (
            [variant(options={"a": "b", "c": "d", "e": "f", "g": "h"})],
            ("variants[0].options", "too_many"),
        ),
        ([variant(options={"Size": ""})], ("variants[0].options", "length")),
        (
            [variant(options={"Size": "S"}), variant(sku="B", options={"Colour": "S"})],
            ("variants[1].options", "uneven"),
        ),
        (
            [variant(options={"Size": "S"}), variant(sku="B", options={"Size": "s"})],
            ("variants[1].options", "duplicate"),
        ),
        (
            [variant(options={"Size": "S"}), variant(options={"Size": "M"})],
            ("variants[1].sku", "duplicate"),
        ),
    ],
)
def test_variants_that_break_a_rule(variants, problem):
    with pytest.raises(InvalidInput) as error:
        check_variants(variants, kind=Kind.GOODS, currency="EUR")
    assert problem in {(each.path, each.code) for each in error.value.problems}


def test_how_many_variants():
    many = [variant(sku=f"S{n}", options={"No": str(n)}) for n in range(101)]
    check_variants(many[:100], kind=Kind.GOODS, currency="EUR")
    with pytest.raises(InvalidInput):
        check_variants(many, kind=Kind.GOODS, currency="EUR")
    with pytest.raises(InvalidInput):
        check_variants(many[:2], kind=Kind.SECONDHAND, currency="EUR")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"description_html": "x" * 50_001}, "description"),
        ({"slug": "a--b"}, "slug"),
        ({"slug": "ab"}, "slug"),
        ({"slug": "search"}, "slug"),
        ({"slug": str(uuid7())}, "slug"),
        ({"condition": Condition.NEW}, "condition"),
        ({"kind": Kind.DIGITAL, "live_plant": True}, "live_plant"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"tags": [""]}, "tags"),
    ],
)
def test_fields_out_of_bounds(fields, path):
    with pytest.raises(InvalidInput) as error:
        check_fields(listing(**fields))
    assert [problem.path for problem in error.value.problems] == [path]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Crème brûlée, 5 l", "creme-brulee-5-l"),
        ("Straße", "strasse"),
        ("花", ""),
        ("a" * 90, "a" * 70),
    ],
)
def test_slugs(title, slug):
    assert slugify(title) == slug


def test_who_may_edit_when():
    listing(version=3).check_editable(3)
    listing(version=3).check_editable(None)
    with pytest.raises(StaleListing):
        listing(version=3).check_editable(2)
    with pytest.raises(ListingArchived):
        listing(state=State.ARCHIVED).check_editable(None)


def test_reordering_names_each_picture_once():
    first, second = image(), image()
    assert reorder([first, second], [second.id, first.id]) == [second, first]
    for wrong in ([first.id], [first.id, first.id], [first.id, uuid7()]):
        with pytest.raises(InvalidInput):
            reorder([first, second], wrong)
