"""The invariants that one context can see, and those that only several can.

The numbers are those of the reliability bars: 1 ledger, 2 stock, 3 payments and orders, 4 totals
and commission, 5 refunds and payouts, 6 events, 7 digital links.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.ledger import api as ledger
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.contexts.reviews import api as reviews
from souk.platform import audit, relay
from souk.platform.database import ReadConn
from souk.platform.services import Services
from souk.platform.verify import Violation

EVENT_LAG_BAR = timedelta(minutes=5)


async def violations(services: Services) -> list[Violation]:
    """Every row that breaks an invariant; empty when all is well."""
    async with services.db.read() as conn:
        found = [
            *await inventory.violations(conn),
            *await ledger.violations(conn),
            *await orders.violations(conn),
            *await payments.violations(conn),
            *await fulfilment.violations(conn),
            *await reviews.violations(conn),
        ]
        parts = await orders.money_of_all(conn)
        found += await _payments_and_orders(conn, parts)
        found += await _orders_and_ledger(conn, parts)
        found += await _events(conn)
        broken = await audit.verify_chain(conn)
    if broken is not None:
        found.append(
            Violation("audit.chain", f"seal {broken}", "The audit log was changed from here on.")
        )
    return found


async def _payments_and_orders(
    conn: ReadConn, parts: list[orders.SellerOrderMoney]
) -> list[Violation]:
    """3: captured money has exactly one order or was asked back; no order without its money.
    5: refunds never exceed captures."""
    found: list[Violation] = []
    ordered: dict[UUID, int] = defaultdict(int)
    for part in parts:
        ordered[part.payment_id] += part.total
    seen: set[UUID] = set()
    for payment in await payments.money_of_all(conn):
        seen.add(payment.id)
        subject = f"payment {payment.id}"
        total = ordered.get(payment.id)
        if payment.captured and total is None and payment.refund_asked != payment.captured:
            detail = f"{payment.captured} captured, no order, {payment.refund_asked} asked back"
            found.append(Violation("payments.one_order", subject, detail))
        if total is not None and payment.captured != total:
            detail = f"{payment.captured} captured for an order of {total}"
            found.append(Violation("payments.order_amount", subject, detail))
        if payment.refunded > payment.captured or payment.refund_asked > payment.captured:
            detail = f"{payment.refund_asked} asked back of {payment.captured}"
            found.append(Violation("payments.refund_limit", subject, detail))
    found += [
        Violation("orders.paid", f"payment {payment_id}", "An order names a payment that is not.")
        for payment_id in ordered.keys() - seen
    ]
    return found


async def _orders_and_ledger(
    conn: ReadConn, parts: list[orders.SellerOrderMoney]
) -> list[Violation]:
    """4: what an order says is in escrow, earned or taken as commission, the ledger says too."""
    found: list[Violation] = []
    escrows = await ledger.escrow_of(conn, [part.id for part in parts])
    for part in parts:
        booked = escrows.get(part.id)
        subject = f"seller order {part.id}"
        if booked is None:
            found.append(Violation("ledger.escrow", subject, "It has no escrow entry."))
            continue
        closed = part.released or part.refunded == part.total
        given_back = part.refunded - part.given_up_tax
        expected = 0 if closed else part.total - part.tax - given_back
        if booked.balance != expected:
            detail = f"{booked.balance} in escrow, {expected} expected in state {part.state}"
            found.append(Violation("ledger.escrow", subject, detail))
        if part.released and booked.commission != part.commission + part.commission_tax:
            detail = f"{booked.commission} booked, {part.commission + part.commission_tax} frozen"
            found.append(Violation("ledger.commission", subject, detail))
    return found


async def _events(conn: ReadConn) -> list[Violation]:
    """6: every event is delivered, in the dead-letter list, or younger than the bar."""
    lag = await relay.lag(conn)
    if lag.oldest_seconds <= EVENT_LAG_BAR.total_seconds():
        return []
    detail = f"{lag.pending} deliveries wait, the oldest for {lag.oldest_seconds:.0f} seconds"
    return [Violation("events.delivered", "outbox", detail)]
