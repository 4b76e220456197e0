"""The sandbox provider through its HTTP interface (docs/sandbox-gateway.md)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import httpx
import msgspec

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
from souk.kernel.ids import parse_uuid

T = TypeVar("T")
NAME = "sandbox"
SIGNATURE_HEADER = "sandbox-signature"
TOLERANCE_SECONDS = 300
"""How old or early a webhook's signature may be, as Stripe's libraries have it."""


class _Action(msgspec.Struct):
    url: str


class _Failure(msgspec.Struct):
    decline_code: str


class _Intent(msgspec.Struct):
    id: str
    amount: int
    amount_captured: int
    currency: str
    status: str
    hosted: bool
    reference: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None
    next_action: _Action | None = None
    last_payment_error: _Failure | None = None


class _Refund(msgspec.Struct):
    id: str
    status: str
    reference: str | None = None
    failure_code: str | None = None


class _Payout(msgspec.Struct):
    id: str
    status: Literal["in_transit", "paid", "failed"]
    reference: str | None = None
    failure_code: str | None = None


class _Error(msgspec.Struct):
    type: str
    code: str
    message: str
    payment_intent: _Intent | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error


class _Settlement(msgspec.Struct):
    id: str
    day: date
    currency: str
    status: str
    gross: int
    refunds: int
    payouts: int
    fees: int
    net: int


class _Line(msgspec.Struct):
    id: str
    type: Literal["charge", "refund", "payout", "payout_failure"]
    source: str
    reference: str | None
    amount: int
    fee: int
    created: int


class _Intents(msgspec.Struct):
    data: list[_Intent]


class _Refunds(msgspec.Struct):
    data: list[_Refund]


class _Payouts(msgspec.Struct):
    data: list[_Payout]


class _Settlements(msgspec.Struct):
    data: list[_Settlement]


class _Lines(msgspec.Struct):
    data: list[_Line]
    next: str | None


class _EventData(msgspec.Struct):
    object: msgspec.Raw


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _EventData


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
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._secret = webhook_secret.encode()
        self._url = url.rstrip("/")
        self._headers = {
            "authorization": f"Bearer {api_key}", "content-type": "application/json",
        }  # fmt: skip
        self._client = client or httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=20),
            trust_env=False,
        )

    @property
    def name(self) -> str:
        return NAME

    async def close(self) -> None:
        await self._client.aclose()

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
        if response.status_code == 200:
            return _outcome(_read(response, _Intent))
        error = _error(response)
        if error.payment_intent is not None:
            return _outcome(error.payment_intent)
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
        return None if intent is None else _outcome(intent)

    async def _find_intent(self, order: ChargeOrder) -> _Intent | None:
        if order.gateway_ref is not None:
            response = await self._send("GET", f"/v1/payment_intents/{order.gateway_ref}")
            if response.status_code == 404:
                return None
            return _read(response, _Intent)
        response = await self._send("GET", f"/v1/payment_intents?reference={order.payment_id}")
        found = _read(response, _Intents).data
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
            if response.status_code == 200:
                intent = _read(response, _Intent)
            else:
                intent = await self._find_intent(order)
                if intent is None:
                    error = _error(response)
                    raise GatewayRefused(error.message, code=error.code)
        response = await self._send(
            "POST", f"/v1/payment_intents/{intent.id}/cancel", {}, key=f"cancel-{order.key}"
        )
        if response.status_code == 200:
            return _outcome(_read(response, _Intent))
        error = _error(response)
        if error.payment_intent is None:
            raise GatewayRefused(error.message, code=error.code)
        return _outcome(error.payment_intent)

    async def capture(self, order: ChargeOrder) -> GatewayOutcome:
        response = await self._send(
            "POST", f"/v1/payment_intents/{order.gateway_ref}/capture", {},
            key=f"capture-{order.key}",
        )  # fmt: skip
        if response.status_code == 200:
            return _outcome(_read(response, _Intent))
        error = _error(response)
        if error.payment_intent is None:
            raise GatewayRefused(error.message, code=error.code)
        return _outcome(error.payment_intent)

    # -- refunds and payouts

    async def refund(self, order: RefundOrder) -> RefundOutcome:
        body = {
            "payment_intent": order.payment_ref,
            "amount": order.amount,
            "reason": order.reason[:500],
            "reference": str(order.refund_id),
        }
        response = await self._send("POST", "/v1/refunds", body, key=order.key)
        if response.status_code == 200:
            return _refund_outcome(_read(response, _Refund))
        error = _error(response)
        if error.code == "charge_already_refunded":
            return RefundOutcome(state=RefundState.FAILED, failure_code=error.code)
        raise GatewayRefused(error.message, code=error.code)

    async def find_refund(self, order: RefundOrder) -> RefundOutcome | None:
        response = await self._send("GET", f"/v1/refunds?reference={order.refund_id}")
        found = _read(response, _Refunds).data
        return _refund_outcome(found[0]) if found else None

    async def payout(self, order: PayoutOrder) -> PayoutOutcome:
        body = {
            "amount": order.amount,
            "currency": order.currency,
            "destination": order.destination,
            "reference": str(order.payout_id),
        }
        response = await self._send("POST", "/v1/payouts", body, key=order.key)
        if response.status_code != 200:
            error = _error(response)
            raise GatewayRefused(error.message, code=error.code)
        return _payout_outcome(_read(response, _Payout))

    async def payout_status(self, order: PayoutOrder) -> PayoutOutcome | None:
        response = await self._send("GET", f"/v1/payouts?reference={order.payout_id}")
        found = _read(response, _Payouts).data
        return _payout_outcome(found[0]) if found else None

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
            for one in _read(response, _Settlements).data
        ]

    async def _lines(self, settlement_id: str) -> list[SettlementLine]:
        lines: list[SettlementLine] = []
        path = f"/v1/settlements/{settlement_id}/transactions?limit=100"
        after = ""
        while True:
            page = _read(await self._send("GET", path + after), _Lines)
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
        return self.parse(raw)

    def parse(self, raw: bytes) -> WebhookFact:
        try:
            return _fact(msgspec.json.decode(raw, type=_Event))
        except msgspec.DecodeError as error:
            raise WebhookUnreadable from error

    # -- the wire

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> httpx.Response:
        headers = self._headers if key is None else self._headers | {"idempotency-key": key}
        try:
            response = await self._client.request(
                method,
                self._url + path,
                content=None if body is None else _encode(body),
                headers=headers,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise GatewayUnreachable(repr(error), sent=False) from error
        except httpx.HTTPError as error:
            raise GatewayUnreachable(repr(error), sent=True) from error
        if response.status_code >= 500 or response.status_code == 429:
            raise GatewayUnreachable(f"HTTP {response.status_code}", sent=True)
        return response


def _read(response: httpx.Response, kind: type[T]) -> T:
    if response.status_code != 200:
        error = _error(response)
        raise GatewayRefused(error.message, code=error.code)
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.DecodeError as error:
        raise GatewayUnreachable(f"unreadable answer: {error}", sent=True) from error


def _error(response: httpx.Response) -> _Error:
    try:
        return msgspec.json.decode(response.content, type=_ErrorBody).error
    except msgspec.DecodeError as error:
        raise GatewayUnreachable(
            f"unreadable answer: HTTP {response.status_code}", sent=True
        ) from error


def _outcome(intent: _Intent) -> GatewayOutcome:
    kind = {
        "requires_action": OutcomeKind.REQUIRES_ACTION,
        "processing": OutcomeKind.PENDING,
        "requires_capture": OutcomeKind.AUTHORISED,
        "succeeded": OutcomeKind.CAPTURED,
        "canceled": OutcomeKind.CANCELLED,
    }.get(intent.status, OutcomeKind.PENDING)
    if intent.status == "requires_payment_method":
        # On the hosted page a declined buyer tries another card, so that payment is still alive.
        if intent.hosted:
            kind = OutcomeKind.REQUIRES_ACTION
        elif intent.last_payment_error is not None:
            kind = OutcomeKind.DECLINED
    amount = intent.amount if kind == OutcomeKind.AUTHORISED else intent.amount_captured
    return GatewayOutcome(
        kind=kind,
        gateway_ref=intent.id,
        amount=amount,
        currency=intent.currency,
        action_url=intent.next_action.url if intent.next_action else None,
        decline_code=intent.last_payment_error.decline_code if intent.last_payment_error else None,
        method_label=(
            f"{intent.card_brand} •••• {intent.card_last4}" if intent.card_brand else None
        ),
    )


def _refund_outcome(refund: _Refund) -> RefundOutcome:
    states = {"succeeded": RefundState.SUCCEEDED, "failed": RefundState.FAILED}
    return RefundOutcome(
        state=states.get(refund.status),
        gateway_ref=refund.id,
        failure_code=refund.failure_code,
    )


def _payout_outcome(payout: _Payout) -> PayoutOutcome:
    return PayoutOutcome(
        state=payout.status, gateway_ref=payout.id, failure_code=payout.failure_code
    )


def _uuid(reference: str | None) -> UUID | None:
    return parse_uuid(reference) if reference else None


def _fact(event: _Event) -> WebhookFact:
    if event.type.startswith("payment_intent."):
        intent = msgspec.json.decode(event.data.object, type=_Intent)
        return WebhookFact(
            gateway=NAME,
            event_id=event.id,
            type=event.type,
            kind="payment",
            payment_id=_uuid(intent.reference),
            outcome=_outcome(intent),
        )
    if event.type.startswith("refund."):
        refund = msgspec.json.decode(event.data.object, type=_Refund)
        return WebhookFact(
            gateway=NAME,
            event_id=event.id,
            type=event.type,
            kind="refund",
            refund_id=_uuid(refund.reference),
            refund_outcome=_refund_outcome(refund),
        )
    if event.type.startswith("payout."):
        payout = msgspec.json.decode(event.data.object, type=_Payout)
        return WebhookFact(
            gateway=NAME,
            event_id=event.id,
            type=event.type,
            kind="payout",
            payout_id=_uuid(payout.reference),
            payout_outcome=_payout_outcome(payout),
        )
    return WebhookFact(gateway=NAME, event_id=event.id, type=event.type, kind="other")


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
