from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.kernel.actor import GUEST, Actor, Permission, Role, permissions_of, system
from souk.kernel.clock import SettableClock, SystemClock
from souk.kernel.errors import DomainError, ErrorKind, FieldProblem, IllegalTransition, InvalidInput
from souk.kernel.ids import fingerprint, human_number, parse_uuid, token, uuid7
from souk.kernel.page import BadCursor, decode_cursor, encode_cursor, page_of


def test_uuid7_has_version_variant_and_order():
    ids = [uuid7() for _ in range(200)]
    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}
    assert len(set(ids)) == 200
    assert ids == sorted(ids)
    many = [uuid7() for _ in range(20_000)]
    assert many == sorted(many)


def test_human_numbers_avoid_look_alikes():
    number = human_number(groups=2, size=5)
    assert len(number) == 11
    assert not set(number) & set("01OILUVAE")


def test_tokens_are_long_and_kept_as_hashes():
    assert len(token()) >= 43
    assert len(fingerprint("x")) == 32
    assert parse_uuid("nonsense") is None
    assert parse_uuid(str(UUID(int=5))) == UUID(int=5)


# A NUL cannot be kept in text, so no cursor of ours has one.
keys_of_rows = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(st.lists(st.one_of(st.none(), st.integers(), keys_of_rows), min_size=1, max_size=4))
def test_cursors_round_trip(keys):
    assert decode_cursor(encode_cursor(*keys), size=len(keys)) == keys


@given(st.text(max_size=60))
def test_foreign_cursors_are_refused(text):
    assert BadCursor.kind is ErrorKind.INVALID
    with contextlib.suppress(BadCursor):
        assert len(decode_cursor(text, size=2)) == 2


def test_pages_know_whether_more_follows():
    page = page_of([1, 2, 3], limit=2, cursor_of=str)
    assert (page.items, page.next_cursor) == ([1, 2], "2")
    assert page_of([1, 2], limit=2, cursor_of=str).next_cursor is None


def test_errors_declare_code_and_kind():
    with pytest.raises(TypeError, match="declare"):
        type("Bare", (DomainError,), {})
    error = IllegalTransition(subject="order", current="shipped", wanted="cancelled")
    assert "shipped" in str(error)
    assert error.fields["wanted"] == "cancelled"
    problem = InvalidInput("No.", problems=[FieldProblem("a", "b", "c")])
    assert problem.fields["problems"] == [{"path": "a", "code": "b", "message": "c"}]


def test_clocks():
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(days=1))
    assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)
    clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    assert clock.now().year == 2027
    assert SystemClock().now().tzinfo is UTC


def test_actors_say_what_they_may():
    admin = Actor(kind="user", user_id=uuid7(), permissions=permissions_of(frozenset({Role.ADMIN})))
    assert admin.may(Permission.MONEY_MANAGE)
    assert admin.is_operator
    assert admin.label().startswith("user:")
    assert not GUEST.is_operator
    assert GUEST.label() == "guest"
    assert system("sweep").label() == "system:sweep"
    assert not permissions_of(frozenset({Role.SELLER}))
