"""The one path on which a payment's outcome takes effect."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.carts import api as carts
from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.money import Money
from souk.platform import audit
from souk.platform.database import WriteTx


class Settled(msgspec.Struct, frozen=True):
    """What became of a checkout: `order_id` once it is an order, `payment` as it stands."""

    checkout_id: UUID
    state: str
    order_id: UUID | None
    number: str | None
    payment: payments.PaymentView


async def settle(
    tx: WriteTx,
    actor: Actor,
    *,
    checkout_id: UUID,
    payment_id: UUID,
    outcome: payments.GatewayOutcome,
    source: str,
) -> Settled:
    """Apply what the gateway said. Any number of calls with the same outcome have one effect.

    Locks: checkout → payment → stock → ledger accounts.
    """
    checkout = await orders.lock_any_checkout(tx, checkout_id=checkout_id)
    before = await payments.lock(tx, payment_id)
    if outcome.kind is not payments.OutcomeKind.CAPTURED:
        payment = await payments.record(tx, actor, payment=before, outcome=outcome, source=source)
        if payment.state in payments.ENDED_WITHOUT_MONEY:
            await _back_to_open(tx, checkout, payment_id)
        return _settled(checkout, payment)
    if checkout.state is orders.CheckoutState.COMPLETED:
        return await _already_completed(tx, actor, checkout, before, outcome, source)
    if before.state is payments.PaymentState.CAPTURED:
        # Its money was sent back already: goods that are there again do not change that.
        return _settled(checkout, payments.view_of(before))
    # An attempt that was given up may be captured after the checkout was changed; nobody pays for
    # what they have not seen.
    seen = (checkout.totals.total, checkout.currency)
    as_seen = (before.amount, before.currency) == seen == (outcome.amount, outcome.currency)
    # Who has cancelled gets the money back, not the goods.
    wanted = as_seen and checkout.state is not orders.CheckoutState.CANCELLED
    if not wanted or not await _take_stock(tx, actor, checkout):
        return await _send_back(tx, actor, checkout, before, outcome, source)
    return await _complete(tx, actor, checkout, before, outcome, source)


def tax_country(checkout: orders.Checkout) -> str:
    """Where the tax of a purchase is due: where it goes, where the buyer is, or here."""
    address = checkout.shipping_address or checkout.billing_address or {}
    return checkout.tax_country or address.get("country", "")


def order_share(part: orders.SellerOrder, country: str) -> ledger.OrderShare:
    """What of a payment waits in escrow for a seller order, and what is tax to remit."""
    total = Money(part.totals.total, part.currency)
    tax = Money(part.totals.tax, part.currency)
    return ledger.OrderShare(part.id, total - tax, {country: tax} if tax else {})


def _settled(
    checkout: orders.Checkout, payment: payments.PaymentView, *, number: str | None = None
) -> Settled:
    return Settled(checkout.id, checkout.state, checkout.order_id, number, payment)


async def _back_to_open(tx: WriteTx, checkout: orders.Checkout, payment_id: UUID) -> None:
    """A declined or cancelled payment frees the goods; the buyer may try another card."""
    if (
        checkout.state is orders.CheckoutState.AWAITING_PAYMENT
        and checkout.payment_id == payment_id
    ):
        checkout.move(orders.CheckoutState.OPEN)
        checkout.payment_id = None
        await inventory.release(tx, checkout.id)
        await orders.save_checkout(tx, checkout)


async def _take_stock(tx: WriteTx, actor: Actor, checkout: orders.Checkout) -> bool:
    """Turn the reservation into sales; when it ran out before the money came, try once more."""
    reference = f"checkout:{checkout.id}"
    try:
        await inventory.consume(tx, actor, checkout_id=checkout.id, reference=reference)
    except inventory.ReservationGone:
        lines = [(line.variant_id, line.quantity) for line in checkout.lines]
        until = tx.clock.now() + orders.RESERVATION_LIFE
        try:
            await inventory.reserve(tx, checkout_id=checkout.id, lines=lines, expires_at=until)
        except inventory.SoldOut:
            return False
        await inventory.consume(tx, actor, checkout_id=checkout.id, reference=reference)
    return True


async def _complete(
    tx: WriteTx,
    actor: Actor,
    checkout: orders.Checkout,
    before: payments.Payment,
    outcome: payments.GatewayOutcome,
    source: str,
) -> Settled:
    tiers = await sellers.tiers(tx, {line.seller_id for line in checkout.lines})
    quotes = await ledger.quote_commissions(
        tx,
        [
            ledger.CommissionBase(
                line_id=line.variant_id,
                seller_id=line.seller_id,
                tier=tiers[line.seller_id],
                category_ids=tuple(reversed(line.category_ids)),
                kind=line.kind,
                amount=Money(line.subtotal, checkout.currency),
            )
            for line in checkout.lines
        ],
    )
    # The money first: that is the order in which timelines tell it.
    payment = await payments.record(tx, actor, payment=before, outcome=outcome, source=source)
    placed = await orders.place(
        tx,
        actor,
        checkout=checkout,
        payment_id=payment.id,
        commissions=[
            orders.LineCommission(quote.rule_id, quote.amount.amount, quote.tax.amount)
            for quote in quotes
        ],
    )
    await ledger.post(
        tx,
        actor,
        ledger.draft.captured(
            payment_id=payment.id,
            gateway=payment.gateway,
            order_number=placed.number,
            currency=checkout.currency,
            shares=[order_share(part, tax_country(checkout)) for part in placed.seller_orders],
            cause=f"order:{placed.id}",
        ),
    )
    if checkout.cart_id is not None:
        bought = [line.variant_id for line in checkout.lines]
        await carts.remove_lines(tx, checkout.cart_id, bought)
    return _settled(checkout, payment, number=placed.number)


async def _already_completed(
    tx: WriteTx,
    actor: Actor,
    checkout: orders.Checkout,
    before: payments.Payment,
    outcome: payments.GatewayOutcome,
    source: str,
) -> Settled:
    if checkout.payment_id != before.id:
        # Two attempts of one checkout were both charged: the second goes back.
        return await _send_back(tx, actor, checkout, before, outcome, source)
    payment = await payments.record(tx, actor, payment=before, outcome=outcome, source=source)
    return _settled(checkout, payment)


async def _close(tx: WriteTx, checkout: orders.Checkout, payment_id: UUID) -> None:
    if checkout.state is not orders.CheckoutState.CANCELLED:
        checkout.move(orders.CheckoutState.CANCELLED)
    checkout.payment_id = payment_id
    await inventory.release(tx, checkout.id)
    await orders.save_checkout(tx, checkout)


async def _send_back(
    tx: WriteTx,
    actor: Actor,
    checkout: orders.Checkout,
    before: payments.Payment,
    outcome: payments.GatewayOutcome,
    source: str,
) -> Settled:
    """Money without goods: write it down, refund it by itself, tell the buyer."""
    payment = await payments.record(
        tx, actor, payment=before, outcome=outcome, source=source, to_send_back=True
    )
    if before.state == payment.state:
        return _settled(checkout, payment)
    amount = Money(payment.amount, payment.currency)
    await ledger.post(
        tx,
        actor,
        ledger.draft.captured(
            payment_id=payment.id,
            gateway=payment.gateway,
            order_number="without goods",
            currency=payment.currency,
            shares=[ledger.OrderShare(checkout.id, amount)],
            cause=f"checkout:{checkout.id}",
        ),
    )
    await ledger.post(
        tx,
        actor,
        ledger.draft.refund_before_release(
            refund_id=payment.id,
            gateway=payment.gateway,
            order_number="without goods",
            currency=payment.currency,
            shares=[ledger.OrderShare(checkout.id, amount)],
            cause=f"checkout:{checkout.id}",
        ),
    )
    await payments.request_refund(
        tx,
        actor,
        payment_id=payment.id,
        amount=amount,
        key=f"reversal:{payment.id}",
        reason="The purchase was over, or its goods were gone, when the payment arrived.",
    )
    if checkout.state is not orders.CheckoutState.COMPLETED:
        orders.reverse(tx, actor, checkout=checkout, payment_id=payment.id, amount=amount)
        if checkout.payment_id in {None, payment.id}:
            await _close(tx, checkout, payment.id)
    await audit.record(tx, actor, "payments.reversed", f"payment:{payment.id}", amount=str(amount))
    return _settled(checkout, payment)
