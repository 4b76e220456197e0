from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from souk.contexts.reviews.domain import (
    EDIT_WINDOW,
    MAX_PHOTOS,
    Kind,
    Photo,
    Review,
    State,
    causes,
    clean_words,
    public_name,
    require_in_time,
)
from souk.contexts.reviews.errors import TooLateToEdit, TooLateToReview, TooManyPhotos
from souk.kernel.errors import IllegalTransition, InvalidInput
from souk.kernel.ids import uuid7

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def review(state: State = State.PUBLISHED) -> Review:
    seller = uuid7()
    return Review(
        id=uuid7(), kind=Kind.LISTING, subject_id=uuid7(), seller_id=seller, order_id=uuid7(),
        seller_order_id=uuid7(), order_line_id=uuid7(), author_id=uuid7(), guest=None,
        author_name="Ada L.", title="Fern", detail="", slug="fern", stars=4, text="Good.",
        state=state, created_at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lovely plant, well packed.", []),
        ("Cheaper at www.elsewhere.example", ["link"]),
        ("See HTTPS://x.example/y", ["link"]),
        ("Write to me at ada@example.org", ["link"]),
        ("Buy it at planthub.com instead", ["link"]),
        ("The pot is 12.5 cm. Good", []),
        ("Write me on WhatsApp", ["word"]),
        ("Western  Union only", ["word"]),
        ("I like the whatsapping sound", []),
    ],
)
def test_what_is_looked_at_first(text: str, expected: list[str]) -> None:
    assert causes(text, words=["whatsapp", "western union"]) == expected


def test_new_accounts_and_returning_offenders_are_looked_at() -> None:
    assert causes("Good.", words=[], account_age=timedelta(hours=3)) == ["new_account"]
    assert causes("Good.", words=[], account_age=timedelta(days=2)) == []
    assert causes("Good.", words=[], account_age=None, hidden_before=True) == ["hidden_before"]


def test_a_change_is_looked_at_when_it_gives_cause() -> None:
    found = review()
    found.edit(stars=5, text="Very good.", held_for=[], now=NOW)
    assert (found.state, found.stars, found.edited_at) == (State.PUBLISHED, 5, NOW)
    found.edit(stars=5, text="www.x.example", held_for=["link"], now=NOW)
    assert (found.state, found.held_for) == (State.HELD, ["link"])
    found.edit(stars=5, text="Very good.", held_for=[], now=NOW)
    assert (found.state, found.held_for) == (State.HELD, ["link"])


def test_a_hidden_review_that_is_changed_waits_for_another_look() -> None:
    found = review(State.HIDDEN)
    found.edit(stars=3, text="Politely.", held_for=[], now=NOW)
    assert (found.state, found.held_for) == (State.HELD, ["hidden_before"])


def test_changes_end_with_their_window() -> None:
    found = review()
    found.require_editable(NOW + EDIT_WINDOW)
    with pytest.raises(TooLateToEdit):
        found.edit(stars=1, text="", held_for=[], now=NOW + EDIT_WINDOW + timedelta(seconds=1))
    with pytest.raises(TooLateToReview):
        require_in_time(NOW, NOW + timedelta(days=181))


def test_nothing_is_left_of_a_deleted_review() -> None:
    found = review()
    found.answer("Thank you.", NOW)
    found.delete()
    assert (found.text, found.reply, found.counted) == ("", "", None)
    with pytest.raises(IllegalTransition):
        found.move_to(State.PUBLISHED)


def test_only_the_first_answer_is_news() -> None:
    found = review()
    assert found.answer("Thank you.", NOW)
    assert not found.answer("Thank you very much.", NOW)
    with pytest.raises(IllegalTransition):
        review(State.HELD).answer("Early.", NOW)


def test_five_photos_and_no_more() -> None:
    found = review()
    for _ in range(MAX_PHOTOS):
        found.add_photo(Photo(id=uuid7(), key="k", width=1, height=1))
    with pytest.raises(TooManyPhotos):
        found.add_photo(Photo(id=uuid7(), key="k", width=1, height=1))


def test_words_are_cleaned_and_bounded() -> None:
    assert clean_words(" a\x00\u202eb \r\n\n\n\nc ", path="t", least=0, most=9) == "ab \n\nc"
    with pytest.raises(InvalidInput):
        clean_words("ab", path="t", least=3, most=9)
    with pytest.raises(InvalidInput):
        clean_words("a" * 10, path="t", least=3, most=9)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Ada Lovelace", "Ada L."), ("Ada", "Ada"), ("Maria del Mar", "Maria M."), ("  ", "")],
)
def test_authors_show_no_last_name(name: str, shown: str) -> None:
    assert public_name(name) == shown
