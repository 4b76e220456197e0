"""Reads of carts."""

from __future__ import annotations

from souk.contexts.carts import store
from souk.contexts.carts.domain import Cart
from souk.platform.database import ReadConn
from souk.platform.http.holder import Holder


async def read(conn: ReadConn, holder: Holder) -> Cart:
    """The holder's cart in one statement; the empty one (nil id) when there is none."""
    return await store.load(conn, holder)
