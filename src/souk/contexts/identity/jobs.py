"""What identity does by the clock."""

from __future__ import annotations

from souk.contexts.identity import retention_store
from souk.contexts.identity.domain import PEOPLE
from souk.platform import retention
from souk.platform.jobs import JobType, Schedule
from souk.platform.services import Services


async def forget_old(services: Services) -> None:
    """Drop sessions, links, devices and counts that ended a month or more ago."""
    await services.db.transact(
        lambda tx: retention_store.forget_old(tx, idle=PEOPLE.idle, absolute=PEOPLE.absolute)
    )


async def forget_addresses(services: Services) -> None:
    """From where somebody signed in, and with what when the session is no longer used."""
    await retention.forget_addresses(services, retention_store.forget_addresses)


job_types: list[JobType] = []
schedules: list[Schedule] = [
    Schedule("identity.forget_old", "17 3 * * *", forget_old),
    Schedule("identity.forget_addresses", "22 3 * * *", forget_addresses),
]
