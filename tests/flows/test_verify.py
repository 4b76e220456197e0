"""`souk verify` finds each kind of damage, and says which row."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from souk.flows.verify import verify
from tests.factories.market import Market


async def found_after(market: Market, *damage: tuple[str, UUID]) -> list[tuple[str, str]]:
    """What verification finds once the damage is done."""
    for sql, key in damage:
        await market.db.transact(lambda tx, sql=sql, key=key: tx.execute(sql, key))
    return [(one.invariant, one.subject) for one in await verify.violations(market.services)]


DAMAGES = {
    "order total": (
        "UPDATE orders.purchase SET total = total + 1, tax = tax + 1 WHERE id = $1",
        "UPDATE orders.purchase SET total = total - 1, tax = tax - 1 WHERE id = $1",
    ),
    "seller order": (
        "UPDATE orders.line SET total = total + 1, tax = tax + 1 WHERE seller_order_id IN"
        " (SELECT id FROM orders.seller_order WHERE order_id = $1)",
        "UPDATE orders.line SET total = total - 1, tax = tax - 1 WHERE seller_order_id IN"
        " (SELECT id FROM orders.seller_order WHERE order_id = $1)",
    ),
    "payments.order_amount": (
        "UPDATE orders.seller_order SET total = total + 1, delivery = delivery + 1"
        " WHERE order_id = $1",
        "UPDATE orders.seller_order SET total = total - 1, delivery = delivery - 1"
        " WHERE order_id = $1",
    ),
    "ledger.escrow": (
        "UPDATE orders.seller_order SET released = true WHERE order_id = $1",
        "UPDATE orders.seller_order SET released = false WHERE order_id = $1",
    ),
    "orders.paid": (
        "UPDATE orders.purchase SET payment_id = id WHERE id = $1",
        "UPDATE orders.purchase p SET payment_id = c.payment_id FROM orders.checkout c"
        " WHERE c.id = p.checkout_id AND p.id = $1",
    ),
    "a completed checkout": (
        "UPDATE orders.checkout SET order_id = NULL WHERE order_id = $1",
        "UPDATE orders.checkout c SET order_id = p.id FROM orders.purchase p"
        " WHERE p.checkout_id = c.id AND p.id = $1",
    ),
}


@pytest.mark.parametrize("invariant", list(DAMAGES))
async def test_damage_is_found(market: Market, invariant: str) -> None:
    shop = await market.shop()
    order = await market.guest().buy((await shop.goods(), 1))
    await market.sound()
    harm, repair = DAMAGES[invariant]
    key = UUID(order["id"])
    try:
        found = await found_after(market, (harm, key))
    finally:
        await market.db.transact(lambda tx: tx.execute(repair, key))
    assert any(name.startswith(invariant) for name, _ in found), found
    await market.sound()


async def test_stock_that_does_not_add_up(market: Market) -> None:
    listing = await (await market.shop()).goods()
    key = listing.variants[0].id
    harm = "UPDATE inventory.stock SET on_hand = on_hand + 1 WHERE variant_id = $1"
    found = await found_after(market, (harm, key))
    repair = "UPDATE inventory.stock SET on_hand = on_hand - 1 WHERE variant_id = $1"
    await market.db.transact(lambda tx: tx.execute(repair, key))
    assert any(str(key) in subject for _, subject in found), found
    await market.sound()


async def test_events_that_nobody_delivers(market: Market) -> None:
    await market.guest().buy((await (await market.shop()).goods(), 1))
    market.clock.advance(timedelta(minutes=6))
    found = await verify.violations(market.services)
    assert [one.invariant for one in found] == ["events.delivered"]
    await market.sound()


async def test_money_without_an_order(market: Market) -> None:
    buyer = market.guest()
    checkout = await buyer.checkout((await (await market.shop()).goods(), 1))
    await buyer.pay(checkout, "pm_card_declined")
    (payment,) = await market.payments_of(checkout)
    harm = (
        "UPDATE payments.payment SET state = 'captured', captured = amount, decline_code = NULL"
        " WHERE id = $1"
    )
    found = await found_after(market, (harm, payment.id))
    await market.db.transact(
        lambda tx: tx.execute(
            "UPDATE payments.payment SET state = 'failed', captured = 0 WHERE id = $1", payment.id
        )
    )
    assert ("payments.one_order", f"payment {payment.id}") in found
