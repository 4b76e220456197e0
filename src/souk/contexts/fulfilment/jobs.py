"""Schedules of fulfilment."""

from __future__ import annotations

from souk.contexts.fulfilment.commands import downloads
from souk.platform.jobs import JobType, Schedule
from souk.platform.services import Services


async def serve_waiting_lines(services: Services) -> None:
    """Licence keys that a cancelled transaction held back reach who waits for them."""
    await services.db.transact(downloads.serve_waiting_lines)


job_types: list[JobType] = []
schedules = [Schedule("fulfilment.serve_waiting_lines", "*/5 * * * *", serve_waiting_lines)]
