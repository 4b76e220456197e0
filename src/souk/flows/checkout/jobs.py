"""What brings a purchase to its end when nobody is waiting for the answer."""

from __future__ import annotations

from datetime import timedelta

import structlog

from souk.contexts.payments import api as payments
from souk.flows.checkout import complete, expire, pay, refunds
from souk.flows.checkout.refunds import send_refunds
from souk.kernel.actor import system
from souk.kernel.errors import DomainError, ErrorKind
from souk.platform.database import WriteTx
from souk.platform.jobs import JobType, Schedule, job
from souk.platform.services import Services

log = structlog.get_logger()
_WEBHOOK = system("payments.webhook")
_QUIET = timedelta(seconds=30)
_BATCH = 100


async def act_on_webhook(services: Services, payload: payments.WebhookJob) -> None:
    """Apply a stored webhook: the same path as the answer to the API call."""
    async with services.db.read() as conn:
        fact = await payments.webhook_fact(conn, payload.webhook_id)
    if fact is None:
        return

    async def act(tx: WriteTx) -> None:
        if fact.checkout_id is not None and fact.payment_id is not None and fact.outcome:
            await complete.settle(
                tx,
                _WEBHOOK,
                checkout_id=fact.checkout_id,
                payment_id=fact.payment_id,
                outcome=fact.outcome,
                source="webhook",
            )
        elif fact.refund_id is not None and fact.refund_outcome is not None:
            await refunds.settle(
                tx,
                _WEBHOOK,
                refund_id=fact.refund_id,
                outcome=fact.refund_outcome,
                source="webhook",
            )
        await payments.mark_processed(tx, payload.webhook_id)

    try:
        await services.db.transact(act)
    except DomainError as error:
        if error.kind is ErrorKind.UNAVAILABLE:
            raise
        # The same news will be refused for ever; a person can have it acted on again.
        log.warning("webhook_refused", webhook=str(payload.webhook_id), code=error.code)
        note = f"refused: {error.code}"
        await services.db.transact(
            lambda tx: payments.mark_processed(tx, payload.webhook_id, note=note)
        )


async def sweep(services: Services) -> None:
    """Settle payments of unknown outcome, send refunds that wait, act on webhooks left over."""
    await pay.sweep(services, older_than=_QUIET, limit=_BATCH)
    await send_refunds(services)
    async with services.db.read() as conn:
        waiting = await payments.waiting_webhooks(conn, older_than=_QUIET, limit=_BATCH)
    for webhook_id in waiting:
        await act_on_webhook(services, payments.WebhookJob(webhook_id))


async def expire_checkouts(services: Services) -> None:
    """End what has run out of time and put its goods back on sale, in small transactions."""
    while await expire.expire_due(services, limit=_BATCH) == _BATCH:
        continue


job_types: list[JobType] = [job(payments.WEBHOOK_JOB, payments.WebhookJob, act_on_webhook)]
schedules: list[Schedule] = [
    Schedule("payments.sweep", "* * * * *", sweep),
    Schedule("checkout.expire", "* * * * *", expire_checkouts),
]
