"""Everybody acts on one order at the same moment: each thing happens once, all sums are right."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from souk.contexts.ledger.jobs import release_holds
from souk.contexts.payments import api as payments
from souk.flows.checkout import jobs as checkout_jobs
from souk.flows.checkout import pay
from souk.flows.fulfil_order import jobs
from souk.kernel.actor import system
from tests.factories.market import Buyer, Market

WHY = {"reason": "It does not fit"}
PARCEL = {"carrier": "dhl", "tracking": "1"}
pytestmark = pytest.mark.reliability


@pytest.fixture(autouse=True)
async def sound(market: Market):
    yield
    await market.work()
    await market.sound()


def codes(answers: list[httpx.Response]) -> Counter[int]:
    found = Counter(answer.status_code for answer in answers)
    assert set(found) <= {200, 409}, [answer.text for answer in answers]
    return found


def act(buyer: Buyer, order: dict[str, Any], part: dict[str, Any], step: str) -> Any:
    url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/{step}"
    return buyer.http.post(url, json=None if step == "confirm-delivery" else WHY)


async def test_two_sellers_and_their_buyer_act_on_one_order(market: Market) -> None:
    shops = [await market.shop() for _ in range(2)]
    goods = [await shop.goods() for shop in shops]
    for turn in range(4):
        buyer = market.guest()
        order = await buyer.buy((goods[0], 3), (goods[1], 2))
        parts = {part["seller_id"]: part for part in order["seller_orders"]}
        first, second = (parts[str(shop.seller_id)] for shop in shops)
        one_piece = {"lines": {first["lines"][0]["id"]: 1}} | WHY
        answers = await asyncio.gather(
            shops[0].post(f"{first['id']}/cancel-lines", one_piece),
            shops[0].post(f"{first['id']}/cancel", WHY),
            act(buyer, order, first, "cancel"),
            shops[1].post(f"{second['id']}/cancel", WHY),
            shops[1].post(f"{second['id']}/ship", PARCEL),
            act(buyer, order, second, "cancel"),
        )
        codes(answers)
        assert codes(answers[3:]) == {200: 1, 409: 2}, turn
        after = await buyer.order(order["id"])
        paid = (await buyer.http.get(f"/api/v1/orders/{order['id']}/payment")).json()
        asked = sum(refund["amount"] for refund in paid["refunds"])
        assert asked == sum(part["refunded"] for part in after["seller_orders"])
    await checkout_jobs.send_refunds(market.services)


async def test_a_return_or_the_end_of_its_window_but_not_both(market: Market) -> None:
    shop = await market.shop()
    guide = await shop.download(price=1_000)
    buyers = [market.guest() for _ in range(4)]
    orders = [await buyer.buy((guide, 1)) for buyer in buyers]
    await market.drain()
    # The last moment at which a return can be asked for.
    market.clock.advance(timedelta(days=7))
    parts = [order["seller_orders"][0] for order in orders]
    answers = await asyncio.gather(
        *(act(b, o, p, "request-return") for b, o, p in zip(buyers, orders, parts, strict=True)),
        *(act(b, o, p, "confirm-delivery") for b, o, p in zip(buyers, orders, parts, strict=True)),
        jobs.complete_due(market.services),
        jobs.complete_due(market.services),
    )
    asked, confirmed = answers[:4], answers[4:8]
    for buyer, order, one, other in zip(buyers, orders, asked, confirmed, strict=True):
        assert codes([one, other]) == {200: 1, 409: 1}
        state = (await buyer.order(order["id"]))["state"]
        assert state == ("return_requested" if one.status_code == 200 else "completed")


async def test_confirming_many_times_pays_once(market: Market) -> None:
    shop = await market.shop()
    buyer = market.guest()
    order = await buyer.buy((await shop.goods(price=4_000), 1))
    part = order["seller_orders"][0]
    await shop.post(f"{part['id']}/ship", PARCEL)
    answers = await asyncio.gather(
        *(act(buyer, order, part, "confirm-delivery") for _ in range(5)),
        *(release_holds(market.services) for _ in range(2)),
    )
    assert codes(answers[:5]) == {200: 5}
    earned = part["total"] - part["commission"]
    assert await market.balance(f"seller:{shop.seller_id}:pending") == -earned
    market.clock.advance(timedelta(days=3, minutes=1))
    await asyncio.gather(*(release_holds(market.services) for _ in range(4)))
    assert await market.balance(f"seller:{shop.seller_id}:available") == -earned


async def test_taking_back_or_refusing_but_not_both(market: Market) -> None:
    shop = await market.shop()
    buyer = market.guest()
    order = await buyer.buy((await shop.download(price=1_000), 1))
    await market.drain()
    part = order["seller_orders"][0]
    assert (await act(buyer, order, part, "request-return")).status_code == 200
    answers = await asyncio.gather(
        *(shop.post(f"{part['id']}/returned", WHY) for _ in range(3)),
        *(shop.post(f"{part['id']}/refuse-return", WHY) for _ in range(3)),
    )
    assert codes(answers) == {200: 1, 409: 5}
    after = await buyer.order(order["id"])
    gone = after["state"] == "returned"
    assert after["refunded"] == (order["total"] if gone else 0)
    files = (await buyer.http.get(f"/api/v1/orders/{order['id']}/downloads")).json()["files"]
    assert [file["state"] for file in files] == (["revoked"] if gone else ["ready"])


@pytest.mark.parametrize("late", [timedelta(minutes=21), timedelta(hours=3)])
async def test_time_and_money_at_the_same_moment(market: Market, late: timedelta) -> None:
    listing = await (await market.shop()).goods(stock=5)
    buyers = [market.guest() for _ in range(5)]
    checkouts = [await buyer.checkout((listing, 1)) for buyer in buyers]
    found: list[payments.PaymentView] = []
    for buyer, checkout in zip(buyers, checkouts, strict=True):
        await buyer.pay(checkout, "pm_card_3ds")
        found.extend(await market.payments_of(checkout))
    market.clock.advance(late)

    async def taken(payment: payments.PaymentView) -> None:
        outcome = payments.GatewayOutcome(
            kind=payments.OutcomeKind.CAPTURED,
            gateway_ref=payment.gateway_ref,
            amount=payment.amount,
            currency=payment.currency,
        )
        await pay.settle(market.services, system("test"), payment, outcome, source="webhook")

    await asyncio.gather(
        *(taken(payment) for payment in found for _ in range(2)),
        *(checkout_jobs.expire_checkouts(market.services) for _ in range(3)),
    )
    for buyer, checkout in zip(buyers, checkouts, strict=True):
        assert (await buyer.state(checkout))["state"] == "completed"
        assert await market.orders_of(checkout) == 1
    assert await market.on_hand(listing) == (0, 0)


async def test_giving_up_and_paying_at_the_same_moment(market: Market) -> None:
    """Whoever is first, the buyer has the goods or the money."""
    listing = await (await market.shop()).goods(stock=20)
    for _ in range(4):
        buyer = market.guest()
        checkout = await buyer.checkout((listing, 1))
        url = f"/api/v1/checkouts/{checkout['id']}/cancel"
        await asyncio.gather(buyer.pay(checkout), buyer.http.post(url), buyer.pay(checkout))
        await market.work()
        market.clock.advance(timedelta(minutes=2))
        await checkout_jobs.sweep(market.services)
        await checkout_jobs.send_refunds(market.services)
        state = await buyer.state(checkout)
        kept = 0
        for payment in await market.payments_of(checkout):
            rows = await market.intents(reference=str(payment.id))
            kept += sum(captured - back for _, captured, back in rows)
        assert kept == (checkout["totals"]["total"] if state["state"] == "completed" else 0)
        assert await market.orders_of(checkout) == (state["state"] == "completed")
        assert UUID(checkout["id"])
    on_hand, reserved = await market.on_hand(listing)
    assert reserved == 0, on_hand
