"""From a cart to a paid order over the API, with the real gateway, in any order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from souk import app as composition
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.listings.domain import Listing
from souk.contexts.payments import api as payments
from souk.contexts.sellers import api as sellers
from souk.flows.checkout import complete, jobs, pay
from souk.kernel.actor import GUEST, system
from souk.kernel.ids import uuid7
from souk.platform.database import WriteTx, count_statements
from tests.factories.market import FLAT_DELIVERY, HOME, Buyer, Market

RESERVATION = timedelta(minutes=21)
CHECKOUT = timedelta(hours=3)


@pytest.fixture(autouse=True)
async def sound(market: Market):
    """Whatever a test did, no invariant is broken at its end."""
    yield
    await market.work()
    await market.sound()


async def set_price(market: Market, listing: Listing, price: int) -> None:
    await market.db.transact(
        lambda tx: tx.execute(
            "UPDATE listings.variant SET price = $2 WHERE listing_id = $1", listing.id, price
        )
    )


async def payment_of(market: Market, checkout: dict) -> payments.PaymentView:
    return (await market.payments_of(checkout))[-1]


async def capture(
    market: Market, payment: payments.PaymentView, *, source: str = "webhook"
) -> complete.Settled:
    """Settle as if the gateway had said that the money was taken."""
    outcome = payments.GatewayOutcome(
        kind=payments.OutcomeKind.CAPTURED,
        gateway_ref=payment.gateway_ref,
        amount=payment.amount,
        currency=payment.currency,
    )
    return await market.db.transact(
        lambda tx: complete.settle(
            tx,
            system("test"),
            checkout_id=payment.checkout_id,
            payment_id=payment.id,
            outcome=outcome,
            source=source,
        )
    )


async def give_up(market: Market, payment: payments.PaymentView) -> None:
    """Settle as if the gateway had said that no money will be taken; it is not asked."""
    outcome = payments.GatewayOutcome(
        kind=payments.OutcomeKind.CANCELLED, gateway_ref=payment.gateway_ref
    )
    await pay.settle(market.services, system("test"), payment, outcome, source="answer")


async def refunds_of(market: Market, payment: payments.PaymentView) -> list[payments.RefundView]:
    async with market.db.read() as conn:
        return await payments.refunds_of(conn, payment.id)


async def pass_challenge(
    market: Market, payment: payments.PaymentView, *, complete: bool = True
) -> None:
    """The buyer's browser on the gateway's 3-D Secure page."""
    assert payment.requires_action_url is not None
    import re

    import httpx

    async with httpx.AsyncClient(follow_redirects=False) as browser:
        page = await browser.get(payment.requires_action_url)
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        action = form.group(1) if form else payment.requires_action_url
        url = str(page.url.join(action))
        hidden = dict(
            re.findall(r'<input[^>]*"hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
        )
        buttons = re.findall(r'<button[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text)
        chosen = buttons[0 if complete else -1]
        answer = await browser.post(url, data=hidden | dict([chosen]))
    assert answer.status_code in {302, 303}, answer.text


async def test_two_sellers_goods_and_a_download(market: Market) -> None:
    first, second = await market.shop("Fern"), await market.shop("Byte")
    plant, pot = await first.goods(price=1_999), await first.goods(price=500)
    guide = await second.download(price=700)
    buyer = market.guest()
    await buyer.add(plant, 2)
    await buyer.add(pot, 1)
    await buyer.add(guide)
    checkout = await buyer.checkout()
    assert (checkout["state"], checkout["ready"], checkout["messages"]) == ("open", True, [])
    items = 2 * 1_999 + 500 + 700
    assert checkout["totals"]["items"] == items
    assert checkout["totals"]["total"] == items + FLAT_DELIVERY
    paid = await buyer.pay(checkout)
    assert (paid.status_code, paid.json()["state"]) == (200, "completed"), paid.text
    order = await buyer.order(paid.json()["order_id"])
    assert order["state"] == "confirmed"
    assert order["total"] == items + FLAT_DELIVERY
    assert {part["seller_id"]: part["total"] for part in order["seller_orders"]} == {
        str(first.seller_id): 2 * 1_999 + 500 + FLAT_DELIVERY,
        str(second.seller_id): 700,
    }
    assert (await buyer.cart())["groups"] == []
    assert await market.on_hand(plant) == (8, 0)
    assert await market.on_hand(pot) == (9, 0)
    for part in order["seller_orders"]:
        assert await market.balance(f"escrow:{part['id']}") == -part["total"]
    await market.work()
    states = {p["seller_id"]: p["state"] for p in (await buyer.order(order["id"]))["seller_orders"]}
    assert states == {str(first.seller_id): "confirmed", str(second.seller_id): "delivered"}
    files = (await buyer.http.get(f"/api/v1/orders/{order['id']}/downloads")).json()["files"]
    assert [file["filename"] for file in files] == ["guide.pdf"]


async def test_nobody_buys_the_same_file_twice(market: Market) -> None:
    shop = await market.shop()
    guide, pot = await shop.download(price=700), await shop.goods(price=500)
    buyer, _ = await market.member()
    early = await buyer.checkout((guide, 1), (pot, 1))
    await buyer.buy((guide, 1))
    await market.work()
    # A checkout that was opened before says so instead of taking the money.
    refused = await buyer.pay(early)
    assert "payment" not in refused.json() or refused.json()["payment"] is None
    codes = [message["code"] for message in refused.json()["messages"]]
    assert (codes, await market.orders_of(early)) == (["already_yours"], 0)
    # What is left of it can be paid.
    assert (await buyer.pay(early)).json()["state"] == "completed"
    body = {"items": [{"variant_id": str(guide.variants[0].id)}]}
    assert (await buyer.http.post("/api/v1/checkouts", json=body)).status_code == 422
    await buyer.add(guide)
    cart = await buyer.cart()
    assert [m["code"] for m in cart["messages"]] == ["already_yours"]
    assert (cart["count"], cart["ready"]) == (0, False)
    # Somebody else can, and a guest is not told what a member has.
    other, _ = await market.member()
    assert (await other.checkout((guide, 1)))["messages"] == []
    assert (await market.guest().checkout((guide, 1)))["messages"] == []


async def test_a_member_finds_the_order_and_nobody_else_does(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    buyer, _ = await market.member()
    order = await buyer.buy((listing, 1))
    rows = (await buyer.http.get("/api/v1/orders")).json()["items"]
    assert [row["id"] for row in rows] == [order["id"]]
    other, _ = await market.member()
    for stranger in (other, market.guest()):
        assert (await stranger.http.get(f"/api/v1/orders/{order['id']}")).status_code == 404
        assert (await stranger.http.get("/api/v1/orders")).json()["items"] == []
        answer = await stranger.http.get(f"/api/v1/checkouts/{order['checkout_id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "checkout_not_found")


async def test_what_is_missing_is_said(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1), email=None, shipping_address=None)
    assert [m["code"] for m in checkout["messages"]] == ["email_missing", "address_missing"]
    refused = await buyer.pay(checkout)
    assert (refused.status_code, refused.json()["code"]) == (409, "checkout_incomplete")
    assert [m["path"] for m in refused.json()["messages"]] == ["email", "shipping_address"]
    url = f"/api/v1/checkouts/{checkout['id']}"
    mended = await buyer.http.patch(url, json={"email": "a@b.test", "shipping_address": HOME})
    assert mended.json()["ready"]
    assert (await buyer.pay(checkout)).json()["state"] == "completed"
    closed = await buyer.http.patch(url, json={"email": "x@b.test"})
    assert (closed.status_code, closed.json()["code"]) == (409, "checkout_closed")
    empty = await market.guest().http.post("/api/v1/checkouts", json={})
    assert (empty.status_code, empty.json()["code"]) == (422, "checkout_empty")


@pytest.mark.parametrize("quantity", [0, -1, -5, 100, 10**20, 1.5, None])
async def test_a_quantity_is_between_one_and_ninety_nine(market: Market, quantity: object) -> None:
    listing = await (await market.shop()).goods(stock=200)
    item = {"variant_id": str(listing.variants[0].id), "quantity": quantity}
    answer = await market.guest().http.post("/api/v1/checkouts", json={"items": [item]})
    assert answer.status_code in {400, 422}, answer.text


async def test_a_variant_named_twice_is_one_line(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods(price=1_005, stock=5)
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1), (listing, 2))
    lines = checkout["groups"][0]["lines"]
    assert [line["quantity"] for line in lines] == [3]
    paid = (await buyer.pay(checkout)).json()
    order = await buyer.order(paid["order_id"])
    assert order["seller_orders"][0]["commission"] == 302  # 30.15 € × 10 %, half to even
    assert await market.on_hand(listing) == (2, 0)


async def test_a_premium_sellers_commission_is_that_of_the_tier(market: Market) -> None:
    shop, other = await market.shop(), await market.shop()
    goods, others = await shop.goods(price=2_000), await other.goods(price=2_000)
    rule = ledger.CommissionRule(
        uuid7(), ledger.Scope.TIER, 600, market.db.clock.now(), tier="premium"
    )

    async def prefer(tx: WriteTx) -> None:
        await sellers.set_tier(
            tx, system("test"), seller_id=shop.seller_id, tier=sellers.Tier.PREMIUM
        )
        await ledger.add_commission_rule(tx, system("test"), rule)

    await market.db.transact(prefer)
    buyer = market.guest()
    paid = (await buyer.pay(await buyer.checkout((goods, 1), (others, 1)))).json()
    order = await buyer.order(paid["order_id"])
    parts = {part["seller_id"]: part["commission"] for part in order["seller_orders"]}
    assert parts == {str(shop.seller_id): 120, str(other.seller_id): 200}


async def test_a_price_that_changed_is_shown_before_it_is_paid(market: Market) -> None:
    listing = await (await market.shop()).goods(price=2_000)
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 2))
    await set_price(market, listing, 2_500)
    refused = await buyer.pay(checkout)
    assert refused.status_code == 409
    assert [m["code"] for m in refused.json()["messages"]] == ["price_changed"]
    assert await market.on_hand(listing) == (10, 0)
    shown = await buyer.state(checkout)
    assert shown["totals"]["total"] == 5_000 + FLAT_DELIVERY
    paid = (await buyer.pay(checkout)).json()
    assert paid["payment"]["amount"] == 5_000 + FLAT_DELIVERY


async def test_sold_out_between_cart_and_payment(market: Market) -> None:
    shop = await market.shop()
    listing, other = await shop.goods(stock=1), await shop.goods()
    slow, quick = market.guest(), market.guest()
    waiting = await slow.checkout((listing, 1), (other, 1))
    await quick.buy((listing, 1))
    refused = await slow.pay(waiting)
    assert (refused.status_code, refused.json()["code"]) == (409, "sold_out"), refused.text
    assert await market.on_hand(other) == (10, 0)
    assert await market.payments_of(waiting) == []
    shown = await slow.state(waiting)
    assert [m["code"] for m in shown["messages"]] == ["sold_out"]


async def test_a_declined_card_and_then_another(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 3))
    declined = await buyer.pay(checkout, "pm_card_declined_insufficient_funds")
    assert declined.status_code == 200
    assert declined.json()["state"] == "open"
    assert declined.json()["payment"]["decline_code"] == "insufficient_funds"
    assert "another card" in declined.json()["payment"]["decline_message"]
    assert await market.on_hand(listing) == (10, 0)
    again = (await buyer.pay(checkout)).json()
    assert again["state"] == "completed"
    assert [one.state for one in await market.payments_of(checkout)] == ["failed", "captured"]


async def test_three_d_secure(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    asked = (await buyer.pay(checkout, "pm_card_3ds")).json()
    assert asked["state"] == "awaiting_payment"
    assert asked["payment"]["requires_action_url"]
    assert await market.on_hand(listing) == (10, 1)
    await pass_challenge(market, await payment_of(market, checkout))
    payment = await payment_of(market, checkout)
    settled = await pay.refresh(market.services, GUEST, payment.id)
    assert settled is not None
    assert settled.state == "completed"
    assert (await buyer.state(checkout))["order_id"] == str(settled.order_id)


async def test_the_webhook_alone_completes(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    await pass_challenge(market, await payment_of(market, checkout))
    payment = await payment_of(market, checkout)
    hooks = await market.hooks.about(str(payment.id), count=2)
    assert await market.deliver([*hooks[::-1], *hooks, *hooks]) == [200] * 3 * len(hooks)
    await market.work()
    assert (await buyer.state(checkout))["state"] == "completed"
    assert await market.orders_of(checkout) == 1
    assert await market.on_hand(listing) == (9, 0)


async def test_the_webhook_overtakes_the_answer(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    paying = asyncio.create_task(buyer.pay(checkout, "pm_card_slow"))
    for _ in range(200):
        found = await market.payments_of(checkout)
        if found and any(str(found[0].id).encode() in body for _, body in market.hooks.received):
            break
        await asyncio.sleep(0.02)
    payment = await payment_of(market, checkout)
    await market.deliver(await market.hooks.about(str(payment.id)))
    await market.work()
    order_id = (await buyer.state(checkout))["order_id"]
    answer = (await paying).json()
    assert answer["order_id"] == order_id
    assert await market.orders_of(checkout) == 1


@pytest.mark.parametrize("card", ["timeout_after_success", "timeout_always", "error_once"])
async def test_a_gateway_that_fails_charges_once(market: Market, card: str) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, f"pm_card_{card}")
    market.clock.advance(timedelta(minutes=2))
    await jobs.sweep(market.services)
    assert (await buyer.state(checkout))["state"] == "completed"
    payment = await payment_of(market, checkout)
    intents = await market.intents(reference=str(payment.id))
    assert [captured for _, captured, _ in intents] == [payment.amount]


async def test_a_gateway_that_is_down_frees_the_goods(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    answer = await buyer.pay(checkout, "pm_card_error_always")
    assert answer.status_code == 200, answer.text
    market.clock.advance(timedelta(minutes=2))
    await jobs.sweep(market.services)
    assert (await buyer.state(checkout))["state"] == "open"
    assert await market.on_hand(listing) == (10, 0)
    market.services.get(payments.Gateways).port("sandbox")
    order = await buyer.pay(checkout)
    assert order.status_code == 200


async def test_a_payment_under_way_keeps_its_goods(market: Market) -> None:
    listing = await (await market.shop()).goods(stock=1)
    buyer, other = market.guest(), market.guest()
    checkout, hopeful = await buyer.checkout((listing, 1)), await other.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    for _ in range(3):
        market.clock.advance(RESERVATION)
        for schedule in composition.schedules():
            if "expire" in schedule.name:
                await schedule.run(market.services)
        assert await market.on_hand(listing) == (1, 1)
    refused = await other.pay(hopeful)
    assert (refused.status_code, refused.json()["code"]) == (409, "sold_out")
    settled = await capture(market, await payment_of(market, checkout))
    assert settled.state == "completed"
    assert await market.on_hand(listing) == (0, 0)


async def test_goods_held_past_their_time_go_back_on_sale(market: Market) -> None:
    listing = await (await market.shop()).goods(stock=1)
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    await market.db.transact(
        lambda tx: tx.execute(
            "WITH ended AS (UPDATE payments.payment SET state = 'failed', holds_checkout = false"
            " WHERE checkout_id = $1 RETURNING id)"
            " INSERT INTO payments.transition (id, payment_id, at, actor, source, state, detail)"
            " SELECT gen_random_uuid(), id, now(), 'test', 'test', 'failed', '' FROM ended",
            UUID(checkout["id"]),
        )
    )
    market.clock.advance(RESERVATION)
    await jobs.expire_checkouts(market.services)
    assert await market.on_hand(listing) == (1, 0)
    assert (await buyer.state(checkout))["state"] == "open"
    again = await buyer.pay(checkout)
    assert again.json()["state"] == "completed"


async def test_one_schedule_alone_releases_what_ran_out(market: Market) -> None:
    names = [one.name for one in composition.schedules() if "expire" in one.name]
    assert names == ["checkout.expire"]


async def test_money_after_expiry_finds_the_goods_again(market: Market) -> None:
    listing = await (await market.shop()).goods(stock=1)
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    payment = await payment_of(market, checkout)
    await give_up(market, payment)
    assert await market.on_hand(listing) == (1, 0)
    settled = await capture(market, payment)
    assert settled.state == "completed"
    assert await market.on_hand(listing) == (0, 0)


async def test_money_after_the_goods_were_sold_goes_back(market: Market) -> None:
    listing = await (await market.shop()).goods(stock=1)
    late, quick = market.guest(), market.guest()
    checkout = await late.checkout((listing, 1))
    await late.pay(checkout, "pm_card_3ds")
    payment = await payment_of(market, checkout)
    await give_up(market, payment)
    await quick.buy((listing, 1))
    await pass_challenge(market, payment)
    hooks = await market.hooks.about(str(payment.id), count=2)
    await market.deliver(hooks)
    await market.work()
    assert (await late.state(checkout))["state"] == "cancelled"
    assert await market.orders_of(checkout) == 0
    refunds = await refunds_of(market, payment)
    assert [(one.amount, one.state) for one in refunds] == [(payment.amount, "requested")]
    await jobs.send_refunds(market.services)
    assert [one.state for one in await refunds_of(market, payment)] == ["succeeded"]
    intents = await market.intents(reference=str(payment.id))
    assert [(captured, back) for _, captured, back in intents] == [(payment.amount,) * 2]
    assert await market.balance(f"escrow:{checkout['id']}") == 0


async def test_money_that_went_back_buys_nothing_later(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods(stock=1)
    late, quick = market.guest(), market.guest()
    checkout = await late.checkout((listing, 1))
    await late.pay(checkout, "pm_card_3ds")
    await give_up(market, await payment_of(market, checkout))
    order = await quick.buy((listing, 1))
    payment = await payment_of(market, checkout)
    assert (await capture(market, payment)).state == "cancelled"
    part = order["seller_orders"][0]
    back = await shop.post(f"{part['id']}/cancel", {"reason": "It broke"})
    assert back.status_code == 200, back.text
    assert await market.on_hand(listing) == (1, 0)
    assert (await capture(market, payment, source="sweeper")).state == "cancelled"
    assert await market.orders_of(checkout) == 0
    assert await market.on_hand(listing) == (1, 0)
    assert len(await refunds_of(market, payment)) == 1


async def test_a_declined_attempt_that_was_captured_after_all(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_declined")
    payment = await payment_of(market, checkout)
    settled = await capture(market, payment)
    assert settled.state == "completed"
    assert await market.on_hand(listing) == (9, 0)


async def test_a_captured_attempt_of_another_total_goes_back(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_declined")
    first = await payment_of(market, checkout)
    await set_price(market, listing, 9_000)
    await buyer.pay(checkout)
    await buyer.pay(checkout, "pm_card_3ds")
    assert await market.on_hand(listing) == (10, 1)
    settled = await capture(market, first)
    assert (settled.state, settled.order_id) == ("awaiting_payment", None)
    assert [one.amount for one in await refunds_of(market, first)] == [first.amount]
    assert await market.on_hand(listing) == (10, 1)
    second = await payment_of(market, checkout)
    assert (await capture(market, second)).state == "completed"
    assert await market.orders_of(checkout) == 1


async def test_two_attempts_that_were_both_charged(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_declined")
    first = await payment_of(market, checkout)
    assert (await buyer.pay(checkout)).json()["state"] == "completed"
    for _ in range(2):
        assert (await capture(market, first)).state == "completed"
    assert [one.amount for one in await refunds_of(market, first)] == [first.amount]
    second = await payment_of(market, checkout)
    assert second.id != first.id
    assert await refunds_of(market, second) == []


async def test_everyone_completes_at_once(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    await buyer.add(listing, 2)
    checkout = await buyer.checkout()
    await buyer.pay(checkout, "pm_card_3ds")
    await pass_challenge(market, await payment_of(market, checkout))
    payment = await payment_of(market, checkout)
    hooks = await market.hooks.about(str(payment.id), count=2)
    market.clock.advance(timedelta(minutes=1))
    await asyncio.gather(
        *(pay.refresh(market.services, GUEST, payment.id) for _ in range(4)),
        *(buyer.pay(checkout, "pm_card_3ds") for _ in range(3)),
        *(market.deliver(hooks) for _ in range(2)),
        *(jobs.sweep(market.services) for _ in range(2)),
    )
    await market.work()
    assert await market.orders_of(checkout) == 1
    assert await market.on_hand(listing) == (8, 0)
    intents = await market.intents(reference=str(payment.id))
    assert [captured for _, captured, _ in intents] == [payment.amount]


async def test_the_same_key_is_one_payment(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    key = uuid7().hex
    first = await buyer.pay(checkout, key=key)
    again = await buyer.pay(checkout, key=key)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = await buyer.pay(checkout, "pm_card_amex", key=key)
    assert other.status_code == 422
    assert await market.orders_of(checkout) == 1


async def test_paying_again_without_a_key_answers_the_order(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    order_id = (await buyer.pay(checkout)).json()["order_id"]
    again = await buyer.pay(checkout, "pm_card_amex")
    assert (again.status_code, again.json()["order_id"]) == (200, order_id)
    assert len(await market.payments_of(checkout)) == 1


async def test_cancelling_gives_the_goods_back(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 4))
    await buyer.pay(checkout, "pm_card_3ds")
    assert await market.on_hand(listing) == (10, 4)
    url = f"/api/v1/checkouts/{checkout['id']}/cancel"
    assert (await market.guest().http.post(url)).status_code == 404
    assert (await buyer.http.post(url)).json()["state"] == "cancelled"
    assert await market.on_hand(listing) == (10, 0)
    refused = await buyer.pay(checkout)
    assert (refused.status_code, refused.json()["code"]) == (409, "checkout_closed")
    payment = await payment_of(market, checkout)
    assert payment.state == "cancelled"
    assert [row[1] for row in await market.intents(reference=str(payment.id))] in ([], [0])


async def test_time_ends_a_checkout_but_not_one_that_is_being_paid(market: Market) -> None:
    listing = await (await market.shop()).goods()
    idle, paying = market.guest(), market.guest()
    left = await idle.checkout((listing, 1))
    busy = await paying.checkout((listing, 1))
    await paying.pay(busy, "pm_card_3ds")
    market.clock.advance(CHECKOUT)
    await jobs.expire_checkouts(market.services)
    assert (await idle.state(left))["state"] == "expired"
    assert (await paying.state(busy))["state"] == "awaiting_payment"
    await jobs.sweep(market.services)
    assert (await paying.state(busy))["state"] == "open"
    await jobs.expire_checkouts(market.services)
    assert await market.on_hand(listing) == (10, 0)


@pytest.mark.parametrize("keys", ["one key", "own keys", "no key"])
async def test_ten_at_once_by_api_webhook_and_job_have_one_effect(
    market: Market, keys: str
) -> None:
    listing = await (await market.shop()).goods(stock=5)
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    await buyer.pay(checkout, "pm_card_3ds")
    payment = await payment_of(market, checkout)
    await pass_challenge(market, payment)
    hooks = await market.hooks.about(str(payment.id), count=2)
    # Only a payment of which nobody has heard for a while is asked for.
    market.clock.advance(timedelta(minutes=2))
    one = uuid7().hex

    def key(turn: int) -> str | None:
        return {"one key": one, "own keys": f"{one}{turn}", "no key": None}[keys]

    await asyncio.gather(
        *(buyer.pay(checkout, "pm_card_visa", key=key(turn)) for turn in range(3)),
        *(market.deliver(hooks) for _ in range(3)),
        *(jobs.sweep(market.services) for _ in range(2)),
        *(pay.refresh(market.services, GUEST, payment.id) for _ in range(2)),
    )
    await market.work()
    assert (await buyer.state(checkout))["state"] == "completed"
    assert await market.orders_of(checkout) == 1
    assert await market.on_hand(listing) == (4, 0)
    kept = [each for each in await market.payments_of(checkout) if each.state == "captured"]
    assert [each.id for each in kept] == [payment.id]
    captured = [taken - back for _, taken, back in await market.intents(reference=str(payment.id))]
    assert captured == [payment.amount]


async def test_delivery_is_one_that_is_offered(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1), deliveries={str(listing.seller_id): str(uuid7())})
    group = checkout["groups"][0]
    assert group["chosen"]["method_id"] == group["options"][0]["method_id"]
    assert checkout["totals"]["delivery"] == group["options"][0]["amount"]


async def whole_purchase(buyer: Buyer, plant: Listing, pot: Listing, guide: Listing) -> str:
    checkout = await buyer.checkout((plant, 1), (pot, 2), (guide, 1))
    paid = await buyer.pay(checkout)
    return paid.json()["order_id"]


async def test_a_whole_purchase_takes_few_statements(
    market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await market.shop(), await market.shop()
    plant, pot, guide = await first.goods(), await first.goods(), await second.download()
    buyer, _ = await market.member()
    await whole_purchase(buyer, plant, pot, guide)
    async with count_statements() as count:
        order_id = await whole_purchase(buyer, plant, pot, guide)
    assert UUID(order_id)
    with capsys.disabled():
        print(f"\nwhole purchase, two sellers, three lines: {count.total} statements")
    assert count.total <= 45, "\n".join(count.texts)


async def test_several_variants_of_one_listing(market: Market) -> None:
    shop = await market.shop()
    variants = [
        listings.VariantInput(price=1_000, options={"size": size}) for size in ("S", "M", "L")
    ]
    listing = await shop.goods(stock=4, variants=variants)
    buyer = market.guest()
    items = [{"variant_id": str(variant.id), "quantity": 2} for variant in listing.variants]
    body = {"items": items, "email": "a@b.test", "shipping_address": HOME}
    checkout = (await buyer.http.post("/api/v1/checkouts", json=body)).json()
    assert checkout["totals"]["items"] == 6_000
    assert (await buyer.pay(checkout)).json()["state"] == "completed"
    assert await market.on_hand(listing) == (2, 0)
