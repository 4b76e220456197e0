"""Identifiers: UUIDv7 for rows (RFC 9562), short human numbers for orders."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from uuid import UUID

# Crockford's base 32 without vowels that form words and without 0/O, 1/I/L, U/V look-alikes.
_COUNTER_MAX = 0xFFF
_HUMAN = "23456789BCDFGHJKMNPQRSTWXYZ"


_last_millis = 0
_counter = 0


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, version 7), in order even within one millisecond.

    48 bits of Unix milliseconds, a 12-bit counter that starts anew at random each millisecond
    (section 6.2, method 1), 62 random bits. The order holds within a thread of a process.
    """
    global _last_millis, _counter  # noqa: PLW0603 - the counter is what the method is about
    millis = time.time_ns() // 1_000_000
    rand = int.from_bytes(os.urandom(10), "big")
    if millis > _last_millis:
        _last_millis, _counter = millis, rand >> 69
    else:
        _counter += 1
        if _counter > _COUNTER_MAX:
            _last_millis, _counter = _last_millis + 1, 0
    value = (
        (_last_millis & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | _counter << 64
        | 0b10 << 62
        | (rand & 0x3FFF_FFFF_FFFF_FFFF)
    )
    return UUID(int=value)


def human_number(*, groups: int = 2, size: int = 4) -> str:
    """An unguessable number that survives being read aloud, such as `7KQM-42XD`.

    Two groups of four carry 38 bits; the database's unique constraint settles collisions.
    """
    return "-".join("".join(secrets.choice(_HUMAN) for _ in range(size)) for _ in range(groups))


def token(*, size: int = 32) -> str:
    """A URL-safe secret with `size` random bytes. Store only its `fingerprint`."""
    return secrets.token_urlsafe(size)


def parse_uuid(text: str) -> UUID | None:
    """The UUID in `text`, or None: an id from outside that is not one names nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None


def fingerprint(secret: str) -> bytes:
    """SHA-256 of a high-entropy secret: what the database keeps instead of a token."""
    return hashlib.sha256(secret.encode()).digest()
