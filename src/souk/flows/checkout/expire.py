"""How a checkout ends without an order: given up by its holder, or by time."""

from __future__ import annotations

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

_BATCH = 100


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


async def expire_due(services: Services) -> int:
    """End checkouts whose time is over. One with a payment under way gets more time instead: its
    outcome decides, and the sweeper is asking for it."""

    async def expire(tx: WriteTx) -> int:
        now = tx.clock.now()
        due = await orders.lock_due_checkouts(tx, now=now, limit=_BATCH)
        running = await payments.for_checkouts(tx, [checkout.id for checkout in due])
        for checkout in due:
            payment = running.get(checkout.id)
            if payment is not None and payment.state in payments.UNDER_WAY:
                checkout.expires_at = now + orders.RESERVATION_LIFE
            else:
                checkout.move(orders.CheckoutState.EXPIRED)
                await inventory.release(tx, checkout.id)
            await orders.save_checkout(tx, checkout)
        return len(due)

    return await services.db.transact(expire)
