"""What becomes of money on its way back to a buyer."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from souk.contexts.payments import api as payments
from souk.kernel.actor import Actor, system
from souk.kernel.money import Money
from souk.platform import audit
from souk.platform.database import WriteTx
from souk.platform.services import Services

SWEEPER = system("payments.sweep")
AGAIN = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))
"""After so long a refund that failed is asked for once more; after the last, a person has to."""


async def settle(
    tx: WriteTx, actor: Actor, *, refund_id: UUID, outcome: payments.RefundOutcome, source: str
) -> None:
    """Apply what the gateway said of a refund; repeated news changes nothing.

    The order and the books say that the buyer gets this money, so one that failed is asked for
    again, as a refund of its own, until it succeeds or a person is needed. Raises RefundNotFound,
    IllegalTransition.
    """
    before = await payments.find_refund(tx, refund_id)
    refund = await payments.record_refund(
        tx, actor, refund_id=refund_id, outcome=outcome, source=source
    )
    failed = payments.RefundState.FAILED
    if refund.state != failed or (before is not None and before.state == failed):
        return
    again = refund.attempt <= len(AGAIN)
    if again:
        await ask_again(tx, actor, refund=refund, after=AGAIN[refund.attempt - 1])
    await audit.record(
        tx,
        actor,
        "payments.refund_failed",
        f"payment:{refund.payment_id}",
        amount=str(Money(refund.amount, refund.currency)),
        failure=refund.failure_code or "",
        tried=refund.attempt,
        again=again,
    )


async def ask_again(
    tx: WriteTx,
    actor: Actor,
    *,
    refund: payments.RefundView,
    after: timedelta = timedelta(0),
) -> payments.RefundView:
    """A new attempt at a refund that failed, once; nothing is booked a second time."""
    return await payments.request_refund(
        tx,
        actor,
        payment_id=refund.payment_id,
        amount=Money(refund.amount, refund.currency),
        key=refund.next_key,
        reason=refund.reason,
        after=after,
    )


async def send_again(tx: WriteTx, actor: Actor, *, refund_id: UUID) -> payments.RefundView:
    """An operator has a refund that failed sent once more; twice is once.

    Raises RefundNotFound, RefundNotFailed.
    """
    refund = await payments.find_refund(tx, refund_id)
    if refund is None:
        raise payments.RefundNotFound
    if refund.state != payments.RefundState.FAILED:
        raise payments.RefundNotFailed
    asked = await ask_again(tx, actor, refund=refund)
    await audit.record(
        tx,
        actor,
        "payments.refund_sent_again",
        f"payment:{refund.payment_id}",
        amount=str(Money(refund.amount, refund.currency)),
        refund=str(refund_id),
    )
    return asked


async def send_refunds(services: Services) -> None:
    """Execute the refunds that are due at the gateway; each carries its own idempotency key."""
    async with services.db.read() as conn:
        waiting = await payments.pending_refunds(conn)
    for refund in waiting:
        outcome = await payments.execute_refund(services.get(payments.Gateways), refund)

        async def keep(
            tx: WriteTx,
            refund: payments.RefundView = refund,
            outcome: payments.RefundOutcome = outcome,
        ) -> None:
            await settle(tx, SWEEPER, refund_id=refund.id, outcome=outcome, source="sweeper")

        await services.db.transact(keep)
