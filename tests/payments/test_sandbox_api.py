"""The provider's JSON interface, on a real socket and a real database."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from souk.kernel.clock import SettableClock
from souk.platform.database import Database, count_statements
from souk.sandbox_gateway import wire
from souk.sandbox_gateway.cards import AMOUNT_FAULTS, CARDS, DECLINES, FAULTS, luhn_valid
from souk.sandbox_gateway.commands import Call, Provider
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.model import charge_fee


def order(**changes: Any) -> dict[str, Any]:
    return {
        "amount": 2500, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": True,
        "reference": uuid.uuid4().hex, "return_url": "http://shop.example/back?x=1",
    } | changes  # fmt: skip


async def create(api: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    response = await api.post("/v1/payment_intents", json=order(**changes))
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_payment_in_one_call(api: httpx.AsyncClient) -> None:
    made = await create(api, metadata={"cart": "7"})
    assert made["status"] == "succeeded"
    assert made["amount_captured"] == 2500
    assert (made["card_brand"], made["card_last4"]) == ("visa", "4242")
    again = (await api.get(f"/v1/payment_intents/{made['id']}")).json()
    assert again == made


async def test_a_payment_in_two_calls(api: httpx.AsyncClient) -> None:
    made = await create(api, confirm=False)
    assert made["status"] == "requires_payment_method"
    done = await api.post(f"/v1/payment_intents/{made['id']}/confirm", json={})
    assert done.json()["status"] == "succeeded"
    twice = await api.post(f"/v1/payment_intents/{made['id']}/confirm", json={})
    assert twice.status_code == 400
    assert twice.json()["error"]["code"] == "payment_intent_unexpected_state"


async def test_create_and_confirm_is_three_statements(
    db: Database, sandbox_settings: SandboxSettings
) -> None:
    provider = Provider(db, sandbox_settings)
    data = wire.CreateIntent(
        amount=100, currency="EUR", payment_method="pm_card_visa", confirm=True
    )
    async with count_statements() as count:
        answer = await provider.create_intent(Call(uuid.uuid4().hex, b"x"), data)
    assert answer.status == 200
    assert count.total <= 3, count.texts


async def test_manual_capture_takes_a_part(api: httpx.AsyncClient) -> None:
    made = await create(api, capture_method="manual")
    assert made["status"] == "requires_capture"
    assert made["amount_captured"] == 0
    path = f"/v1/payment_intents/{made['id']}/capture"
    too_much = await api.post(path, json={"amount": 2501})
    assert too_much.json()["error"]["code"] == "amount_too_large"
    part = (await api.post(path, json={"amount": 2000})).json()
    assert (part["status"], part["amount_captured"]) == ("succeeded", 2000)


async def test_cancel_lets_go_and_is_final(api: httpx.AsyncClient) -> None:
    made = await create(api, capture_method="manual")
    path = f"/v1/payment_intents/{made['id']}"
    assert (await api.post(f"{path}/cancel")).json()["status"] == "canceled"
    assert (await api.post(f"{path}/capture", json={})).status_code == 400
    paid = await create(api)
    assert (await api.post(f"/v1/payment_intents/{paid['id']}/cancel")).status_code == 400


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.token)
def test_every_test_card_passes_the_check_digit(card: Any) -> None:
    assert luhn_valid(card.number)


@pytest.mark.parametrize("code", [code for code in DECLINES if code != "authentication_failed"])
async def test_every_decline_reason(api: httpx.AsyncClient, code: str) -> None:
    token = "pm_card_declined" if code == "generic_decline" else f"pm_card_declined_{code}"
    response = await api.post("/v1/payment_intents", json=order(payment_method=token))
    assert response.status_code == 402
    error = response.json()["error"]
    assert (error["type"], error["decline_code"]) == ("card_error", code)
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_intent"]["amount_captured"] == 0


async def test_an_amount_asks_for_a_fault(api: httpx.AsyncClient) -> None:
    amount = next(amount for amount, name in AMOUNT_FAULTS.items() if name == "decline_lost_card")
    response = await api.post("/v1/payment_intents", json=order(amount=amount))
    assert response.json()["error"]["decline_code"] == "lost_card"


async def test_a_header_asks_for_a_fault(api: httpx.AsyncClient) -> None:
    headers = {"Sandbox-Fault": "decline_expired_card, webhook_missing"}
    response = await api.post("/v1/payment_intents", json=order(), headers=headers)
    assert response.json()["error"]["decline_code"] == "expired_card"
    wrong = await api.post(
        "/v1/payment_intents", json=order(), headers={"Sandbox-Fault": "nonsense"}
    )
    assert wrong.status_code == 400
    assert all(name in wrong.json()["error"]["message"] for name in FAULTS)


async def test_the_same_key_gives_the_same_answer(api: httpx.AsyncClient) -> None:
    body = order()
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answers = await asyncio.gather(
        *(api.post("/v1/payment_intents", json=body, headers=headers) for _ in range(8))
    )
    assert len({answer.content for answer in answers}) == 1
    found = await api.get("/v1/payment_intents", params={"reference": body["reference"]})
    assert len(found.json()["data"]) == 1
    other = await api.post("/v1/payment_intents", json=order(), headers=headers)
    assert other.json()["error"]["code"] == "idempotency_key_in_use"


async def test_parallel_refunds_with_one_key_refund_once(api: httpx.AsyncClient) -> None:
    made = await create(api)
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"payment_intent": made["id"], "amount": 1000}
    answers = await asyncio.gather(
        *(api.post("/v1/refunds", json=body, headers=headers) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    now = (await api.get(f"/v1/payment_intents/{made['id']}")).json()
    assert now["amount_refunded"] == 1000


async def test_parallel_refunds_never_exceed_the_capture(api: httpx.AsyncClient) -> None:
    made = await create(api)
    body = {"payment_intent": made["id"], "amount": 1000}
    answers = await asyncio.gather(*(api.post("/v1/refunds", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400, 400]
    rest = await api.post("/v1/refunds", json={"payment_intent": made["id"]})
    assert rest.json()["amount"] == 500


async def test_a_refund_can_fail(api: httpx.AsyncClient) -> None:
    made = await create(api, payment_method="pm_card_refund_fails")
    refund = (await api.post("/v1/refunds", json={"payment_intent": made["id"]})).json()
    assert refund["status"] == "failed"
    now = (await api.get(f"/v1/payment_intents/{made['id']}")).json()
    assert now["amount_refunded"] == 0


async def test_an_error_once_then_works_with_the_same_key(api: httpx.AsyncClient) -> None:
    body = order(payment_method="pm_card_error_once")
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    first = await api.post("/v1/payment_intents", json=body, headers=headers)
    assert (first.status_code, first.json()["error"]["type"]) == (500, "api_error")
    second = await api.post("/v1/payment_intents", json=body, headers=headers)
    assert second.json()["status"] == "succeeded"


async def test_an_error_always_takes_no_money(api: httpx.AsyncClient) -> None:
    body = order(payment_method="pm_card_error_always")
    for _ in range(2):
        assert (await api.post("/v1/payment_intents", json=body)).status_code == 500
    found = await api.get("/v1/payment_intents", params={"reference": body["reference"]})
    assert found.json()["data"] == []


async def test_a_time_out_after_success(api: httpx.AsyncClient) -> None:
    body = order(payment_method="pm_card_timeout_after_success")
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    with pytest.raises(httpx.ReadTimeout):
        await api.post("/v1/payment_intents", json=body, headers=headers, timeout=0.3)
    again = await api.post("/v1/payment_intents", json=body, headers=headers, timeout=2)
    assert again.json()["status"] == "succeeded"
    found = await api.get("/v1/payment_intents", params={"reference": body["reference"]})
    assert len(found.json()["data"]) == 1


async def test_processing_succeeds_later(api: httpx.AsyncClient, clock: SettableClock) -> None:
    made = await create(api, payment_method="pm_card_processing")
    assert (made["status"], made["amount_captured"]) == ("processing", 0)
    clock.advance(timedelta(seconds=4))
    now = (await api.get(f"/v1/payment_intents/{made['id']}")).json()
    assert (now["status"], now["amount_captured"]) == ("succeeded", 2500)


async def test_the_key_is_asked_for(sandbox_url: str) -> None:
    async with httpx.AsyncClient(base_url=sandbox_url) as stranger:
        for headers in ({}, {"authorization": "Bearer sk_wrong"}):
            response = await stranger.get("/v1/payment_intents", headers=headers)
            assert response.status_code == 401
        assert (await stranger.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0}, {"amount": -1}, {"amount": 1.5}, {"amount": "ten"}, {"currency": "eur"},
        {"currency": "EURO"}, {"return_url": "javascript:alert(1)"}, {"unknown": 1},
        {"payment_method": None}, {"payment_method": "pm_nobody"},
    ],
    ids=str,
)  # fmt: skip
async def test_wrong_input_is_refused(api: httpx.AsyncClient, change: dict[str, Any]) -> None:
    response = await api.post("/v1/payment_intents", json=order(**change))
    assert response.status_code in {400, 404}
    assert response.json()["error"]["message"]


async def test_a_card_becomes_a_token_and_its_number_is_not_kept(
    api: httpx.AsyncClient, db: Database
) -> None:
    card = {"number": "5555 5555 5555 4444", "exp_month": 4, "exp_year": 2041, "cvc": "123"}
    method = (await api.post("/v1/payment_methods", json=card)).json()
    assert (method["card_brand"], method["card_last4"]) == ("mastercard", "4444")
    made = await create(api, payment_method=method["id"])
    assert made["card_last4"] == "4444"
    async with db.read() as conn:
        row = await conn.fetchval(
            "SELECT m::text FROM sandbox.payment_method m WHERE id = $1", method["id"]
        )
    assert "5555" not in row


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("4242424242424241", "incorrect_number"),
        ("4111111111111111", "test_card_required"),
        ("hello", "invalid_number"),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "invalid_number"),
    ],
)
async def test_only_test_cards_are_taken(api: httpx.AsyncClient, number: str, code: str) -> None:
    card = {"number": number, "exp_month": 4, "exp_year": 2041}
    response = await api.post("/v1/payment_methods", json=card)
    assert (response.status_code, response.json()["error"]["code"]) == (402, code)


async def test_settlements_add_up(api: httpx.AsyncClient, clock: SettableClock) -> None:
    one = await create(api, amount=10_000, currency="SEK")
    await create(api, amount=333, currency="SEK")
    await api.post("/v1/refunds", json={"payment_intent": one["id"], "amount": 400})
    day = clock.now().date().isoformat()
    found = (await api.get("/v1/settlements", params={"since": day})).json()["data"]
    mine = next(entry for entry in found if entry["currency"] == "SEK")
    fees = charge_fee(10_000) + charge_fee(333)
    assert (charge_fee(10_000), charge_fee(333)) == (165, 30)
    assert mine | {"id": "", "day": ""} == {
        "id": "", "object": "settlement", "day": "", "currency": "SEK", "status": "open",
        "gross": 10_333, "refunds": -400, "payouts": 0, "fees": fees,
        "net": 10_333 - 400 - fees, "transactions": 3,
    }  # fmt: skip
    lines: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        params = {"limit": 2} | ({"after": after} if after else {})
        page = (await api.get(f"/v1/settlements/{mine['id']}/transactions", params=params)).json()
        lines += page["data"]
        after = page["next"]
        if after is None:
            break
    assert sum(line["net"] for line in lines) == mine["net"]
    assert [line["type"] for line in lines] == ["charge", "charge", "refund"]


async def test_payouts_arrive_or_come_back(api: httpx.AsyncClient, clock: SettableClock) -> None:
    body = {"amount": 900, "currency": "CHF", "destination": "ba_success"}
    good = (await api.post("/v1/payouts", json=body)).json()
    bad = (await api.post("/v1/payouts", json=body | {"destination": "ba_account_closed"})).json()
    assert (good["status"], bad["status"]) == ("in_transit", "in_transit")
    clock.advance(timedelta(seconds=4))
    good = (await api.get(f"/v1/payouts/{good['id']}")).json()
    bad = (await api.get(f"/v1/payouts/{bad['id']}")).json()
    assert (good["status"], bad["status"]) == ("paid", "failed")
    assert bad["failure_code"] == "account_closed"


def test_the_document_names_every_card_and_fault() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox-gateway.md").read_text("utf-8")
    for card in CARDS:
        assert f"| {card.spaced} | `{card.token}` | {card.label} |" in page
    for amount, fault in AMOUNT_FAULTS.items():
        assert f"| `{fault}` | {amount} |" in page
