"""Passwords: how strong they must be, and Argon2id in two threads so that requests go on.

Hashing is done before a transaction begins, never inside one: it takes tens of milliseconds and
would hold a connection and row locks.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NewType, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from souk.contexts.identity.errors import TooManyLogIns, WeakPassword

T = TypeVar("T")
PasswordHash = NewType("PasswordHash", str)
MIN_LENGTH = 10
MAX_LENGTH = 256
_MIN_SCORE = 3
# zxcvbn's time grows with the square of the length; more than this adds no strength to judge.
_JUDGED = 64
# It tries every way to read signs as letters: more different ones than this take seconds.
_SIGNS = frozenset("4@8({[<369!1|0$5+7%2")
_MOST_SIGNS = 9
# OWASP's Argon2id minimum (19 MiB, 2 passes): two at once stay inside the web worker's memory.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def _estimate(password: str, words: Sequence[str]) -> dict[str, Any]:
    # Its lists of words take 8 MB; only a process that sees a new password needs them.
    import zxcvbn as zxcvbn_module  # noqa: PLC0415

    estimate = cast(
        "Callable[..., dict[str, Any]]",
        zxcvbn_module.zxcvbn,  # pyright: ignore[reportUnknownMemberType]
    )
    return estimate(password, user_inputs=words)


class _Queue:
    """How many requests wait for a hash; a flood of log-ins is turned away instead of queued."""

    waiting = 0
    longest = 100


def refuse_when_full() -> None:
    """Raise TooManyLogIns before a try is counted that could not be looked at."""
    if _Queue.waiting >= _Queue.longest:
        raise TooManyLogIns


async def _in_thread(work: Callable[[], T]) -> T:
    refuse_when_full()
    _Queue.waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _Queue.waiting -= 1


def _normal(password: str) -> str:
    # NIST SP 800-63B-4, 3.1.1.2: the same characters typed on another keyboard must match.
    return unicodedata.normalize("NFKC", password)


def check_strength(password: str, *, inputs: Sequence[str]) -> None:
    """Raise WeakPassword when the password is short, too long, common or easily guessed.

    `inputs` are words that the attacker knows: address, name, the marketplace's name.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Use {MIN_LENGTH} characters or more.", hints=[])
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"Use {MAX_LENGTH} characters or fewer.", hints=[])
    words = [word for text in inputs for word in (text, *text.replace("@", " ").split()) if word]
    result = _estimate(_judged(password), words)
    if result["score"] < _MIN_SCORE:
        feedback = result["feedback"]
        hints = [str(hint) for hint in (feedback["warning"], *feedback["suggestions"]) if hint]
        raise WeakPassword(
            "This password is easy to guess. Use a few unusual words or a password manager.",
            hints=hints,
        )


def _judged(password: str) -> str:
    """The beginning that decides how strong it is: what follows can only make it stronger."""
    seen: set[str] = set()
    for place, char in enumerate(password[:_JUDGED]):
        seen |= {char} & _SIGNS
        if len(seen) > _MOST_SIGNS:
            return password[:place]
    return password[:_JUDGED]


async def prepare(password: str, *, inputs: Sequence[str]) -> PasswordHash:
    """Check a new password and hash it. Raises WeakPassword, TooManyLogIns."""
    normal = _normal(password)

    def work() -> str:
        check_strength(normal, inputs=inputs)
        return _hasher.hash(normal)

    return PasswordHash(await _in_thread(work))


@cache
def _decoy() -> str:
    return _hasher.hash("no account has this password")


async def matches(password: str, *, stored: str | None) -> bool:
    """Whether the password is the stored one. Takes as long when there is none to compare with."""
    normal = _normal(password)[: MAX_LENGTH + 1]

    def work() -> bool:
        try:
            _hasher.verify(stored or _decoy(), normal)
        except (VerifyMismatchError, InvalidHashError):
            return False
        return stored is not None

    return await _in_thread(work)


async def upgraded(password: str, *, stored: str) -> PasswordHash | None:
    """The right password hashed anew when the stored hash has older parameters, else None."""
    if not _hasher.check_needs_rehash(stored):
        return None
    return PasswordHash(await _in_thread(lambda: _hasher.hash(_normal(password))))
