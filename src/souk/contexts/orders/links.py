"""The links in a guest's mails: each opens one order, for a while, and nothing else. No SQL.

A link is not stored: it says which order and until when, and the HMAC proves that we said so.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

from souk.contexts.orders.errors import OrderLinkOver, OrderNotFound
from souk.kernel.sealed import seal, unseal

LINK_LIFE = timedelta(days=60)
"""As long as a guest's cookie; every mail brings a new link."""
_BODY = struct.Struct(">B16sQ")
_VERSION = 1
_PURPOSE = "order-link"


def order_key(order_id: UUID, *, expires_at: datetime, secret: str) -> str:
    """Text for a URL that opens the order."""
    body = _BODY.pack(_VERSION, order_id.bytes, int(expires_at.timestamp()))
    return seal(body, purpose=_PURPOSE, secret=secret)


def check_order_key(text: str, order_id: UUID, *, secret: str, now: datetime) -> None:
    """Raises OrderNotFound for a key that does not open this order, OrderLinkOver when too late."""
    if len(text) > 100:
        raise OrderNotFound
    body = unseal(text, size=_BODY.size, purpose=_PURPOSE, secret=secret)
    if body is None:
        raise OrderNotFound
    version, named, seconds = _BODY.unpack(body)
    if version != _VERSION or named != order_id.bytes:
        raise OrderNotFound
    if now >= datetime.fromtimestamp(seconds, UTC):
        raise OrderLinkOver
