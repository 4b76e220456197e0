"""The card page and the 3-D Secure page, as a browser without JavaScript uses them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from souk.sandbox_gateway.cards import BY_TOKEN, CARDS


async def intent(api: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    body = {
        "amount": 4_200, "currency": "EUR", "hosted": True,
        "return_url": "http://shop.example/back?order=7",
    } | changes  # fmt: skip
    response = await api.post("/v1/payment_intents", json=body)
    return response.json()


def forms(html: str) -> list[str]:
    return re.findall(r'<form method="post" action="([^"]+)"', html)


CARD = {"number": "4242 4242 4242 4242", "expiry": "11/39", "cvc": "123"}


async def test_the_card_page_shows_the_amount_and_every_test_card(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    made = await intent(api)
    page = await browser.get(made["next_action"]["url"])
    assert page.status_code == 200
    assert "42.00 EUR" in page.text
    assert all(card.number in page.text for card in CARDS)
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_typed_card_pays_and_leads_back(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    made = await intent(api)
    page = await browser.get(made["next_action"]["url"])
    done = await browser.post(forms(page.text)[0], data=CARD, follow_redirects=False)
    assert done.status_code == 303
    back = await browser.get(done.headers["location"])
    assert back.headers["location"] == (
        f"http://shop.example/back?order=7&payment_intent={made['id']}&redirect_status=succeeded"
    )
    now = (await api.get(f"/v1/payment_intents/{made['id']}")).json()
    assert (now["status"], now["card_last4"]) == ("succeeded", "4242")


async def test_a_pressed_test_card_pays(api: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    made = await intent(api)
    await browser.post(
        made["next_action"]["url"], data={"test_card": BY_TOKEN["pm_card_amex"].number}
    )
    now = (await api.get(f"/v1/payment_intents/{made['id']}")).json()
    assert (now["status"], now["card_brand"]) == ("succeeded", "amex")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expiry": "13/39"}, "MM/YY"),
        ({"expiry": ""}, "MM/YY"),
        ({"expiry": "01/20"}, "has passed"),
        ({"number": "4242424242424241"}, "typing mistake"),
        ({"number": "4111111111111111"}, "only the listed test cards"),
        ({"number": "<script>"}, "not a card number"),
    ],
)
async def test_a_wrong_card_is_explained(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, change: dict[str, str], said: str
) -> None:
    made = await intent(api)
    page = await browser.post(made["next_action"]["url"], data=CARD | change)
    assert page.status_code == 422
    assert said in page.text
    assert "<script>" not in page.text


async def test_a_decline_lets_the_buyer_try_another_card(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    made = await intent(api)
    url = made["next_action"]["url"]
    number = BY_TOKEN["pm_card_declined_insufficient_funds"].number
    declined = await browser.post(url, data={"test_card": number}, follow_redirects=True)
    assert "insufficient funds" in declined.text
    assert 'role="alert"' in declined.text
    await browser.post(url, data=CARD)
    assert (await api.get(f"/v1/payment_intents/{made['id']}")).json()["status"] == "succeeded"


async def test_going_back_gives_the_payment_up(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    made = await intent(api)
    page = await browser.get(made["next_action"]["url"])
    left = await browser.post(forms(page.text)[1])
    assert left.headers["location"].endswith("redirect_status=canceled")
    assert (await api.get(f"/v1/payment_intents/{made['id']}")).json()["status"] == "canceled"


@pytest.mark.parametrize(("answer", "status"), [("approve", "succeeded"), ("fail", "failed")])
async def test_the_3d_secure_step(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, answer: str, status: str
) -> None:
    made = await intent(api, hosted=False, payment_method="pm_card_3ds", confirm=True)
    page = await browser.get(made["next_action"]["url"])
    assert "42.00 EUR" in page.text
    assert 'value="approve"' in page.text
    left = await browser.post(forms(page.text)[0], data={"answer": answer})
    assert left.headers["location"].endswith(f"redirect_status={status}")
    again = await browser.post(forms(page.text)[0], data={"answer": "approve"})
    assert again.headers["location"].endswith(f"redirect_status={status}")


async def test_3d_secure_from_the_card_page(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    made = await intent(api)
    url = made["next_action"]["url"]
    challenge = await browser.post(
        url, data={"test_card": BY_TOKEN["pm_card_3ds"].number}, follow_redirects=True
    )
    assert "is this payment yours" in challenge.text
    failed = await browser.post(
        forms(challenge.text)[0], data={"answer": "fail"}, follow_redirects=True
    )
    assert "could not confirm" in failed.text
    await browser.post(url, data=CARD)
    assert (await api.get(f"/v1/payment_intents/{made['id']}")).json()["status"] == "succeeded"


async def test_only_hosted_payments_have_a_card_page(
    api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    made = await intent(api, hosted=False)
    for path in (f"/pay/{made['client_secret']}", "/pay/nothing", "/3ds/nothing", "/nowhere"):
        page = await browser.get(path)
        assert page.status_code == 404
        assert "text/html" in page.headers["content-type"]
