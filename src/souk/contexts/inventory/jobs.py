"""What inventory does by the clock."""

from __future__ import annotations

from souk.contexts.inventory import commands
from souk.platform.database import WriteTx
from souk.platform.jobs import Schedule
from souk.platform.services import Services

_BATCH = 100


async def expire_reservations(services: Services) -> None:
    """Put expired reservations back on sale, in small transactions until none is left."""

    async def batch(tx: WriteTx) -> int:
        return len(await commands.expire_due(tx, tx.clock.now(), _BATCH))

    while await services.db.transact(batch) == _BATCH:
        continue


schedules: list[Schedule] = [
    Schedule("inventory.expire_reservations", "* * * * *", expire_reservations)
]
