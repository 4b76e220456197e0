"""What operators change about orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from souk.platform.database import ReadConn
from souk.platform.options import Flag, Kind, Option, value_of

RETURN_DAYS: Option[int] = Option(
    key="orders.return_days",
    group="Orders",
    title="Return window",
    help="For so long after delivery a buyer can ask to send goods back; when it is over, the "
    "order is complete and its seller is paid.",
    kind=Kind.NUMBER,
    default=7,
    least=1,
    most=100,
    unit="days",
)


async def return_window(conn: ReadConn) -> timedelta:
    """How long after delivery a buyer can ask to send goods back, at this moment."""
    return timedelta(days=await value_of(conn, RETURN_DAYS))


options: list[Option[Any] | Flag] = [RETURN_DAYS]
