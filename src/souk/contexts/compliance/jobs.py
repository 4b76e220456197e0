"""What compliance does by the clock."""

from __future__ import annotations

from souk.contexts.compliance import store
from souk.platform import retention
from souk.platform.jobs import JobType, Schedule
from souk.platform.services import Services


async def forget_addresses(services: Services) -> None:
    """From where somebody agreed to something; who, to what and when stays."""
    await retention.forget_addresses(services, store.forget_addresses_of_acceptances)
    await retention.forget_addresses(services, store.forget_addresses_of_consents)


job_types: list[JobType] = []
schedules: list[Schedule] = [
    Schedule("compliance.forget_addresses", "27 3 * * *", forget_addresses)
]
