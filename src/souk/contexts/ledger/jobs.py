"""What the ledger does by the clock."""

from __future__ import annotations

from functools import partial

from souk.contexts.ledger import commands
from souk.contexts.ledger.statements import queries
from souk.platform.database import WriteTx
from souk.platform.jobs import Schedule
from souk.platform.services import Services

_BATCH = 100
_FOLD_BATCH = 10_000


async def release_holds(services: Services) -> None:
    """Make earnings available whose hold period is over, until none is left."""

    async def batch(tx: WriteTx) -> int:
        return await commands.release_due(tx, tx.clock.now(), _BATCH)

    while await services.db.transact(batch) == _BATCH:
        continue


async def fold_hot_accounts(services: Services) -> None:
    """Add what was posted to hot accounts to their balances, until nothing is left."""

    async def batch(tx: WriteTx) -> int:
        return await commands.fold(tx, _FOLD_BATCH)

    while await services.db.transact(batch) == _FOLD_BATCH:
        continue


async def carry_balances(services: Services) -> None:
    """Note what sellers' accounts carry into each month, from the last month noted on."""
    async with services.db.read() as conn:
        months = await queries.months_to_carry(conn)
    for month in months:
        await services.db.transact(partial(commands.carry, month=month))


schedules: list[Schedule] = [
    Schedule("ledger.release_holds", "*/5 * * * *", release_holds),
    Schedule("ledger.fold_hot_accounts", "* * * * *", fold_hot_accounts),
    Schedule("ledger.carry_balances", "40 3 * * *", carry_balances),
]
