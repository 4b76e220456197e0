"""The entries and refunds behind the steps of a seller order."""

from __future__ import annotations

from datetime import timedelta

from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.kernel.actor import Actor
from souk.kernel.money import Money
from souk.platform.database import WriteTx

HOLD = timedelta(days=3)
"""How long an earning waits before it can be paid out: late complaints come within it."""


def _cause(part: orders.SellerOrder) -> str:
    return f"seller_order:{part.id}"


async def release(tx: WriteTx, actor: Actor, *, part: orders.SellerOrder) -> None:
    """Escrow → commission, its tax, and the seller's pending balance; a debt is paid back first."""
    view = await orders.seller_order(tx, part.id)
    escrow, fee, fee_tax = orders.earned(part)
    amount = Money(escrow, part.currency)
    # The operator's own tax office, whatever country the goods went to.
    commission = ledger.CommissionShare(
        Money(fee, part.currency),
        Money(fee_tax, part.currency),
        jurisdiction="operator",
    )
    await ledger.release_escrow(
        tx,
        actor,
        seller_order_id=part.id,
        seller_id=part.seller_id,
        order_number=view.number,
        amount=amount,
        commission=commission,
        release_at=tx.clock.now() + HOLD,
        cause=_cause(part),
    )


async def give_back(
    tx: WriteTx, actor: Actor, *, part: orders.SellerOrder, amount: int, tax: int, reason: str
) -> None:
    """Ask the gateway for a refund and write it down at once, so that nobody is paid the same
    money twice meanwhile. `amount`, in minor units, is counted in `part.refunded` already; `tax`
    is the part of it that was ours to remit. What was free is given back without a refund."""
    if not amount:
        return
    view = await orders.seller_order(tx, part.id)
    paid = await orders.payment_of(tx, part.order_id)
    refund = await payments.request_refund(
        tx,
        actor,
        payment_id=paid.payment_id,
        amount=Money(amount, part.currency),
        key=f"seller_order:{part.id}:{part.refunded}",
        reason=reason,
    )
    remitted = Money(tax, part.currency)
    share = ledger.OrderShare(
        part.id,
        Money(amount, part.currency) - remitted,
        {paid.country: remitted} if tax else {},
    )
    await ledger.post(
        tx,
        actor,
        ledger.draft.refund_before_release(
            refund_id=refund.id,
            gateway=refund.gateway,
            order_number=view.number,
            currency=part.currency,
            shares=[share],
            cause=_cause(part),
        ),
    )
