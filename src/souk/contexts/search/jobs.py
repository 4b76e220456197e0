"""What search does by the clock."""

from __future__ import annotations

from souk.contexts.search import commands
from souk.platform.jobs import Schedule
from souk.platform.services import Services


async def _forget_old_queries(services: Services) -> None:
    await services.db.transact(commands.forget_old_queries)


schedules: list[Schedule] = [
    Schedule("search.forget_old_queries", "17 3 * * *", _forget_old_queries)
]
