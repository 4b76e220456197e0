"""Sentences that are shown once, on the next page: carried there by a signed cookie."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

import msgspec

from souk.platform.settings import Settings

FLASH_COOKIE = "souk_flash"


class Flash(msgspec.Struct, frozen=True):
    """A sentence shown once on the next page; `tone` is success, info, warn or error."""

    tone: str
    text: str


def signed_flash(flash: Flash, settings: Settings) -> str:
    """The cookie's value."""
    value = base64.urlsafe_b64encode(msgspec.json.encode([flash])).decode()
    return f"{value}.{_sign(value, settings)}"


def _sign(value: str, settings: Settings) -> str:
    return hmac.new(settings.secret_key.encode(), b"flash:" + value.encode(), sha256).hexdigest()


def read_flashes(cookie: str, settings: Settings) -> list[Flash]:
    """The sentences of a cookie; none when it is not ours."""
    value, _, signature = cookie.partition(".")
    # A cookie may hold any byte; text of such cannot be compared.
    if not cookie.isascii() or not hmac.compare_digest(signature, _sign(value, settings)):
        return []
    return msgspec.json.decode(base64.urlsafe_b64decode(value), type=list[Flash])
