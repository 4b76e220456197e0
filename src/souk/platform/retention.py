"""How long it is kept from where people came: IP addresses, and what browsers say of themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from souk.platform.database import WriteTx
from souk.platform.options import Flag, Kind, Option, value_of
from souk.platform.services import Services

BATCH = 5_000
ADDRESS_DAYS: Option[int] = Option(
    key="privacy.address_days",
    group="Privacy",
    title="Keep IP addresses",
    help="After so long a nightly job forgets from which address, and with which browser, somebody "
    "signed in, agreed to something or did what the audit log tells. 0 keeps them for ever.",
    kind=Kind.NUMBER,
    default=90,
    least=0,
    most=3_650,
    unit="days",
)
options: list[Option[Any] | Flag] = [ADDRESS_DAYS]

Forget = Callable[[WriteTx, datetime, int], Awaitable[int]]
"""`(tx, before, limit)`: forgets at most `limit` addresses from before; returns how many."""


async def forget_addresses(
    services: Services, forget: Forget, *, at_most: timedelta | None = None
) -> int:
    """Forget what is older than operators want to keep; returns how many addresses.

    `at_most` is how long they may be kept whatever operators want.
    """
    async with services.db.read() as conn:
        days = await value_of(conn, ADDRESS_DAYS)
    spans = [span for span in (timedelta(days=days), at_most) if span]
    if not spans:
        return 0
    before, total = services.clock.now() - min(spans), 0
    while True:
        done = await services.db.transact(lambda tx: forget(tx, before, BATCH))
        total += done
        if done < BATCH:
            return total
