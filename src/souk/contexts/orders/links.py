"""The links in a guest's mails: each opens one order, for a while, and nothing else. No SQL.

A link is not stored: it says which order and until when, and the HMAC proves that we said so.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from souk.contexts.orders.errors import OrderLinkOver, OrderNotFound

LINK_LIFE = timedelta(days=60)
"""As long as a guest's cookie; every mail brings a new link."""
_BODY = struct.Struct(">B16sQ")
_VERSION = 1
_MAC = 16


def order_key(order_id: UUID, *, expires_at: datetime, secret: str) -> str:
    """Text for a URL that opens the order. HMAC-SHA256 cut to 128 bits (RFC 2104, section 5)."""
    body = _BODY.pack(_VERSION, order_id.bytes, int(expires_at.timestamp()))
    return base64.urlsafe_b64encode(body + _mac(body, secret)).rstrip(b"=").decode()


def check_order_key(text: str, order_id: UUID, *, secret: str, now: datetime) -> None:
    """Raises OrderNotFound for a key that does not open this order, OrderLinkOver when too late."""
    if len(text) > 100:
        raise OrderNotFound
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise OrderNotFound from error
    body, mac = raw[:-_MAC], raw[-_MAC:]
    if len(body) != _BODY.size or not hmac.compare_digest(mac, _mac(body, secret)):
        raise OrderNotFound
    version, named, seconds = _BODY.unpack(body)
    if version != _VERSION or named != order_id.bytes:
        raise OrderNotFound
    if now >= datetime.fromtimestamp(seconds, UTC):
        raise OrderLinkOver


def _mac(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), b"order-link:" + body, sha256).digest()[:_MAC]
