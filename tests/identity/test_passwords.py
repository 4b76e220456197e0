from __future__ import annotations

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from souk.contexts.identity import passwords
from souk.contexts.identity.errors import TooManyLogIns, WeakPassword
from tests.identity.factories import OTHER_PASSWORD, PASSWORD


@pytest.mark.parametrize(
    "password",
    ["short", "password123", "qwertyuiop", "1234567890", "iloveyou2024", "Passw0rd!Passw0rd!",
     "aaaaaaaaaaaaaaaa", "adalovelace1815", "x" * 257],
)  # fmt: skip
def test_guessable_passwords_are_refused(password):
    with pytest.raises(WeakPassword) as refusal:
        passwords.check_strength(password, inputs=["adalovelace@people.test", "Ada Lovelace"])
    assert password not in str(refusal.value.fields)


@pytest.mark.parametrize("password", [PASSWORD, OTHER_PASSWORD, "plain lowercase words grumble"])
def test_strength_needs_no_character_classes(password):
    passwords.check_strength(password, inputs=["ada@people.test"])


def test_what_the_attacker_knows_does_not_count():
    words = ["hildegard.wunderlich@people.test", "Hildegard Wunderlich"]
    with pytest.raises(WeakPassword):
        passwords.check_strength("hildegardwunderlich", inputs=words)


def test_hints_come_with_the_refusal():
    with pytest.raises(WeakPassword) as refusal:
        passwords.check_strength("qwertyuiop", inputs=[])
    assert refusal.value.fields["hints"]


def test_judging_a_long_password_is_quick():
    started = time.perf_counter()
    passwords.check_strength("the quick brown fox 9!" * 11, inputs=["ada@people.test"])
    assert time.perf_counter() - started < 2


async def test_hashes_match_only_their_password():
    stored = await passwords.prepare(PASSWORD, inputs=[])
    assert stored.startswith("$argon2id$")
    assert await passwords.matches(PASSWORD, stored=stored)
    assert not await passwords.matches(PASSWORD + "x", stored=stored)
    assert not await passwords.matches(PASSWORD, stored=None)
    assert not await passwords.matches(PASSWORD, stored="not a hash")


async def test_the_same_characters_typed_differently_match():
    stored = await passwords.prepare("cafe\u0301 orbits quietly", inputs=[])
    assert await passwords.matches("caf\u00e9 orbits quietly", stored=stored)


async def test_a_flood_is_turned_away_instead_of_queued(monkeypatch):
    monkeypatch.setattr(passwords._Queue, "longest", 3)
    results = await asyncio.gather(
        *(passwords.matches(PASSWORD, stored=None) for _ in range(8)), return_exceptions=True
    )
    assert [isinstance(r, TooManyLogIns) for r in results].count(True) == 5
    assert await passwords.matches(PASSWORD, stored=None) is False


async def test_older_hashes_are_upgraded():
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    new = await passwords.upgraded(PASSWORD, stored=old)
    assert new is not None
    assert await passwords.matches(PASSWORD, stored=new)
    assert await passwords.upgraded(PASSWORD, stored=new) is None
