"""The sandbox provider through its HTTP interface (docs/sandbox-gateway.md)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import msgspec

from souk.contexts.payments.adapters.sandbox_wire import (
    NAME,
    Error,
    ErrorBody,
    Event,
    Intent,
    Intents,
    Lines,
    Payout,
    Payouts,
    Refund,
    Refunds,
    Settlements,
    fact_of,
    outcome_of,
    payout_outcome_of,
    refund_outcome_of,
)
from souk.contexts.payments.domain import (
    GatewayOutcome,
    OutcomeKind,
    RefundOutcome,
    RefundState,
)
from souk.contexts.payments.errors import SignatureRefused, WebhookUnreadable
from souk.contexts.payments.ports import (
    ChargeOrder,
    GatewayRefused,
    GatewayUnreachable,
    PayoutOrder,
    PayoutOutcome,
    RefundOrder,
    SettlementLine,
    SettlementStatement,
    WebhookFact,
)
from souk.platform.http.client import Asks, HttpClient, Reply, Unanswered

T = TypeVar("T")
SIGNATURE_HEADER = "sandbox-signature"
TOLERANCE_SECONDS = 300
"""How old or early a webhook's signature may be, as Stripe's libraries have it."""


_encode = msgspec.json.Encoder().encode


class SandboxGateway:
    """Speaks to the sandbox over one kept-alive client. Pass `client` to share or to test one."""

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        webhook_secret: str,
        timeout: float = 5.0,
        client: Asks | None = None,
    ) -> None:
        self._secret = webhook_secret.encode()
        self._headers = {
            "authorization": f"Bearer {api_key}", "content-type": "application/json",
        }  # fmt: skip
        self._client = client or HttpClient(url, timeout=timeout)

    @property
    def name(self) -> str:
        return NAME

    async def close(self) -> None:
        await self._client.close()

    # -- payments

    async def charge(self, order: ChargeOrder) -> GatewayOutcome:
        body: dict[str, object] = {
            "amount": order.amount,
            "currency": order.currency,
            "return_url": order.return_url,
            "reference": str(order.payment_id),
        }
        if order.token is None:
            body["hosted"] = True
        else:
            body |= {"payment_method": order.token, "confirm": True}
        response = await self._send("POST", "/v1/payment_intents", body, key=order.key)
        if response.status == 200:
            return outcome_of(_read(response, Intent))
        error = _error(response)
        if error.payment_intent is not None:
            return outcome_of(error.payment_intent)
        if error.code == "idempotency_key_in_use":
            # The key was given away to close this payment: see `cancel`.
            found = await self.find(order)
            if found is not None:
                return found
        if order.token is not None and error.code == "resource_missing":
            return GatewayOutcome(kind=OutcomeKind.DECLINED, decline_code="invalid_payment_method")
        raise GatewayRefused(error.message, code=error.code)

    async def find(self, order: ChargeOrder) -> GatewayOutcome | None:
        intent = await self._find_intent(order)
        return None if intent is None else outcome_of(intent)

    async def _find_intent(self, order: ChargeOrder) -> Intent | None:
        if order.gateway_ref is not None:
            response = await self._send("GET", f"/v1/payment_intents/{order.gateway_ref}")
            if response.status == 404:
                return None
            return _read(response, Intent)
        response = await self._send("GET", f"/v1/payment_intents?reference={order.payment_id}")
        found = _read(response, Intents).data
        return found[0] if found else None

    async def cancel(self, order: ChargeOrder) -> GatewayOutcome:
        intent = await self._find_intent(order)
        if intent is None:
            # A charge may still be on its way. Taking its idempotency key for an intent without a
            # card makes it fail when it arrives.
            body = {
                "amount": order.amount, "currency": order.currency,
                "reference": str(order.payment_id),
            }  # fmt: skip
            response = await self._send("POST", "/v1/payment_intents", body, key=order.key)
            if response.status == 200:
                intent = _read(response, Intent)
            else:
                intent = await self._find_intent(order)
                if intent is None:
                    error = _error(response)
                    raise GatewayRefused(error.message, code=error.code)
        response = await self._send(
            "POST", f"/v1/payment_intents/{intent.id}/cancel", {}, key=f"cancel-{order.key}"
        )
        if response.status == 200:
            return outcome_of(_read(response, Intent))
        error = _error(response)
        if error.payment_intent is None:
            raise GatewayRefused(error.message, code=error.code)
        return outcome_of(error.payment_intent)

    async def capture(self, order: ChargeOrder) -> GatewayOutcome:
        response = await self._send(
            "POST", f"/v1/payment_intents/{order.gateway_ref}/capture", {},
            key=f"capture-{order.key}",
        )  # fmt: skip
        if response.status == 200:
            return outcome_of(_read(response, Intent))
        error = _error(response)
        if error.payment_intent is None:
            raise GatewayRefused(error.message, code=error.code)
        return outcome_of(error.payment_intent)

    # -- refunds and payouts

    async def refund(self, order: RefundOrder) -> RefundOutcome:
        body = {
            "payment_intent": order.payment_ref,
            "amount": order.amount,
            "reason": order.reason[:500],
            "reference": str(order.refund_id),
        }
        response = await self._send("POST", "/v1/refunds", body, key=order.key)
        if response.status == 200:
            return refund_outcome_of(_read(response, Refund))
        error = _error(response)
        if error.code == "charge_already_refunded":
            return RefundOutcome(state=RefundState.FAILED, failure_code=error.code)
        raise GatewayRefused(error.message, code=error.code)

    async def find_refund(self, order: RefundOrder) -> RefundOutcome | None:
        response = await self._send("GET", f"/v1/refunds?reference={order.refund_id}")
        found = _read(response, Refunds).data
        return refund_outcome_of(found[0]) if found else None

    async def payout(self, order: PayoutOrder) -> PayoutOutcome:
        body = {
            "amount": order.amount,
            "currency": order.currency,
            "destination": order.destination,
            "reference": str(order.payout_id),
        }
        response = await self._send("POST", "/v1/payouts", body, key=order.key)
        if response.status != 200:
            error = _error(response)
            raise GatewayRefused(error.message, code=error.code)
        return payout_outcome_of(_read(response, Payout))

    async def payout_status(self, order: PayoutOrder) -> PayoutOutcome | None:
        response = await self._send("GET", f"/v1/payouts?reference={order.payout_id}")
        found = _read(response, Payouts).data
        return payout_outcome_of(found[0]) if found else None

    async def settlements(self, since: date) -> list[SettlementStatement]:
        response = await self._send("GET", f"/v1/settlements?since={since.isoformat()}")
        return [
            SettlementStatement(
                id=one.id,
                day=one.day,
                currency=one.currency,
                closed=one.status == "closed",
                gross=one.gross,
                refunds=one.refunds,
                payouts=one.payouts,
                fees=one.fees,
                net=one.net,
                lines=await self._lines(one.id),
            )
            for one in _read(response, Settlements).data
        ]

    async def _lines(self, settlement_id: str) -> list[SettlementLine]:
        lines: list[SettlementLine] = []
        path = f"/v1/settlements/{settlement_id}/transactions?limit=100"
        after = ""
        while True:
            page = _read(await self._send("GET", path + after), Lines)
            lines.extend(
                SettlementLine(
                    gateway_ref=line.id,
                    kind=line.type,
                    source=line.source,
                    reference=line.reference,
                    amount=line.amount,
                    fee=line.fee,
                    at=datetime.fromtimestamp(line.created, UTC),
                )
                for line in page.data
            )
            if page.next is None:
                return lines
            after = f"&after={page.next}"

    # -- webhooks

    def verify(self, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookFact:
        stamp, digests = _signature_parts(headers.get(SIGNATURE_HEADER, ""))
        expected = hmac.new(self._secret, b"%d." % stamp + raw, hashlib.sha256).hexdigest()
        if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in digests):
            raise SignatureRefused(reason="wrong")
        if abs(now.timestamp() - stamp) > TOLERANCE_SECONDS:
            raise SignatureRefused(reason="too_old")
        try:
            return fact_of(msgspec.json.decode(raw, type=Event))
        except msgspec.DecodeError as error:
            raise WebhookUnreadable from error

    # -- the wire

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> Reply:
        headers = self._headers if key is None else self._headers | {"idempotency-key": key}
        content = None if body is None else _encode(body)
        try:
            response = await self._client.ask(method, path, headers=headers, content=content)
        except Unanswered as error:
            raise GatewayUnreachable(str(error), sent=error.sent) from error
        if response.status >= 500 or response.status == 429:
            raise GatewayUnreachable(f"HTTP {response.status}", sent=True)
        return response


def _read(response: Reply, kind: type[T]) -> T:
    if response.status != 200:
        error = _error(response)
        raise GatewayRefused(error.message, code=error.code)
    try:
        return msgspec.json.decode(response.body, type=kind)
    except msgspec.DecodeError as error:
        raise GatewayUnreachable(f"unreadable answer: {error}", sent=True) from error


def _error(response: Reply) -> Error:
    try:
        return msgspec.json.decode(response.body, type=ErrorBody).error
    except msgspec.DecodeError as error:
        raise GatewayUnreachable(f"unreadable answer: HTTP {response.status}", sent=True) from error


def _signature_parts(header: str) -> tuple[int, list[str]]:
    """The time stamp and the `v1` digests of `t=…,v1=…`. Raises SignatureRefused."""
    stamp: int | None = None
    digests: list[str] = []
    for part in header[:2000].split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) < 16:
            stamp = int(value)
        elif name == "v1":
            digests.append(value)
    if stamp is None or not digests:
        raise SignatureRefused(reason="missing")
    return stamp, digests
