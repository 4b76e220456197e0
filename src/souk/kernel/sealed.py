"""Bytes that prove by themselves that we wrote them: text for a URL, signed, not stored."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

_MAC = 16


def seal(body: bytes, *, purpose: str, secret: str) -> str:
    """`body` as URL text. HMAC-SHA256 cut to 128 bits (RFC 2104, section 5).

    What was sealed for one purpose does not open for another.
    """
    whole = body + _mac(body, purpose, secret)
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def unseal(text: str, *, size: int, purpose: str, secret: str) -> bytes | None:
    """The `size` bytes that were sealed for this purpose; None when they were not."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[:-_MAC], raw[-_MAC:]
    if len(body) != size or not hmac.compare_digest(mac, _mac(body, purpose, secret)):
        return None
    return body


def _mac(body: bytes, purpose: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), f"{purpose}:".encode() + body, sha256).digest()[:_MAC]
