"""Every invariant of `souk verify`: damage that breaks it is done to a sound marketplace, is found,
and is undone. Each damage is one that the program itself refuses, so triggers and constraints are
taken away for it; all of it happens in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from souk.contexts.ledger import api as ledger
from souk.contexts.ledger import jobs as ledger_jobs
from souk.flows.checkout import jobs
from souk.flows.verify import verify
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform import audit
from souk.platform.database import WriteTx
from tests.factories.market import TEST, Market

WHY = {"reason": "It does not fit"}


class Undo(Exception):
    """Ends the transaction of a damage."""


async def sell_and_complete(market: Market, shop: Any, listing: Any) -> dict[str, Any]:
    buyer = market.guest()
    order = await buyer.buy((listing, 2))
    part = order["seller_orders"][0]["id"]
    await shop.post(f"{part}/ship", {"carrier": "dhl", "tracking": "1"})
    url = f"/api/v1/orders/{order['id']}/parts/{part}/confirm-delivery"
    assert (await buyer.http.post(url)).status_code == 200
    return order


@pytest.fixture(scope="module")
async def ids(market: Market) -> AsyncIterator[dict[str, Any]]:
    """A marketplace in which everything has happened once; ids by what they are of."""
    shop, files = await market.shop("Fern"), await market.shop("Byte")
    plant, guide = await shop.goods(stock=50), await files.download(price=1_000)
    paid_out = await sell_and_complete(market, shop, plant)
    market.clock.advance(timedelta(days=4))
    await ledger_jobs.release_holds(market.services)
    await ledger_jobs.carry_balances(market.services)
    await market.db.transact(
        lambda tx: ledger.request_payout(
            tx,
            TEST,
            payout_id=uuid7(),
            seller_id=shop.seller_id,
            amount=Money(1_000, "EUR"),
            cause="payout",
        )
    )
    done = await sell_and_complete(market, shop, plant)
    buyer = market.guest()
    partly = await buyer.buy((plant, 3), (guide, 1))
    (open_part,) = (p for p in partly["seller_orders"] if p["seller_id"] == str(shop.seller_id))
    some = {"lines": {open_part["lines"][0]["id"]: 1}} | WHY
    assert (await shop.post(f"{open_part['id']}/cancel-lines", some)).status_code == 200
    reader = market.guest()
    returned = await reader.buy((guide, 1))
    await market.drain()
    downloads = (await reader.http.get(f"/api/v1/orders/{returned['id']}/downloads")).json()
    assert (await reader.http.get(downloads["files"][0]["url"])).status_code == 200
    back = returned["seller_orders"][0]["id"]
    url = f"/api/v1/orders/{returned['id']}/parts/{back}/request-return"
    assert (await reader.http.post(url, json=WHY)).status_code == 200
    assert (await files.post(f"{back}/returned", WHY)).status_code == 200
    await jobs.send_refunds(market.services)
    waiting = market.guest()
    checkout = await waiting.checkout((plant, 1))
    await waiting.pay(checkout, "pm_card_3ds")
    last = await market.guest().buy((plant, 1))
    part = last["seller_orders"][0]["id"]
    assert (await shop.post(f"{part}/cancel", WHY)).status_code == 200
    await market.deliver(market.hooks.received[-3:])
    await market.work()
    await market.db.transact(audit.seal)
    await market.sound()
    yield {
        "seller": shop.seller_id,
        "variant": plant.variants[0].id,
        "paid_out": paid_out["id"],
        "done": done["id"],
        "done_part": done["seller_orders"][0]["id"],
        "partly": partly["id"],
        "open_part": open_part["id"],
        "returned": returned["id"],
        "returned_line": returned["seller_orders"][0]["lines"][0]["id"],
        "checkout": checkout["id"],
        "cancelled": last["id"],
    }
    await market.sound()


def unguarded(*tables: str) -> str:
    """Take away what keeps rows of these tables right: triggers and checks."""
    return "".join(
        f"""ALTER TABLE {table} DISABLE TRIGGER USER;
        DO $$ DECLARE name text; BEGIN
          FOR name IN SELECT conname FROM pg_constraint
            WHERE conrelid = '{table}'::regclass AND contype = 'c'
          LOOP EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', name); END LOOP;
        END $$;"""
        for table in tables
    )


BOOKS = unguarded("ledger.account", "ledger.entry", "ledger.posting")
ORDERS = unguarded("orders.purchase", "orders.seller_order", "orders.line", "orders.transition")
STOCK = unguarded("inventory.stock", "inventory.movement")
PAID = unguarded("payments.payment", "payments.refund")
FILES = unguarded("fulfilment.download_grant", "fulfilment.licence_claim")
_PAYMENT = "(SELECT payment_id FROM orders.purchase WHERE id = '{{{0}}}')"
OF_DONE, OF_PARTLY = _PAYMENT.format("done"), _PAYMENT.format("partly")
_ENTRY = "(SELECT id FROM ledger.entry WHERE key = {0})"
RELEASED = _ENTRY.format("'released:{done_part}'")
CAPTURED = _ENTRY.format(f"'captured:' || {OF_DONE}")

DAMAGES: dict[str, tuple[str, str]] = {
    # 1: entries sum to zero, balances are the sum of postings, nothing is edited
    "1 a posting is gone": (
        "ledger.unbalanced",
        f"DELETE FROM ledger.posting WHERE entry_id = {CAPTURED} AND position = 0",
    ),
    "1 all postings of an entry are gone, and the balances say so, too": (
        "ledger.edited",
        f"""UPDATE ledger.account a SET balance = a.balance - p.amount FROM ledger.posting p
            WHERE p.account_id = a.id AND p.entry_id = {RELEASED};
        DELETE FROM ledger.unfolded WHERE posting_id IN
            (SELECT id FROM ledger.posting WHERE entry_id = {RELEASED});
        DELETE FROM ledger.posting WHERE entry_id = {RELEASED}""",
    ),
    "1 a balance": (
        "ledger.balance",
        "UPDATE ledger.account SET balance = balance - 1 WHERE code = 'seller:{seller}:available'",
    ),
    "1 the balance of an account that is folded later": (
        "ledger.balance",
        "UPDATE ledger.account SET balance = balance + 1 WHERE code = 'gateway:sandbox'",
    ),
    "1 a balance between two postings": (
        "ledger.running_balance",
        f"UPDATE ledger.posting SET balance_after = balance_after - 1 WHERE entry_id = {RELEASED}"
        " AND balance_after IS NOT NULL",
    ),
    "1 what an entry says": (
        "ledger.edited",
        f"UPDATE ledger.entry SET text = 'Nothing happened.' WHERE id = {RELEASED}",
    ),
    "1 a balance carried into a month": (
        "ledger.carried",
        "UPDATE ledger.carried SET balance = balance - 1",
    ),
    "1 an earning that nothing will release": (
        "ledger.holds",
        "UPDATE ledger.hold SET released = true WHERE seller_order_id = '{done_part}'",
    ),
    # 2: stock
    "2 one more on the shelf": (
        "inventory.on_hand",
        "UPDATE inventory.stock SET on_hand = on_hand + 1 WHERE variant_id = '{variant}'",
    ),
    "2 a sale is gone from the movements and from the shelf's number": (
        "inventory.sold",
        """WITH gone AS (DELETE FROM inventory.movement WHERE id = (SELECT max(id) FROM
            inventory.movement WHERE variant_id = '{variant}' AND reason = 'sale') RETURNING delta)
        UPDATE inventory.stock SET on_hand = on_hand - (SELECT delta FROM gone)
        WHERE variant_id = '{variant}'""",
    ),
    "2 what was cancelled did not come back": (
        "inventory.put_back",
        """WITH gone AS (DELETE FROM inventory.movement WHERE id = (SELECT max(id) FROM
            inventory.movement WHERE variant_id = '{variant}' AND reason = 'return')
            RETURNING delta)
        UPDATE inventory.stock SET on_hand = on_hand - (SELECT delta FROM gone)
        WHERE variant_id = '{variant}'""",
    ),
    "2 the number after a movement": (
        "inventory.movements",
        "UPDATE inventory.movement SET balance = balance + 1 WHERE variant_id = '{variant}'"
        " AND reason = 'sale'",
    ),
    "2 more reserved than reservations say": (
        "inventory.reserved",
        "UPDATE inventory.stock SET reserved = reserved + 1 WHERE variant_id = '{variant}'",
    ),
    "2 more reserved than is there": (
        "inventory.available",
        "UPDATE inventory.stock SET reserved = on_hand + 1 WHERE variant_id = '{variant}'",
    ),
    "2 the reservation of a checkout that ended": (
        "inventory.held",
        "UPDATE orders.checkout SET state = 'cancelled' WHERE id = '{checkout}'",
    ),
    "2 the reservation of a checkout that is not there": (
        "inventory.held",
        "DELETE FROM orders.checkout WHERE id = '{checkout}'",
    ),
    "2 a reservation past its time": (
        "inventory.expired",
        "UPDATE inventory.reservation SET expires_at = expires_at - interval '1 day'",
    ),
    # 3: money and orders
    "3 money without an order": (
        "payments.one_order",
        "UPDATE payments.payment SET state = 'captured', captured = amount"
        " WHERE checkout_id = '{checkout}'",
    ),
    "3 an order without a payment": (
        "orders.paid",
        "UPDATE orders.purchase SET payment_id = gen_random_uuid() WHERE id = '{done}'",
    ),
    "3 an order whose payment was not captured": (
        "orders.paid",
        f"UPDATE payments.payment SET state = 'authorised', captured = 0 WHERE id = {OF_DONE}",
    ),
    "3 an order whose checkout is open": (
        "a completed checkout",
        "UPDATE orders.checkout SET state = 'open' WHERE order_id = '{done}'",
    ),
    "3 a checkout that names another payment": (
        "a completed checkout",
        "UPDATE orders.checkout SET payment_id = gen_random_uuid() WHERE order_id = '{done}'",
    ),
    "3 more captured than asked for": (
        "payments.captured_once",
        f"UPDATE payments.payment SET captured = captured + 1 WHERE id = {OF_DONE}",
    ),
    "3 less captured than ordered": (
        "payments.order_amount",
        f"UPDATE payments.payment SET captured = captured - 1, amount = amount - 1"
        f" WHERE id = {OF_DONE}",
    ),
    "3 captured in another currency": (
        "payments.order_amount",
        f"UPDATE payments.payment SET currency = 'USD' WHERE id = {OF_DONE}",
    ),
    "3 money that is not in the books": (
        "ledger.payments",
        f"UPDATE ledger.entry SET key = 'lost:' || key WHERE id = {CAPTURED}",
    ),
    "3 money in the books that never came": (
        "ledger.payments",
        f"UPDATE ledger.entry SET key = 'captured:' || id WHERE id = {RELEASED}",
    ),
    "3 a payment that nobody settles": (
        "payments.settled",
        "UPDATE payments.payment SET created_at = created_at - interval '2 days'"
        " WHERE checkout_id = '{checkout}'",
    ),
    "3 news that nobody acts on": (
        "payments.webhooks",
        "UPDATE payments.webhook_inbox SET processed_at = NULL,"
        " received_at = received_at - interval '2 days'",
    ),
    "3 a payment that changed without a step": (
        "payments.steps",
        "UPDATE payments.payment SET state = 'authorised' WHERE checkout_id = '{checkout}'",
    ),
    # 4: totals and commission
    "4 a total": (
        "order total",
        "UPDATE orders.purchase SET total = total + 1 WHERE id = '{done}'",
    ),
    "4 a cent between two figures of an order": (
        "order total",
        "UPDATE orders.purchase SET tax = tax + 1, delivery = delivery - 1 WHERE id = '{done}'",
    ),
    "4 a cent between two figures of a part": (
        "seller order",
        "UPDATE orders.seller_order SET items = items + 1, delivery = delivery - 1"
        " WHERE id = '{done_part}'",
    ),
    "4 a cent between the tax of lines and of delivery": (
        "seller order",
        "UPDATE orders.seller_order SET delivery_tax = delivery_tax + 1 WHERE id = '{done_part}'",
    ),
    "4 a part in another currency": (
        "order total",
        "UPDATE orders.seller_order SET currency = 'USD' WHERE id = '{done_part}'",
    ),
    "4 a price and a discount": (
        "seller order",
        "UPDATE orders.line SET unit_price = unit_price + 1, discount = discount + quantity"
        " WHERE seller_order_id = '{done_part}'",
    ),
    "4 the total of a line": (
        "a line",
        "UPDATE orders.line SET total = total + 1 WHERE seller_order_id = '{done_part}'",
    ),
    "4 a part without lines": (
        "seller order",
        "DELETE FROM orders.line WHERE seller_order_id = '{done_part}'",
    ),
    "4 an order without parts": (
        "order total",
        """DELETE FROM orders.line WHERE seller_order_id = '{done_part}';
        DELETE FROM orders.transition WHERE seller_order_id = '{done_part}';
        DELETE FROM orders.seller_order WHERE id = '{done_part}'""",
    ),
    "4 commission, on the line and on its part": (
        "orders.commission",
        """UPDATE orders.line SET commission = commission + 1 WHERE id = (SELECT id FROM
            orders.line WHERE seller_order_id = '{open_part}' LIMIT 1);
        UPDATE orders.seller_order SET commission = commission + 1 WHERE id = '{open_part}'""",
    ),
    "4 the rule by which commission was taken": (
        "orders.commission",
        "UPDATE ledger.commission_rule SET rate_bp = 900 WHERE scope = 'platform'",
    ),
    "4 commission by no rule": (
        "orders.commission",
        "UPDATE orders.line SET commission_rule_id = NULL WHERE seller_order_id = '{open_part}'",
    ),
    "4 commission in the books": (
        "ledger.commission",
        f"""UPDATE ledger.posting p SET amount = p.amount
            + CASE WHEN a.code = 'commission' THEN 1 ELSE -1 END
        FROM ledger.account a WHERE a.id = p.account_id AND p.entry_id = {RELEASED}
          AND (a.code = 'commission' OR a.code LIKE '%:pending')""",
    ),
    "4 commission that is tax in the books": (
        "ledger.commission",
        f"""INSERT INTO ledger.account (id, code, currency, kind, hot, guarded) VALUES
            ('{uuid7()}', 'tax:operator', 'EUR', 'liability', true, false);
        UPDATE ledger.posting SET account_id = (SELECT id FROM ledger.account
            WHERE code = 'tax:operator') WHERE entry_id = {RELEASED} AND account_id =
            (SELECT id FROM ledger.account WHERE code = 'commission')""",
    ),
    "4 escrow": (
        "ledger.escrow",
        "UPDATE ledger.account SET balance = balance + 1 WHERE code = 'escrow:{open_part}'",
    ),
    "4 a seller has earned too early": (
        "a seller has earned",
        "UPDATE orders.seller_order SET released = true WHERE id = '{open_part}'",
    ),
    "4 a state without a step": (
        "every step",
        "UPDATE orders.seller_order SET state = 'processing' WHERE id = '{open_part}'",
    ),
    "4 pieces that came back from nobody": (
        "pieces are sent",
        "UPDATE orders.line SET returned = 1 WHERE seller_order_id = '{done_part}'",
    ),
    "4 more pieces sent than bought": (
        "pieces are sent",
        "UPDATE orders.line SET fulfilled = quantity + 1 WHERE seller_order_id = '{done_part}'",
    ),
    # 5: refunds and payouts
    "5 more refunded than a line cost": (
        "nothing is refunded beyond",
        "UPDATE orders.line SET refunded = total + 1 WHERE seller_order_id = '{open_part}'",
    ),
    "5 a line that lost its refund": (
        "nothing is refunded beyond",
        "UPDATE orders.line SET refunded = 0 WHERE seller_order_id IN"
        " (SELECT id FROM orders.seller_order WHERE order_id = '{cancelled}')",
    ),
    "5 more refunded than captured": (
        "payments.refund_limit",
        f"UPDATE payments.payment SET refunded = captured + 1 WHERE id = {OF_DONE}",
    ),
    "5 a refund that no order knows": (
        "payments.order_refunds",
        f"""UPDATE payments.payment SET refunded = refunded + 1 WHERE id = {OF_PARTLY};
        UPDATE payments.refund SET amount = amount + 1 WHERE payment_id = {OF_PARTLY}""",
    ),
    "5 a refund that nobody asked for": (
        "payments.order_refunds",
        "UPDATE orders.seller_order SET refunded = refunded + 1 WHERE id = '{open_part}'",
    ),
    "5 a refund that is gone": (
        "payments.refunds",
        f"DELETE FROM payments.refund WHERE payment_id = {OF_PARTLY}",
    ),
    "5 a refund that is not in the books": (
        "ledger.payments",
        "UPDATE ledger.entry SET key = 'lost:' || key WHERE key = (SELECT 'refunded:' || id"
        f" FROM payments.refund WHERE payment_id = {OF_PARTLY})",
    ),
    "5 a refund that never ends": (
        "payments.refunds_end",
        "UPDATE payments.refund SET state = 'requested', created_at = created_at"
        " - interval '11 days'",
    ),
    "5 a payout beyond what is available": (
        "ledger.overdrawn",
        "UPDATE ledger.account SET balance = 1 WHERE code = 'seller:{seller}:available'",
    ),
    # 6: events
    "6 an event that nobody delivers": (
        "events.delivered",
        """INSERT INTO platform.delivery (event_id, subscriber, aggregate_id, seq, next_at)
        SELECT id, 'notify', aggregate_id, seq, occurred_at FROM platform.event
        ORDER BY seq LIMIT 1""",
    ),
    # 7: downloads
    "7 a link that works after a return": (
        "fulfilment.open_after_refund",
        "UPDATE fulfilment.download_grant SET revoked_at = NULL, revoked_for = ''"
        " WHERE order_line_id = '{returned_line}'",
    ),
    "7 keys that show after a return": (
        "fulfilment.open_after_refund",
        """INSERT INTO fulfilment.licence_claim (order_line_id, seller_order_id, seller_id,
            variant_id, quantity, claimed_at) SELECT id, seller_order_id, id, variant_id, 1, now()
        FROM orders.line WHERE id = '{returned_line}'""",
    ),
    "7 a line that is cancelled while its link works": (
        "fulfilment.open_after_refund",
        "UPDATE orders.line SET cancelled = quantity, fulfilled = 0 WHERE kind = 'digital'",
    ),
    "7 a download after the return": (
        "fulfilment.no_download_after_end",
        "UPDATE fulfilment.download_session SET started_at = started_at + interval '1 day'",
    ),
    "7 more downloads than were begun": (
        "fulfilment.downloads_counted",
        "UPDATE fulfilment.download_grant SET downloads = downloads + 1",
    ),
    "7 more downloads than are allowed": (
        "fulfilment.download_limit",
        "UPDATE fulfilment.download_grant SET downloads = max_downloads + 1",
    ),
    "7 a key of another pool": (
        "fulfilment.licence_keys_of_their_line",
        """INSERT INTO fulfilment.licence_claim (order_line_id, seller_order_id, seller_id,
            variant_id, quantity, assigned, claimed_at)
        SELECT id, id, id, variant_id, 1, 1, now() FROM orders.line WHERE id = '{returned_line}';
        INSERT INTO fulfilment.licence_key (id, seller_id, variant_id, content, added_at,
            order_line_id, assigned_at) SELECT id, gen_random_uuid(), variant_id, 'K', now(), id,
            now() FROM orders.line WHERE id = '{returned_line}'""",
    ),
    "the audit log": (
        "audit.chain",
        "ALTER TABLE platform.audit DISABLE TRIGGER USER;"
        " UPDATE platform.audit SET subject = subject || '!'",
    ),
}


@pytest.mark.parametrize("damage", list(DAMAGES))
async def test_damage_is_found(market: Market, ids: dict[str, Any], damage: str) -> None:
    invariant, harm = DAMAGES[damage]
    found: list[str] = []

    async def spoil(tx: WriteTx) -> None:
        await tx.execute(BOOKS + ORDERS + STOCK + PAID + FILES)
        await tx.execute(harm.format(**ids))
        found.extend(one.invariant for one in await verify.check(tx))
        raise Undo

    with pytest.raises(Undo):
        await market.db.transact(spoil)
    assert any(one.startswith(invariant) for one in found), found


async def test_what_is_not_damaged_is_not_found(market: Market, ids: dict[str, Any]) -> None:
    assert UUID(ids["done"])

    async def look(tx: WriteTx) -> None:
        await tx.execute(BOOKS + ORDERS + STOCK + PAID + FILES)
        assert await verify.check(tx) == []
        raise Undo

    with pytest.raises(Undo):
        await market.db.transact(look)
