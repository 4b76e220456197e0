"""Schedules of fulfilment."""

from __future__ import annotations

from datetime import timedelta

from souk.contexts.fulfilment.commands import downloads
from souk.contexts.fulfilment.store import downloads as store
from souk.platform import retention
from souk.platform.jobs import JobType, Schedule
from souk.platform.services import Services

KEEP_ADDRESSES = timedelta(days=30)


async def serve_waiting_lines(services: Services) -> None:
    """Licence keys that a cancelled transaction held back reach who waits for them."""
    await services.db.transact(downloads.serve_waiting_lines)


async def forget_addresses(services: Services) -> None:
    """From where a download was begun is a log: it is kept for thirty days, or less."""
    await retention.forget_addresses(services, store.forget_addresses, at_most=KEEP_ADDRESSES)


job_types: list[JobType] = []
schedules = [
    Schedule("fulfilment.serve_waiting_lines", "*/5 * * * *", serve_waiting_lines),
    Schedule("fulfilment.forget_addresses", "52 3 * * *", forget_addresses),
]
