"""Schedules of carts."""

from __future__ import annotations

from souk.contexts.carts import commands
from souk.platform.jobs import JobType, Schedule
from souk.platform.services import Services


async def forget_idle_guests(services: Services) -> None:
    await services.db.transact(commands.forget_idle_guests)


job_types: list[JobType] = []
schedules = [Schedule("carts.forget_idle_guests", "17 3 * * *", forget_idle_guests)]
