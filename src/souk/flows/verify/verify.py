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
Parts = list[orders.SellerOrderMoney]


async def violations(services: Services) -> list[Violation]:
    """Every row that breaks an invariant; empty when all is well.

    All is read as it was at one moment: figures are compared while people buy.
    """
    async with services.db.snapshot() as conn:
        return await check(conn)


async def check(conn: ReadConn) -> list[Violation]:
    """Every row that breaks an invariant, as this connection sees the database."""
    parts = await orders.money_of_all(conn)
    captured = await payments.checks.money_of_all(conn)
    found = [
        *await inventory.violations(conn),
        *await ledger.violations(conn),
        *await orders.violations(conn),
        *await payments.checks.violations(conn),
        *await fulfilment.violations(conn),
        *await reviews.violations(conn),
        *await _stock_and_orders(conn),
        *_payments_and_orders(captured, parts),
        *await _payments_and_ledger(conn, captured, parts),
        *await _orders_and_ledger(conn, parts),
        *await _commissions(conn),
        *await _downloads(conn),
        *await _events(conn),
    ]
    broken = await audit.verify_chain(conn)
    if broken is not None:
        found.append(
            Violation("audit.chain", f"seal {broken}", "The audit log was changed from here on.")
        )
    return found


async def _stock_and_orders(conn: ReadConn) -> list[Violation]:
    """2: no reservation outlives its checkout; what was sold left the shelf, once."""
    holding = await inventory.checks.checkouts_with_stock(conn)
    found = [
        Violation("inventory.held", f"checkout {checkout_id}", "It holds stock and is not paid.")
        for checkout_id in await orders.checks.not_being_paid(conn, holding)
    ]
    units = await orders.checks.units_of_variants(conn)
    none = orders.checks.Units(0, 0)
    for variant_id, moved in (await inventory.checks.turnover(conn)).items():
        ordered = units.get(variant_id, none)
        subject = f"variant {variant_id}"
        if moved.sold != ordered.bought:
            detail = f"{ordered.bought} were bought, {moved.sold} left the shelf"
            found.append(Violation("inventory.sold", subject, detail))
        # More may have come back: sellers write movements of their own.
        if moved.put_back < ordered.given_back:
            detail = f"{ordered.given_back} were given back, {moved.put_back} came to the shelf"
            found.append(Violation("inventory.put_back", subject, detail))
    return found


def _payments_and_orders(
    captured: list[payments.checks.PaymentMoney], parts: Parts
) -> list[Violation]:
    """3: captured money has exactly one order or was asked back; no order without its money.
    5: refunds never exceed captures, and what an order says went back was asked back."""
    found: list[Violation] = []
    ordered: dict[UUID, list[orders.SellerOrderMoney]] = defaultdict(list)
    for part in parts:
        ordered[part.payment_id].append(part)
    seen: set[UUID] = set()
    for payment in captured:
        seen.add(payment.id)
        subject = f"payment {payment.id}"
        mine = ordered.get(payment.id, [])
        total = sum(part.total for part in mine)
        if not mine and payment.refund_asked != payment.captured:
            detail = f"{payment.captured} captured, no order, {payment.refund_asked} asked back"
            found.append(Violation("payments.one_order", subject, detail))
        if mine and (
            payment.captured != total or any(part.currency != payment.currency for part in mine)
        ):
            detail = f"{payment.captured} {payment.currency} captured for an order of {total}"
            found.append(Violation("payments.order_amount", subject, detail))
        back = sum(part.refunded for part in mine)
        if mine and payment.refund_asked != back:
            detail = f"{payment.refund_asked} asked back, {back} went back by the order"
            found.append(Violation("payments.order_refunds", subject, detail))
        if payment.refunded > payment.captured or payment.refund_asked > payment.captured:
            detail = f"{payment.refund_asked} asked back of {payment.captured}"
            found.append(Violation("payments.refund_limit", subject, detail))
    found += [
        Violation("orders.paid", f"payment {payment_id}", "An order names a payment that is not.")
        for payment_id in ordered.keys() - seen
    ]
    return found


async def _payments_and_ledger(
    conn: ReadConn, captured: list[payments.checks.PaymentMoney], parts: Parts
) -> list[Violation]:
    """3, 5: every capture and every refund is in the books once, with its amount and its tax; and
    nothing is in the books that was not."""
    books = await ledger.checks.booked(conn)
    tax: dict[UUID, int] = defaultdict(int)
    for part in parts:
        tax[part.payment_id] += part.tax
    wanted = {
        f"captured:{one.id}": ledger.checks.Booked(
            one.gateway, one.currency, one.captured, -tax[one.id]
        )
        for one in captured
    }
    for refund in await payments.checks.refunds_of_all(conn):
        key = refund.payment_id if refund.key.startswith("reversal:") else refund.id
        booked = books.get(f"refunded:{key}")
        # How much of a refund is tax is checked by what it leaves in escrow.
        wanted[f"refunded:{key}"] = ledger.checks.Booked(
            refund.gateway, refund.currency, -refund.amount, booked.tax if booked else 0
        )
    return [
        Violation("ledger.payments", key, f"{books.get(key)} is booked, {wanted.get(key)} moved")
        for key in sorted(books.keys() | wanted.keys())
        if books.get(key) != wanted.get(key)
    ]


async def _orders_and_ledger(conn: ReadConn, parts: Parts) -> list[Violation]:
    """4: what an order says is in escrow, earned or taken as commission, the ledger says too."""
    found: list[Violation] = []
    escrows = await ledger.checks.escrow_of(conn, [part.id for part in parts])
    for part in parts:
        booked = escrows.get(part.id)
        subject = f"seller order {part.id}"
        if booked is None:
            if part.total != part.tax:
                found.append(Violation("ledger.escrow", subject, "It has no escrow entry."))
            continue
        closed = part.released or part.refunded == part.total
        given_back = part.refunded - part.given_up_tax
        expected = 0 if closed else part.total - part.tax - given_back
        if booked.balance != expected:
            detail = f"{booked.balance} in escrow, {expected} expected in state {part.state}"
            found.append(Violation("ledger.escrow", subject, detail))
        taken, frozen = (
            (booked.commission, booked.commission_tax),
            (part.commission, part.commission_tax),
        )
        if part.released and taken != frozen:
            detail = f"{taken} booked as commission and its tax, {frozen} frozen"
            found.append(Violation("ledger.commission", subject, detail))
    return found


async def _commissions(conn: ReadConn) -> list[Violation]:
    """4: the commission that is frozen on a line is what its rule took."""
    frozen = await orders.checks.commissions_of_all(conn)
    ruled = await ledger.checks.ruled(
        conn, [ledger.checks.Ruled(one.rule_id, one.currency, one.base) for one in frozen]
    )
    return [
        Violation(
            "orders.commission",
            f"line {one.line_id}",
            f"{one.commission} and {one.commission_tax} tax frozen, its rule takes {by_rule}",
        )
        for one, by_rule in zip(frozen, ruled, strict=True)
        if by_rule != (one.commission, one.commission_tax)
    ]


async def _downloads(conn: ReadConn) -> list[Violation]:
    """7: nothing digital can be had once its line was cancelled or sent back."""
    gone = await orders.checks.lines_given_back(conn)
    return [
        Violation("fulfilment.open_after_refund", f"line {line_id}", "It can still be downloaded.")
        for line_id in await fulfilment.checks.still_open(conn, gone)
    ]


async def _events(conn: ReadConn) -> list[Violation]:
    """6: every event is delivered, in the dead-letter list, or younger than the bar."""
    lag = await relay.lag(conn)
    if lag.oldest_seconds <= EVENT_LAG_BAR.total_seconds():
        return []
    detail = f"{lag.pending} deliveries wait, the oldest for {lag.oldest_seconds:.0f} seconds"
    return [Violation("events.delivered", "outbox", detail)]
