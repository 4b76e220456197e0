from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.identity.domain import (
    ATTEMPTS,
    LONGEST_LOCK,
    PEOPLE,
    STAFF,
    WINDOW,
    Lockout,
    MemberRole,
    User,
    UserState,
    clean_locale,
    clean_name,
    device_fingerprint,
    may_hand_out,
    normal_email,
    session_life,
)
from souk.contexts.identity.errors import BadEmail
from souk.kernel.actor import GUEST, Actor, Permission, Role, permissions_of, system
from souk.kernel.errors import IllegalTransition, InvalidInput
from souk.kernel.ids import uuid7

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def user(**changes) -> User:
    base = User(
        id=uuid7(),
        email="ada@people.test",
        display_name="Ada",
        locale="en",
        state=UserState.ACTIVE,
        staff_roles=frozenset(),
        email_verified_at=None,
        created_at=NOW,
    )
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Ada@People.TEST", "ada@people.test"),
        ("  ada+souk@people.test ", "ada+souk@people.test"),
        ("ada@BÜCHER.de", "ada@xn--bcher-kva.de"),
        ("ada@xn--bcher-kva.de", "ada@xn--bcher-kva.de"),
    ],
)
def test_one_spelling_per_address(text, normal):
    assert normal_email(text) == normal


@pytest.mark.parametrize(
    "text",
    ["", "ada", "ada@", "@people.test", "a b@people.test", "ada@localhost", "a@b@people.test",
     "ada@people.test\nBcc: eve@x.de", "ada@[127.0.0.1]", "x" * 300 + "@people.test", "ü@x.de",
     "ada\x00@people.test"],
)  # fmt: skip
def test_what_is_not_an_address(text):
    with pytest.raises(BadEmail):
        normal_email(text)


def test_names_are_one_line_without_invisible_characters():
    assert clean_name("  Ada \n\t Love\u202elace\x00 ") == "Ada Lovelace"
    for bad in ("", " \n", "\u200b", "x" * 81):
        with pytest.raises(InvalidInput):
            clean_name(bad)


def test_locales():
    assert clean_locale("pt-BR") == "pt-BR"
    for bad in ("", "english", "EN", "en_US", "en\n", "e" * 40):
        with pytest.raises(InvalidInput):
            clean_locale(bad)


def test_everyone_is_a_customer_and_membership_adds_the_seller_role():
    assert user().roles == {Role.CUSTOMER}
    seller = user(seller_id=uuid7(), member_role=MemberRole.OWNER)
    assert seller.roles == {Role.CUSTOMER, Role.SELLER}
    assert user(seller_id=uuid7(), member_role=MemberRole.STAFF).roles == {
        Role.CUSTOMER,
        Role.SELLER_STAFF,
    }
    assert seller.actor(session_id=None).permissions == frozenset()


def test_the_actor_carries_the_permissions_of_the_roles():
    actor = user(staff_roles=frozenset({Role.FINANCE})).actor(session_id=None)
    assert actor.may(Permission.MONEY_MANAGE)
    assert not actor.may(Permission.USERS_MANAGE)


def test_suspending_twice_is_refused():
    suspended = user().suspend()
    assert suspended.state is UserState.SUSPENDED
    with pytest.raises(IllegalTransition):
        suspended.suspend()
    assert suspended.reinstate().state is UserState.ACTIVE
    with pytest.raises(IllegalTransition):
        user().reinstate()


def test_nobody_hands_out_more_than_they_hold():
    roles = frozenset({Role.ADMIN})
    admin = Actor(kind="user", user_id=uuid7(), roles=roles, permissions=permissions_of(roles))
    narrow = replace(admin, permissions=frozenset({Permission.USERS_MANAGE, Permission.USERS_VIEW}))
    assert may_hand_out(admin, Role.ADMIN)
    assert may_hand_out(system("x"), Role.ADMIN)
    assert not may_hand_out(narrow, Role.ADMIN)
    assert not may_hand_out(GUEST, Role.SUPPORT)
    assert not may_hand_out(admin, Role.SELLER)


def test_staff_sessions_are_shorter():
    assert session_life(frozenset({Role.CUSTOMER})) is PEOPLE
    assert session_life(frozenset({Role.CUSTOMER, Role.SUPPORT})) is STAFF


def test_a_session_ends_idle_or_old():
    assert not PEOPLE.is_over(created_at=NOW, last_seen_at=NOW, now=NOW + PEOPLE.idle / 2)
    assert PEOPLE.is_over(created_at=NOW, last_seen_at=NOW, now=NOW + PEOPLE.idle)
    late = NOW + PEOPLE.absolute
    assert PEOPLE.is_over(created_at=NOW, last_seen_at=late, now=late)


def fresh() -> Lockout:
    return Lockout(window_start=NOW, touched_at=NOW)


def tried(times: int, lockout: Lockout, now: datetime) -> Lockout:
    for _ in range(times):
        lockout = lockout.count(now)
    return lockout


def test_the_fifth_try_locks_for_a_quarter_of_an_hour():
    assert tried(ATTEMPTS - 1, fresh(), NOW).wait(NOW) == 0
    locked = tried(ATTEMPTS, fresh(), NOW)
    assert locked.wait(NOW) == 900
    assert locked.wait(NOW + timedelta(minutes=14, seconds=59)) == 1
    assert locked.wait(NOW + WINDOW) == 0


def test_each_lock_is_twice_as_long_up_to_a_day():
    lockout, now, waits = fresh(), NOW, []
    for _ in range(10):
        lockout = tried(ATTEMPTS, lockout, now)
        waits.append(lockout.wait(now))
        now += timedelta(seconds=lockout.wait(now))
    assert waits[:4] == [900, 1800, 3600, 7200]
    assert waits[-1] == LONGEST_LOCK.total_seconds()


def test_old_tries_and_locks_are_forgotten():
    four = tried(ATTEMPTS - 1, fresh(), NOW)
    assert four.count(NOW + WINDOW).wait(NOW + WINDOW) == 0
    locked = tried(ATTEMPTS, fresh(), NOW)
    later = locked.locked_until + LONGEST_LOCK + timedelta(seconds=1)
    assert tried(ATTEMPTS, locked, later).wait(later) == 900


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=60))
def test_never_more_than_five_tries_in_any_window(pauses):
    lockout, now, taken = fresh(), NOW, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if not lockout.wait(now):
            lockout = lockout.count(now)
            taken.append(now)
    for start in taken:
        # A window that begins anywhere can touch two counted windows.
        assert sum(start <= at < start + WINDOW for at in taken) <= 2 * ATTEMPTS - 1


def test_devices_are_told_apart_by_browser_and_neighbourhood():
    def print_of(agent: str, ip: str | None) -> bytes:
        return device_fingerprint(user_agent=agent, ip=ip)

    assert print_of("F", "198.51.100.1") == print_of("F", "198.51.7.9")
    assert print_of("F", "198.51.100.1") != print_of("F", "203.0.113.1")
    assert print_of("F", "198.51.100.1") != print_of("G", "198.51.100.1")
    assert print_of("F", "2001:db8::1") == print_of("F", "2001:db8:ffff::9")
    assert print_of("F", "not an address") != print_of("F", None)
