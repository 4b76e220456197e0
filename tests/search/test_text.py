"""Words, folding, edit distance; what may be logged."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.search.domain import quality
from souk.contexts.search.text import (
    MAX_QUERY_WORDS,
    allowed_typos,
    edit_distance,
    fold,
    normalised,
    query_words,
    words,
)
from tests.search.factories import document


def plain_distance(left: str, right: str) -> int:
    """Optimal string alignment by its recursive definition."""

    @cache
    def between(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        best = min(
            between(i - 1, j) + 1,
            between(i, j - 1) + 1,
            between(i - 1, j - 1) + (left[i - 1] != right[j - 1]),
        )
        if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
            best = min(best, between(i - 2, j - 2) + 1)
        return best

    return between(len(left), len(right))


@given(
    left=st.text(alphabet="abc", max_size=8),
    right=st.text(alphabet="abc", max_size=8),
    limit=st.integers(0, 3),
)
def test_edit_distance_up_to_the_limit(left: str, right: str, limit: int) -> None:
    assert edit_distance(left, right, limit=limit) == min(plain_distance(left, right), limit + 1)


@given(text=st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert words(normalised(text)) == words(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'épicéa d'été", ["l", "epicea", "d", "ete"]),
        ("snake_case e-mail 5.5cm", ["snake", "case", "e", "mail", "5", "5cm"]),
        ("ŁÓDŹ Ærø İstanbul", ["lodz", "aero", "istanbul"]),
        ("مَرْحَبًا", ["مرحبا"]),
        ("苗木 set", ["苗", "木", "set"]),
        ("\ud800 ?! \x00", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_query_words_are_few_distinct_and_telling() -> None:
    assert query_words("the rose and the Rose of a garden") == ["rose", "garden"]
    assert query_words("to the") == ["to", "the"]
    assert len(query_words(" ".join(f"w{n}" for n in range(99)))) == MAX_QUERY_WORDS


@pytest.mark.parametrize(
    ("word", "typos"), [("ivy", 0), ("rose", 1), ("clivias", 1), ("monstera", 2), ("a123456789", 0)]
)
def test_allowed_typos(word: str, typos: int) -> None:
    assert allowed_typos(word) == typos


@given(
    popularity=st.floats(),
    rating=st.none() | st.floats(0, 5),
    count=st.integers(0, 10**9),
    in_stock=st.booleans(),
)
def test_quality_is_bounded(
    popularity: float,
    rating: float | None,
    count: int,
    in_stock: bool,
) -> None:
    listing = document(
        "Fern", popularity=popularity, rating=rating, rating_count=count, in_stock=in_stock
    )
    assert 0.5 <= quality(listing) <= 2.0
