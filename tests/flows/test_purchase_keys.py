"""Idempotency keys on a purchase: whose they are, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from souk.kernel.ids import fingerprint, uuid7
from tests.factories.market import HOME, Market


@pytest.fixture(autouse=True)
async def sound(market: Market):
    yield
    await market.work()
    await market.sound()


async def test_a_newcomer_who_repeats_gets_a_checkout_that_opens(market: Market) -> None:
    """Nobody else can be told the secret of the first answer, so the second is one of its own."""
    listing = await (await market.shop()).goods()
    body = {
        "items": [{"variant_id": str(listing.variants[0].id), "quantity": 1}],
        "email": "ada@buyers.test",
        "shipping_address": HOME,
    }
    key = {"idempotency-key": uuid7().hex}
    for _ in range(2):
        newcomer = market.client()
        answer = await newcomer.post("/api/v1/checkouts", json=body, headers=key)
        assert answer.status_code == 201, answer.text
        url = f"/api/v1/checkouts/{answer.json()['id']}"
        again = market.client({"souk-guest": answer.headers["souk-guest"]})
        assert (await again.get(url)).status_code == 200


async def test_the_same_key_of_two_people_is_two_keys(market: Market) -> None:
    listing = await (await market.shop()).goods()
    key = uuid7().hex
    (member, _), guest = await market.member(), market.guest()
    buyers = [member, guest]
    checkouts = [await buyer.checkout((listing, 1)) for buyer in buyers]
    paid = await asyncio.gather(
        *(buyer.pay(one, key=key) for buyer, one in zip(buyers, checkouts, strict=True))
    )
    assert [answer.json()["state"] for answer in paid] == ["completed"] * 2
    assert len({answer.json()["order_id"] for answer in paid}) == 2
    stranger = await guest.pay(checkouts[0], key=uuid7().hex)
    assert stranger.status_code == 404


async def test_a_crash_after_the_payment_and_before_the_answer(market: Market) -> None:
    listing = await (await market.shop()).goods()
    buyer = market.guest()
    checkout = await buyer.checkout((listing, 1))
    order_id = (await buyer.pay(checkout)).json()["order_id"]
    key = uuid7().hex
    # What the process that died has left: its claim, without an answer.
    caller = f"guest:{fingerprint(buyer.http.headers['souk-guest']).hex()}"
    await market.db.transact(
        lambda tx: tx.execute(
            "INSERT INTO platform.idempotency (caller, key, request_hash, created_at)"
            " VALUES ($1, $2, '', $3)",
            caller,
            key,
            tx.clock.now(),
        )
    )
    waits = await buyer.pay(checkout, key=key)
    assert (waits.status_code, waits.headers["retry-after"]) == (409, "1")
    market.clock.advance(timedelta(minutes=1, seconds=1))
    for _ in range(2):
        again = await buyer.pay(checkout, key=key)
        assert (again.status_code, again.json()["order_id"]) == (200, order_id)
    assert len(await market.payments_of(checkout)) == 1


async def test_a_key_with_another_body_moves_nothing(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    order = await market.guest().buy((listing, 3))
    part = order["seller_orders"][0]
    line = part["lines"][0]["id"]
    url = f"/api/v1/seller/orders/{part['id']}/cancel-lines"
    key = {"idempotency-key": uuid7().hex}
    one = {"lines": {line: 1}, "reason": "One is broken"}
    answers = await asyncio.gather(*(shop.http.post(url, json=one, headers=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    other = await shop.http.post(url, json=one | {"lines": {line: 2}}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    again = await shop.http.post(url, json=one, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert await market.on_hand(listing) == (8, 0)
