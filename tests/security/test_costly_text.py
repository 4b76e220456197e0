"""Texts that are short to send and long to look at: each is done with in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from souk.contexts.fulfilment.domain.address import Address, normalise
from souk.contexts.fulfilment.domain.email import checked_email
from souk.contexts.listings.domain import slugify
from souk.contexts.listings.importing.quantities import QuantityError, parse_weight
from souk.contexts.listings.importing.text import clean_text, description_html, plain_text
from souk.contexts.reviews import domain as reviews
from souk.contexts.sellers.domain import slug_of
from souk.flows.import_listings import placing
from souk.kernel.errors import InvalidInput
from souk.kernel.text import composed

MOMENT = 1.5
"""Seconds. Before they were mended each of these took from five seconds to minutes."""
TOWER = "\u0316\u0301" * 100_000
"""Marks in the wrong order: to sort them takes the square of their number."""


def quick(work: Callable[[], object]) -> object:
    begun = time.process_time()
    try:
        return work()
    finally:
        assert time.process_time() - begun < MOMENT


def test_marks_without_an_end_are_cut_where_no_language_has_them() -> None:
    text = quick(lambda: composed("Cafe\u0301 a" + TOWER + " and on"))
    assert text == composed("Café a" + "\u0316\u0301" * 15 + " and on")
    assert composed("e\u0301") == "é"
    assert quick(lambda: len(composed("x" + "\u0f73\u0316" * 50_000))) < 200  # type: ignore[operator]


@pytest.mark.parametrize("field", ["name", "line1", "city", "region", "postal_code", "phone"])
def test_an_address_is_refused_by_its_length(field: str) -> None:
    fields = {"name": "Ada", "line1": "Lindenweg 7", "country": "DE"} | {field: "a" + TOWER}

    def check() -> None:
        with pytest.raises(InvalidInput) as refused:
            normalise(Address(**fields))
        assert field in {problem.path for problem in refused.value.problems}

    quick(check)


@pytest.mark.parametrize(
    "text", [f"a{TOWER}@b.test", "a@" + "é" * 200_000, "a@b.test" + " " * 10**6]
)
def test_an_email_address_is_refused_by_its_length(text: str) -> None:
    def check() -> None:
        with pytest.raises(InvalidInput):
            checked_email(text + "x")

    quick(check)


@pytest.mark.parametrize(
    "source",
    ["<a" * 50_000, "<!" * 50_000, "a" + TOWER, "<div>" * 20_000, "<b>" * 30_000, "&a" * 50_000,
     "\n " * 50_000, "<a " + " ".join(f"a{n}" for n in range(16_000)) + ">"],
    ids=lambda source: source[:6],
)  # fmt: skip
def test_a_description_is_read_in_a_moment(source: str) -> None:
    assert "<div><div><div>" not in str(quick(lambda: description_html(source)))[:100]
    quick(lambda: plain_text(source))
    quick(lambda: clean_text(source))


def test_what_has_more_tags_than_any_description_is_shown_as_the_text_that_it_is() -> None:
    assert description_html("<b>x</b>" * 3_000).startswith("<p>&lt;b&gt;x&lt;/b&gt;")
    assert description_html("<b>x</b>" * 300).startswith("<b>x</b>")
    assert "<script" not in description_html("<script>x</script>" * 3_000)
    assert description_html("a < b <i>c</i>") == "a &lt; b <i>c</i>"


@pytest.mark.parametrize(
    "text", ["a" * 5_000, "a-" * 2_500, "-" * 5_000, "a." * 2_500, "a@" * 2_500]
)
def test_links_are_looked_for_in_a_moment(text: str) -> None:
    begun = time.process_time()
    assert reviews._LINK.search(text) is None
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize(
    "text",
    ["see www.x", "a.b+c@mail.example", "go to cheap-plants.shop now", "http://x", "(spam.ru)"],
)
def test_links_are_found(text: str) -> None:
    assert reviews._LINK.search(text)


def test_cells_of_a_file_are_read_in_a_moment() -> None:
    def weigh() -> None:
        with pytest.raises(QuantityError):
            parse_weight("1" + " " * 100_000 + "!")

    quick(weigh)
    assert parse_weight("1 250 g") == 1_250
    assert quick(lambda: len(placing._SEVERAL.split(" " * 200_000))) == 1


@pytest.mark.parametrize("make", [slugify, slug_of])
def test_a_slug_is_made_in_a_moment(make: Callable[[str], str]) -> None:
    assert quick(lambda: make("Crème" + TOWER)) == "creme"
