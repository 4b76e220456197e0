"""The link in a guest's mail: it opens the pages of one order, and lets its buyer act there."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.orders import api as orders
from souk.platform.database import ReadConn
from souk.platform.http.holder import Holder, holder_of
from souk.platform.settings import Settings
from souk.web.page import Req

ORDER_COOKIE = "souk_order"
"""Sent to the pages of this one order alone."""


def opens(request: Req, conn: ReadConn, order_id: UUID) -> bool:
    """Whether the request carries a key that opens this order now."""
    key = request.cookies.get(ORDER_COOKIE)
    if key is None:
        return False
    settings: Settings = request.app.state["settings"]
    try:
        orders.check_order_key(key, order_id, secret=settings.secret_key, now=conn.clock.now())
    except (orders.OrderNotFound, orders.OrderLinkOver):
        return False
    return True


async def buyer_of(request: Req, conn: ReadConn, order_id: UUID) -> Holder:
    """Whoever opened the link of a guest's order stands for that guest; others for themselves."""
    if opens(request, conn, order_id):
        guest = await orders.guest_of(conn, order_id)
        if guest is not None:
            return Holder(guest=guest)
    return await holder_of(request)
