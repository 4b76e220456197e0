"""What brings a purchase to its end when nobody is waiting for the answer."""

from __future__ import annotations

import structlog

from souk.contexts.inventory import api as inventory
from souk.contexts.payments import api as payments
from souk.flows.checkout import complete, expire, pay
from souk.kernel.actor import system
from souk.kernel.errors import DomainError
from souk.platform.database import WriteTx
from souk.platform.jobs import JobType, Schedule, job
from souk.platform.services import Services

log = structlog.get_logger()
_WEBHOOK = system("payments.webhook")
_BATCH = 100


async def act_on_webhook(services: Services, payload: payments.WebhookJob) -> None:
    """Apply a stored webhook: the same path as the API call's own answer."""
    async with services.db.read() as conn:
        fact = await payments.webhook_fact(conn, payload.webhook_id)
    if fact is None:
        return

    async def act(tx: WriteTx) -> None:
        if fact.outcome is not None and fact.payment_id is not None and fact.checkout_id is not None:
            await complete.settle(
                tx,
                _WEBHOOK,
                checkout_id=fact.checkout_id,
                payment_id=fact.payment_id,
                outcome=fact.outcome,
                source="webhook",
            )
        elif fact.refund_id is not None:
            await payments.record_refund(
                tx, _WEBHOOK, refund_id=fact.refund_id, outcome=fact.refund_outcome
            )
        await payments.mark_processed(tx, payload.webhook_id)

    await services.db.transact(act)


async def sweep(services: Services) -> None:
    """Ask the gateway about payments whose outcome is not known; send refunds that wait."""
    async with services.db.read() as conn:
        stale = await payments.stale(conn, limit=_BATCH)
    for payment in stale:
        try:
            await pay.ask_and_settle(services, pay.SWEEPER, payment, source="sweep")
        except DomainError as error:
            log.warning("payment_not_settled", payment=str(payment.id), code=error.code)
    await send_refunds(services)


async def send_refunds(services: Services) -> None:
    """Execute requested refunds at the gateway; each carries its own idempotency key."""
    async with services.db.read() as conn:
        waiting = await payments.pending_refunds(conn)
    for refund in waiting:
        outcome = await payments.execute_refund(services.get(payments.Gateways), refund)
        await services.db.transact(
            lambda tx, refund=refund, outcome=outcome: payments.record_refund(
                tx, pay.SWEEPER, refund_id=refund.id, outcome=outcome
            )
        )


async def expire_checkouts(services: Services) -> None:
    """End what has run out of time and put its goods back on sale."""
    await expire.expire_due(services)
    await services.db.transact(lambda tx: inventory.expire_due(tx, tx.clock.now(), _BATCH))


job_types: list[JobType] = [job("payments.webhook", payments.WebhookJob, act_on_webhook)]
schedules: list[Schedule] = [
    Schedule("payments.sweep", "* * * * *", sweep),
    Schedule("checkout.expire", "* * * * *", expire_checkouts),
]
