"""The sandbox adapter keeps the gateway contract."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import msgspec
import pytest

from souk.contexts.payments.api import ChargeOrder, GatewayPort, SandboxGateway
from souk.kernel.clock import SettableClock
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.webhooks import sign
from tests.payments.gateway_contract import GatewayContract


class SandboxRehearsal:
    success = "pm_card_visa"
    declined = ("pm_card_declined_insufficient_funds", "insufficient_funds")
    challenge = "pm_card_3ds"
    good_account = "ba_success"
    bad_account = "ba_account_closed"
    currency = "EUR"

    def __init__(self, settings: SandboxSettings, clock: SettableClock) -> None:
        self._settings = settings
        self._clock = clock

    async def answer_challenge(self, url: str, *, approve: bool) -> None:
        async with httpx.AsyncClient() as browser:
            answer = "approve" if approve else "fail"
            await browser.post(url, data={"answer": answer})

    async def later(self) -> None:
        self._clock.advance(timedelta(seconds=self._settings.payout_seconds + 1))

    def signed(self, payload: bytes, *, at: datetime, secret: str | None = None) -> dict[str, str]:
        return {"sandbox-signature": sign(secret or self._settings.webhook_secret, payload, at)}

    def captured_event(self, order: ChargeOrder) -> bytes:
        return msgspec.json.encode(
            {
                "id": "evt_1", "type": "payment_intent.succeeded",
                "data": {
                    "object": {
                        "id": "pi_1", "amount": order.amount, "amount_captured": order.amount,
                        "currency": order.currency, "status": "succeeded", "hosted": False,
                        "reference": str(order.payment_id),
                    }
                },
            }
        )  # fmt: skip


class TestSandbox(GatewayContract):
    @pytest.fixture
    def gateway(self, sandbox: SandboxGateway) -> GatewayPort:
        return sandbox

    @pytest.fixture
    def rehearsal(
        self, sandbox_settings: SandboxSettings, clock: SettableClock
    ) -> SandboxRehearsal:
        return SandboxRehearsal(sandbox_settings, clock)
