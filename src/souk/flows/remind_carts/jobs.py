"""The schedule that looks for carts left standing."""

from __future__ import annotations

import structlog

from souk.flows.remind_carts import flow
from souk.platform.jobs import JobType, Schedule
from souk.platform.services import Services

log = structlog.get_logger()
_AT_ONCE = 50


async def remind_of_carts(services: Services) -> None:
    """Every hour; in small transactions, so that a long night's carts hold nothing up."""
    async with services.db.read() as conn:
        waiting = await flow.due(conn)
    sent = 0
    for start in range(0, len(waiting), _AT_ONCE):
        part = waiting[start : start + _AT_ONCE]
        sent += await services.db.transact(lambda tx, part=part: flow.remind(tx, part))
    if sent:
        log.info("carts_reminded", sent=sent)


job_types: list[JobType] = []
schedules = [Schedule("remind_carts.remind", "23 * * * *", remind_of_carts)]
