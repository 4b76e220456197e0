"""The provider's webhooks: signed, repeated until accepted, and wrong on demand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from souk.contexts.payments.api import SandboxGateway, SignatureRefused
from souk.kernel.clock import SettableClock
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.webhooks import sign
from tests.payments.conftest import Listener, Received


async def pay(api: httpx.AsyncClient, token: str = "pm_card_visa") -> dict[str, Any]:
    body = {"amount": 700, "currency": "EUR", "payment_method": token, "confirm": True}
    return (await api.post("/v1/payment_intents", json=body)).json()


def event(received: Received) -> dict[str, Any]:
    return msgspec.json.decode(received.body)


def test_the_signature_is_hmac_sha256_of_time_and_body() -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    digest = hmac.new(b"secret", b'1767571200.{"a":1}', hashlib.sha256).hexdigest()
    assert sign("secret", b'{"a":1}', at) == f"t=1767571200,v1={digest}"


async def test_one_payment_is_announced_once(
    api: httpx.AsyncClient, listener: Listener, sandbox: SandboxGateway, clock: SettableClock
) -> None:
    made = await pay(api)
    (received,) = await listener.wait_for(made["id"])
    await asyncio.sleep(0.4)
    assert len(listener.about(made["id"])) == 1
    assert event(received)["type"] == "payment_intent.succeeded"
    assert event(received)["data"]["object"] == made
    fact = sandbox.verify(received.headers, received.body, now=clock.now())
    assert fact.outcome is not None
    assert fact.outcome.gateway_ref == made["id"]


async def test_a_refused_webhook_is_sent_again(api: httpx.AsyncClient, listener: Listener) -> None:
    listener.answers[:] = [500, 404]
    made = await pay(api)
    await listener.wait_for(made["id"], 3)
    await asyncio.sleep(0.4)
    received = listener.about(made["id"])
    assert len(received) == 3
    assert len({event(one)["id"] for one in received}) == 1


async def test_duplicates(api: httpx.AsyncClient, listener: Listener) -> None:
    made = await pay(api, "pm_card_webhook_duplicated")
    received = await listener.wait_for(made["id"], 3)
    assert len({event(one)["id"] for one in received}) == 1


async def test_reordered(api: httpx.AsyncClient, listener: Listener, clock: SettableClock) -> None:
    made = await pay(api, "pm_card_webhook_reordered")
    await listener.wait_for(made["id"])
    clock.advance(timedelta(seconds=2))
    received = await listener.wait_for(made["id"], 2)
    assert [event(one)["type"] for one in received] == [
        "payment_intent.succeeded", "payment_intent.processing",
    ]  # fmt: skip
    assert event(received[1])["data"]["object"]["amount_captured"] == 0


async def test_delayed(api: httpx.AsyncClient, listener: Listener, clock: SettableClock) -> None:
    made = await pay(api, "pm_card_webhook_delayed")
    await asyncio.sleep(0.4)
    assert listener.about(made["id"]) == []
    clock.advance(timedelta(seconds=11))
    await listener.wait_for(made["id"])


async def test_missing(api: httpx.AsyncClient, listener: Listener) -> None:
    made = await pay(api, "pm_card_webhook_missing")
    await asyncio.sleep(0.4)
    assert listener.about(made["id"]) == []
    (found,) = (await api.get("/v1/events", params={"object_id": made["id"]})).json()["data"]
    resent = await api.post(f"/v1/events/{found['id']}/resend")
    assert resent.status_code == 202
    await listener.wait_for(made["id"])
    assert (await api.post("/v1/events/evt_none/resend")).status_code == 404


@pytest.mark.parametrize(
    ("token", "reason"),
    [("pm_card_webhook_forged", "wrong"), ("pm_card_webhook_stale", "too_old")],
)
async def test_a_bad_signature_comes_before_the_good_one(
    api: httpx.AsyncClient,
    listener: Listener,
    sandbox: SandboxGateway,
    clock: SettableClock,
    token: str,
    reason: str,
) -> None:
    made = await pay(api, token)
    await listener.wait_for(made["id"])
    clock.advance(timedelta(seconds=1))
    bad, good = await listener.wait_for(made["id"], 2)
    with pytest.raises(SignatureRefused) as refused:
        sandbox.verify(bad.headers, bad.body, now=clock.now())
    assert refused.value.fields["reason"] == reason
    assert sandbox.verify(good.headers, good.body, now=clock.now()).kind == "payment"


async def test_the_webhook_can_overtake_the_answer(
    api: httpx.AsyncClient, listener: Listener
) -> None:
    body = {
        "amount": 700, "currency": "EUR", "payment_method": "pm_card_slow", "confirm": True,
        "reference": "overtaken",
    }  # fmt: skip
    waiting = asyncio.create_task(api.post("/v1/payment_intents", json=body))
    await listener.wait_for("overtaken")
    assert not waiting.done()
    assert (await waiting).json()["status"] == "succeeded"


async def test_refunds_payouts_and_declines_are_announced(
    api: httpx.AsyncClient,
    listener: Listener,
    clock: SettableClock,
    sandbox_settings: SandboxSettings,
) -> None:
    made = await pay(api)
    refund = (await api.post("/v1/refunds", json={"payment_intent": made["id"]})).json()
    (received,) = await listener.wait_for(refund["id"])
    assert event(received)["type"] == "refund.succeeded"
    body = {"amount": 5, "currency": "EUR", "destination": "ba_no_account"}
    payout = (await api.post("/v1/payouts", json=body)).json()
    await asyncio.sleep(0.3)
    assert listener.about(payout["id"]) == []
    clock.advance(timedelta(seconds=sandbox_settings.payout_seconds + 1))
    (received,) = await listener.wait_for(payout["id"])
    assert event(received)["type"] == "payout.failed"
    assert event(received)["data"]["object"]["failure_code"] == "no_account"
    declined = await pay(api, "pm_card_declined")
    intent = declined["error"]["payment_intent"]["id"]
    (received,) = await listener.wait_for(intent)
    assert event(received)["type"] == "payment_intent.payment_failed"


async def test_events_are_listed_newest_first_in_pages(api: httpx.AsyncClient) -> None:
    made = [(await pay(api))["id"] for _ in range(3)]
    first = (await api.get("/v1/events", params={"limit": 2})).json()
    second = (await api.get("/v1/events", params={"limit": 2, "after": first["next"]})).json()
    seen = [one["data"]["object"]["id"] for one in first["data"] + second["data"]]
    assert seen[:3] == made[::-1]
