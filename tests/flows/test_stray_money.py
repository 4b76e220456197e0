"""Money that does not do what was asked of it: other amounts, holds, news that is refused, refunds
that fail. Whatever it does, it ends as an order or with the buyer, and keeps nothing else waiting.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.payments import api as payments
from souk.flows.checkout import complete, flow, jobs, pay, refunds
from souk.flows.verify import verify
from souk.kernel.actor import GUEST, Role, system
from souk.kernel.ids import fingerprint, uuid7
from souk.platform.http.holder import Holder
from tests.factories.market import Buyer, Market

QUIET = timedelta(minutes=2)


@pytest.fixture(autouse=True)
async def sound(market: Market):
    """Whatever a test did, no invariant is broken at its end."""
    yield
    await market.work()
    await market.sound()


async def begun(market: Market, buyer: Buyer, checkout: dict[str, Any]) -> payments.PaymentView:
    """A payment that is written down here and that the gateway was not asked for."""
    holder = Holder(guest=fingerprint(buyer.http.headers["souk-guest"]))
    started = await market.db.transact(
        lambda tx: flow.begin_payment(
            tx,
            GUEST,
            holder,
            checkout_id=UUID(checkout["id"]),
            method_token="pm_card_visa",
            return_url="http://127.0.0.1/return",
            gateway="sandbox",
        )
    )
    assert started.payment is not None
    return started.payment


async def hold(market: Market, payment: payments.PaymentView, *, take: int | None) -> None:
    """At the gateway, hold the money of a payment; then take some of it."""
    settings = market.services.settings
    async with httpx.AsyncClient(
        base_url=settings.sandbox_url,
        headers={"authorization": f"Bearer {settings.sandbox_api_key}"},
    ) as api:
        made = await api.post(
            "/v1/payment_intents",
            json={
                "amount": payment.amount,
                "currency": payment.currency,
                "reference": str(payment.id),
                "payment_method": "pm_card_visa",
                "capture_method": "manual",
                "confirm": True,
            },
            headers={"idempotency-key": f"payment-{payment.id}"},
        )
        assert made.json()["status"] == "requires_capture", made.text
        if take is not None:
            url = f"/v1/payment_intents/{made.json()['id']}/capture"
            taken = await api.post(url, json={"amount": take})
            assert taken.status_code == 200, taken.text


async def last(market: Market, checkout: dict[str, Any]) -> payments.PaymentView:
    return (await market.payments_of(checkout))[-1]


async def said(market: Market, payment: payments.PaymentView, **what: Any) -> complete.Settled:
    """Settle as if the gateway had said this."""
    outcome = payments.GatewayOutcome(**({"gateway_ref": payment.gateway_ref} | what))
    return await pay.settle(market.services, system("test"), payment, outcome, source="webhook")


async def refunds_of(market: Market, payment: payments.PaymentView) -> list[tuple[int, str, str]]:
    async with market.db.read() as conn:
        found = await payments.refunds_of(conn, payment.id)
    return [(one.amount, one.currency, one.state) for one in found]


async def test_a_part_of_the_money_goes_back(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    payment = await begun(market, buyer, checkout)
    await hold(market, payment, take=payment.amount - 100)
    market.clock.advance(QUIET)
    await jobs.sweep(market.services)
    await jobs.sweep(market.services)
    after = await last(market, checkout)
    assert (after.state, after.status, after.captured) == (
        "captured",
        "refunded",
        payment.amount - 100,
    )
    assert (await buyer.state(checkout))["state"] == "cancelled"
    assert await market.on_hand(listing) == (10, 0)
    intents = await market.intents(reference=str(payment.id))
    assert [(taken, back) for _, taken, back in intents] == [(payment.amount - 100,) * 2]
    async with market.db.read() as conn:
        steps = await payments.history(conn, payment.id)
    assert any(f"{payment.amount} EUR was asked for" in step.detail for step in steps)


async def test_another_currency_goes_back(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    payment = await last(market, checkout)
    captured = payments.OutcomeKind.CAPTURED
    done = await said(market, payment, kind=captured, amount=payment.amount, currency="USD")
    assert (done.state, done.order_id) == ("cancelled", None)
    again = await said(market, payment, kind=captured, amount=payment.amount, currency="USD")
    assert again.state == "cancelled"
    assert await refunds_of(market, payment) == [(payment.amount, "USD", "requested")]
    assert await market.on_hand(listing) == (10, 0)


async def test_an_order_that_is_paid_hears_no_other_amount(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout)
    payment = await last(market, checkout)
    with pytest.raises(payments.AmountMismatch):
        await said(market, payment, kind=payments.OutcomeKind.CAPTURED, amount=1, currency="EUR")
    assert await refunds_of(market, payment) == []
    assert (await last(market, checkout)).captured == payment.amount


async def test_money_that_is_only_held_is_taken(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    payment = await begun(market, buyer, checkout)
    await hold(market, payment, take=None)
    market.clock.advance(QUIET)
    await jobs.sweep(market.services)
    assert (await buyer.state(checkout))["state"] == "completed"
    intents = await market.intents(reference=str(payment.id))
    assert [captured for _, captured, _ in intents] == [payment.amount]


async def test_news_that_is_refused_stops_no_other(market: Market) -> None:
    """The same news will be refused for ever: it is noted as such, and the rest is acted on."""
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    payment = await last(market, checkout)

    def fact(kind: Any, **what: Any) -> payments.WebhookFact:
        return payments.WebhookFact(
            gateway="sandbox",
            event_id=uuid7().hex,
            type="test",
            kind=kind,
            **what,
        )

    captured = payments.OutcomeKind.CAPTURED
    held = payments.OutcomeKind.AUTHORISED
    ref = payment.gateway_ref
    news = [
        fact("refund", refund_id=uuid7(), refund_outcome=payments.RefundOutcome(state=None)),
        fact(
            "payment",
            payment_id=payment.id,
            outcome=payments.GatewayOutcome(kind=held, gateway_ref=ref, amount=1, currency="EUR"),
        ),
        fact(
            "payment",
            payment_id=payment.id,
            outcome=payments.GatewayOutcome(
                kind=captured, gateway_ref="pi_another", amount=payment.amount, currency="EUR"
            ),
        ),
        fact(
            "payment",
            payment_id=payment.id,
            outcome=payments.GatewayOutcome(
                kind=captured, gateway_ref=ref, amount=payment.amount, currency="EUR"
            ),
        ),
    ]
    for one in news:
        await market.db.transact(lambda tx, one=one: payments.store_webhook(tx, one, b"{}"))
        market.clock.advance(timedelta(seconds=1))
    async with market.db.read() as conn:
        waiting = await payments.waiting_webhooks(conn)
    for webhook_id in waiting:
        await jobs.act_on_webhook(market.services, payments.WebhookJob(webhook_id))
    assert (await buyer.state(checkout))["state"] == "completed"
    async with market.db.read() as conn:
        assert await payments.waiting_webhooks(conn) == []
        notes = sorted(one.note for one in await payments.inbox(conn, payment_id=payment.id))
    assert notes == ["applied", "refused: amount_mismatch", "refused: foreign_outcome"]


async def test_a_payment_that_cannot_be_settled_lets_others_go_first(market: Market) -> None:
    listing = await (await market.shop()).goods()
    stuck, other = market.guest(), market.guest()
    first, second = await stuck.checkout((listing, 1)), await other.checkout((listing, 1))
    await stuck.pay(first, "pm_card_3ds")
    payment = await last(market, first)
    await _name_gateway(market, payment, "closed")
    market.clock.advance(timedelta(seconds=1))
    held = await begun(market, other, second)
    await hold(market, held, take=held.amount)
    market.clock.advance(QUIET)
    for _ in range(2):
        await pay.sweep(market.services, older_than=timedelta(seconds=30), limit=1)
    assert (await other.state(second))["state"] == "completed"
    assert (await stuck.state(first))["state"] == "awaiting_payment"
    await _name_gateway(market, payment, "sandbox")
    await said(market, payment, kind=payments.OutcomeKind.CANCELLED)


async def _name_gateway(market: Market, payment: payments.PaymentView, name: str) -> None:
    """The gateway of a payment is one that is no longer set up, or is again."""
    await market.db.transact(
        lambda tx: tx.execute(
            "UPDATE payments.payment SET gateway = $2 WHERE id = $1", payment.id, name
        )
    )


async def test_a_refund_that_fails_is_asked_for_again(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    paid = await buyer.pay(checkout, "pm_card_refund_fails")
    order = await buyer.order(paid.json()["order_id"])
    part = order["seller_orders"][0]
    await shop.post(f"{part['id']}/cancel", {"reason": "It broke"})
    payment = await last(market, checkout)
    amount = payment.amount
    await jobs.send_refunds(market.services)
    failed, asked = (amount, "EUR", "failed"), (amount, "EUR", "requested")
    assert await refunds_of(market, payment) == [failed, asked]
    await market.sound()
    # Not before its time, and the gateway's webhook of the same failure asks for nothing more.
    await jobs.send_refunds(market.services)
    hooks = await market.hooks.about("refund.failed")
    await market.deliver(hooks)
    await market.work()
    assert await refunds_of(market, payment) == [failed, asked]
    for number, pause in enumerate(refunds.AGAIN, start=2):
        market.clock.advance(pause)
        await jobs.send_refunds(market.services)
        rest = [] if number > len(refunds.AGAIN) else [asked]
        assert await refunds_of(market, payment) == [failed] * number + rest
    async with market.db.read() as conn:
        told = await conn.fetchval(
            "SELECT count(*) FROM platform.audit WHERE action = 'payments.refund_failed'"
            " AND subject = $1",
            f"payment:{payment.id}",
        )
    assert told == len(refunds.AGAIN) + 1
    # Now a person has to: it is among what `souk verify` reports until somebody asks again.
    found = await verify.violations(market.services)
    assert [one.invariant for one in found] == ["payments.order_refunds"]
    async with market.db.read() as conn:
        ended = (await payments.refunds_of(conn, payment.id))[-1]
    desk, other = await market.operator(Role.FINANCE), await market.operator(Role.MODERATOR)
    url = f"/api/v1/admin/refunds/{ended.id}/again"
    assert (await other.post(url)).status_code == 403
    for _ in range(2):
        answer = await desk.post(url)
        assert (answer.status_code, answer.json()["state"]) == (200, "requested"), answer.text
    running = answer.json()["id"]
    refused = await desk.post(f"/api/v1/admin/refunds/{running}/again")
    assert (refused.status_code, refused.json()["code"]) == (409, "refund_not_failed")
    assert (await refunds_of(market, payment))[-2:] == [failed, asked]
    await market.db.transact(
        lambda tx: tx.execute(
            "UPDATE sandbox.intent SET faults = '{}' WHERE reference = $1", str(payment.id)
        )
    )
    await jobs.send_refunds(market.services)
    assert (await last(market, checkout)).status == "refunded"


async def test_a_refused_refund_keeps_no_other_waiting(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer = market.guest()
    mine: list[UUID] = []
    for _ in range(2):
        order = await buyer.buy((listing, 1))
        await shop.post(f"{order['seller_orders'][0]['id']}/cancel", {"reason": "It broke"})
        payment = (await buyer.http.get(f"/api/v1/orders/{order['id']}/payment")).json()
        mine.append(UUID(payment["refunds"][0]["id"]))
        market.clock.advance(timedelta(seconds=1))
    unknown = payments.RefundOutcome(state=None)
    await market.db.transact(
        lambda tx: refunds.settle(
            tx, system("test"), refund_id=mine[0], outcome=unknown, source="sweeper"
        )
    )
    async with market.db.read() as conn:
        order_of = [one.id for one in await payments.pending_refunds(conn) if one.id in mine]
    assert order_of == mine[::-1]
    await jobs.send_refunds(market.services)


async def test_money_that_went_back_leaves_the_checkout_payable(market: Market) -> None:
    """An attempt of an older total is charged late and goes back while a second one runs; when that
    one fails, too, a third one is a new payment."""
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_declined")
    first = await last(market, checkout)
    await market.db.transact(
        lambda tx: tx.execute(
            "UPDATE listings.variant SET price = 9000 WHERE listing_id = $1", listing.id
        )
    )
    await buyer.pay(checkout)
    await buyer.pay(checkout, "pm_card_3ds")
    captured = payments.OutcomeKind.CAPTURED
    await said(market, first, kind=captured, amount=first.amount, currency="EUR")
    await said(market, await last(market, checkout), kind=payments.OutcomeKind.CANCELLED)
    assert (await buyer.state(checkout))["state"] == "open"
    paid = await buyer.pay(checkout)
    assert paid.json()["state"] == "completed", paid.text
    assert await market.orders_of(checkout) == 1
    assert await market.on_hand(listing) == (9, 0)


async def test_money_after_the_buyer_cancelled_goes_back(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_declined")
    payment = await last(market, checkout)
    cancelled = await buyer.http.post(f"/api/v1/checkouts/{checkout['id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    captured = payments.OutcomeKind.CAPTURED
    done = await said(market, payment, kind=captured, amount=payment.amount, currency="EUR")
    assert (done.state, done.order_id) == ("cancelled", None)
    assert await refunds_of(market, payment) == [(payment.amount, "EUR", "requested")]
    assert await market.on_hand(listing) == (10, 0)


async def test_delivery_that_is_no_longer_free_is_shown_and_paid(market: Market) -> None:
    shop = await market.shop()
    rate = fulfilment.Rate(amount=700, free_over=3_000)
    way = fulfilment.Method(
        id=uuid7(), name="Parcel", kind="delivery", currency="EUR", rates=[rate]
    )
    await market.db.transact(lambda tx: fulfilment.add_method(tx, shop.actor, method=way))
    plant, pot = await shop.goods(price=2_000), await shop.goods(price=2_000)
    buyer = market.guest()
    checkout = await buyer.checkout((plant, 1), (pot, 1))
    assert checkout["totals"]["delivery"] == 0
    await market.db.transact(
        lambda tx: tx.execute("UPDATE listings.listing SET state = 'paused' WHERE id = $1", pot.id)
    )
    refused = await buyer.pay(checkout)
    assert [one["code"] for one in refused.json()["messages"]] == ["unavailable"]
    assert (await buyer.state(checkout))["totals"]["total"] == 2_700
    assert (await buyer.pay(checkout)).json()["payment"]["amount"] == 2_700


async def test_more_than_one_payment_can_carry_is_said(market: Market) -> None:
    shop = await market.shop()
    dear = [await shop.goods(price=100_000_000, stock=99) for _ in range(11)]
    buyer = market.guest()
    checkout = await buyer.checkout(*((listing, 99) for listing in dear))
    assert [one["code"] for one in checkout["messages"]] == ["too_much"]
    refused = await buyer.pay(checkout)
    assert (refused.status_code, refused.json()["code"]) == (409, "checkout_incomplete")
    assert await market.payments_of(checkout) == []
    assert await market.on_hand(dear[0]) == (99, 0)
    most = await buyer.checkout(*((listing, 99) for listing in dear[:10]))
    assert (await buyer.pay(most)).json()["state"] == "completed"
