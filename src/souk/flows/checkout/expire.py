"""How a checkout ends without an order: given up by its holder, or by time."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from souk.contexts.inventory import api as inventory
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.checkout import pay
from souk.flows.checkout.view import CheckoutView, show
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx
from souk.platform.http.holder import Holder
from souk.platform.services import Services

_LIVE = {orders.CheckoutState.OPEN, orders.CheckoutState.AWAITING_PAYMENT}


async def cancel(
    services: Services, actor: Actor, holder: Holder, *, checkout_id: UUID
) -> CheckoutView:
    """Cancel the holder's checkout. A payment under way is cancelled at the gateway first: if it
    went through meanwhile, the purchase is complete and stays so."""
    async with services.db.read() as conn:
        checkout = await orders.find_checkout(conn, checkout_id)
        if checkout is None or not orders.held_by(
            checkout, user_id=holder.user_id, guest=holder.guest
        ):
            raise orders.CheckoutNotFound
        payment = await payments.of_checkout(conn, checkout_id)
    if payment is not None and payment.state in payments.UNDER_WAY:
        outcome = await payments.cancel(services.get(payments.Gateways), payment)
        await pay.settle(services, actor, payment, outcome, source="answer")

    async def close(tx: WriteTx) -> CheckoutView:
        locked = await orders.lock_any_checkout(tx, checkout_id=checkout_id)
        if locked.state in {orders.CheckoutState.OPEN, orders.CheckoutState.EXPIRED}:
            locked.move(orders.CheckoutState.CANCELLED)
            await inventory.release(tx, locked.id)
            await orders.save_checkout(tx, locked)
        return show(locked, options={})

    return await services.db.transact(close)


async def expire_due(services: Services, *, limit: int = 100) -> int:
    """End checkouts whose time is over, and give back what is held past its time.

    The one place where time releases stock: under the lock of the checkout, so that a payment that
    begins or ends at this moment comes before or after. One with a payment under way keeps its
    goods and gets more time: its outcome decides, and the sweeper is asking for it.
    Returns how many checkouts were looked at, `limit` at most.
    """

    async def expire(tx: WriteTx) -> int:
        now = tx.clock.now()
        past_hold = await inventory.checkouts_past_hold(tx, limit=limit)
        due = await orders.lock_due_checkouts(tx, now=now, also=past_hold, limit=limit)
        running = await payments.for_checkouts(tx, [checkout.id for checkout in due])
        over: list[UUID] = []
        for checkout in due:
            payment = running.get(checkout.id)
            if payment is not None and payment.state in payments.UNDER_WAY:
                await _give_time(tx, checkout)
            else:
                over.append(checkout.id)
                await _end(tx, checkout)
        await inventory.release_all(tx, over)
        return len(due)

    return await services.db.transact(expire)


async def _give_time(tx: WriteTx, checkout: orders.Checkout) -> None:
    until = tx.clock.now() + orders.RESERVATION_LIFE
    checkout.expires_at = max(checkout.expires_at, until)
    await orders.save_checkout(tx, checkout)
    # A payment that was begun anew may have found nothing left; its capture tries once more.
    with suppress(inventory.ReservationGone):
        await inventory.extend(tx, checkout.id, until)


async def _end(tx: WriteTx, checkout: orders.Checkout) -> None:
    """Past its end it expires; one that merely held goods too long is open again."""
    if checkout.expires_at < tx.clock.now() and checkout.state in _LIVE:
        checkout.move(orders.CheckoutState.EXPIRED)
        await orders.save_checkout(tx, checkout)
    elif checkout.state is orders.CheckoutState.AWAITING_PAYMENT:
        checkout.move(orders.CheckoutState.OPEN)
        checkout.payment_id = None
        await orders.save_checkout(tx, checkout)
