"""The platform's own housekeeping."""

from __future__ import annotations

from souk.platform import audit, retention
from souk.platform.http import idempotency, limits
from souk.platform.jobs import Schedule
from souk.platform.services import Services


async def tidy(services: Services) -> None:
    """Forget idempotency keys after a day, rate-limit windows after two hours."""
    await services.db.transact(idempotency.forget_old)
    await services.db.transact(limits.forget_old)


async def seal_audit(services: Services) -> None:
    """Chain the audit rows that are not sealed yet."""
    while await services.db.transact(audit.seal):
        continue


async def forget_addresses(services: Services) -> None:
    """The audit log forgets from where people came."""
    await retention.forget_addresses(services, audit.forget_addresses)


schedules = [
    Schedule("platform.tidy", "23 * * * *", tidy),
    Schedule("platform.seal_audit", "* * * * *", seal_audit),
    Schedule("platform.forget_addresses", "12 3 * * *", forget_addresses),
]
