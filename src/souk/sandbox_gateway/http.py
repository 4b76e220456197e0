"""The JSON interface, `/v1/…`: everything but the pages needs the API key."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from souk.sandbox_gateway import store, wire
from souk.sandbox_gateway.commands import Call, Provider, encode, faults_from_header
from souk.sandbox_gateway.model import Refused, settle
from souk.sandbox_gateway.store import Answer

AnyRequest = Request[object, object, State]
_JSON = "application/json"
_MAX_KEY = 255


def provider_of(state: State) -> Provider:
    """The provider that `create_app` put into the application's state."""
    return state["provider"]


async def require_key(
    connection: ASGIConnection[object, object, object, State], _handler: BaseRouteHandler
) -> None:
    """Refuse a request without `Authorization: Bearer <api key>`."""
    expected = f"Bearer {provider_of(connection.app.state).settings.api_key}"
    given = connection.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refused(
            401,
            "authentication_error",
            "invalid_api_key",
            "Send your API key as: Authorization: Bearer sk_…",
        )


async def _call(request: AnyRequest) -> Call:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= _MAX_KEY:
        raise Refused(
            400,
            "invalid_request_error",
            "idempotency_key_invalid",
            f"An Idempotency-Key has 1 to {_MAX_KEY} characters.",
        )
    body = await request.body()
    digest = hashlib.sha256(request.url.path.encode() + b"\n" + body).digest()
    return Call(key, digest, faults_from_header(request.headers.get("sandbox-fault")))


async def _read(request: AnyRequest, state: State) -> Provider:
    provider = provider_of(state)
    if "sandbox-fault" in request.headers:
        await provider.read_faults(await _call(request))
    return provider


def _json(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=_JSON)


def _answer(answer: Answer) -> Response[bytes]:
    return _json(answer.body, answer.status)


def _listing(rows: list[bytes], last: str | None, limit: int) -> Response[bytes]:
    listing = wire.Listing(
        data=[msgspec.Raw(row) for row in rows], next=last if len(rows) == limit else None
    )
    return _json(encode(listing))


def _limit(limit: int) -> int:
    return min(max(limit, 1), 100)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            400, "invalid_request_error", "invalid_day", "A day looks like 2026-01-31."
        ) from error


@post("/payment_methods")
async def create_method(data: wire.CreatePaymentMethod, state: State) -> Response[bytes]:
    method = await provider_of(state).create_method(data)
    return _json(
        encode(
            {
                "id": method.id,
                "object": "payment_method",
                "card_brand": method.brand,
                "card_last4": method.last4,
                "exp_month": method.exp_month,
                "exp_year": method.exp_year,
            }
        )
    )


@post("/payment_intents")
async def create_intent(
    request: AnyRequest, data: wire.CreateIntent, state: State
) -> Response[bytes]:
    return _answer(await provider_of(state).create_intent(await _call(request), data))


@get("/payment_intents")
async def list_intents(
    request: AnyRequest,
    state: State,
    reference: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    limit: FromQuery[int] = 20,
) -> Response[bytes]:
    provider = await _read(request, state)
    limit = _limit(limit)
    async with provider.db.read() as conn:
        rows = await store.list_intents(conn, reference=reference, after=after, limit=limit)
    url = provider.settings.public_url
    now = provider.db.clock.now()
    bodies = [encode(wire.intent_wire(settle(row, now), url)) for row in rows]
    return _listing(bodies, rows[-1].id if rows else None, limit)


@get("/payment_intents/{intent_id:str}")
async def get_intent(
    request: AnyRequest, intent_id: FromPath[str], state: State
) -> Response[bytes]:
    provider = await _read(request, state)
    intent = await provider.find_intent(intent_id)
    return _json(encode(wire.intent_wire(intent, provider.settings.public_url)))


@post("/payment_intents/{intent_id:str}/confirm")
async def confirm_intent(
    request: AnyRequest, intent_id: FromPath[str], data: wire.ConfirmIntent, state: State
) -> Response[bytes]:
    call = await _call(request)
    return _answer(await provider_of(state).confirm_intent(call, intent_id, data))


@post("/payment_intents/{intent_id:str}/capture")
async def capture_intent(
    request: AnyRequest, intent_id: FromPath[str], data: wire.CaptureIntent, state: State
) -> Response[bytes]:
    call = await _call(request)
    return _answer(await provider_of(state).capture_intent(call, intent_id, data))


@post("/payment_intents/{intent_id:str}/cancel")
async def cancel_intent(
    request: AnyRequest, intent_id: FromPath[str], state: State
) -> Response[bytes]:
    return _answer(await provider_of(state).cancel_intent(await _call(request), intent_id))


@post("/refunds")
async def create_refund(
    request: AnyRequest, data: wire.CreateRefund, state: State
) -> Response[bytes]:
    return _answer(await provider_of(state).create_refund(await _call(request), data))


@get("/refunds")
async def list_refunds(
    request: AnyRequest,
    state: State,
    payment_intent: FromQuery[str | None] = None,
    reference: FromQuery[str | None] = None,
) -> Response[bytes]:
    provider = await _read(request, state)
    async with provider.db.read() as conn:
        rows = await store.refunds(conn, intent_id=payment_intent, reference=reference)
    return _listing([encode(wire.refund_wire(row)) for row in rows], None, -1)


@get("/refunds/{refund_id:str}")
async def get_refund(
    request: AnyRequest, refund_id: FromPath[str], state: State
) -> Response[bytes]:
    provider = await _read(request, state)
    async with provider.db.read() as conn:
        rows = await store.refunds(conn, refund_id=refund_id)
    if not rows:
        raise Refused(404, "invalid_request_error", "resource_missing", "No such refund.")
    return _json(encode(wire.refund_wire(rows[0])))


@post("/payouts")
async def create_payout(
    request: AnyRequest, data: wire.CreatePayout, state: State
) -> Response[bytes]:
    return _answer(await provider_of(state).create_payout(await _call(request), data))


@get("/payouts")
async def list_payouts(
    request: AnyRequest, state: State, reference: FromQuery[str | None] = None
) -> Response[bytes]:
    provider = await _read(request, state)
    async with provider.db.read() as conn:
        rows = await store.payouts(conn, reference=reference)
    now = provider.db.clock.now()
    return _listing([encode(wire.payout_wire(row, now)) for row in rows], None, -1)


@get("/payouts/{payout_id:str}")
async def get_payout(
    request: AnyRequest, payout_id: FromPath[str], state: State
) -> Response[bytes]:
    provider = await _read(request, state)
    async with provider.db.read() as conn:
        rows = await store.payouts(conn, payout_id=payout_id)
    if not rows:
        raise Refused(404, "invalid_request_error", "resource_missing", "No such payout.")
    return _json(encode(wire.payout_wire(rows[0], provider.db.clock.now())))


@get("/settlements")
async def list_settlements(
    request: AnyRequest, state: State, since: FromQuery[str]
) -> Response[bytes]:
    provider = await _read(request, state)
    async with provider.db.read() as conn:
        rows = await store.settlements(conn, since=_day(since))
    today = provider.db.clock.now().date()
    bodies = [
        encode(
            wire.SettlementWire(
                id=f"st_{row['day'].isoformat()}_{row['currency']}",
                day=row["day"].isoformat(),
                currency=row["currency"],
                status="closed" if row["day"] < today else "open",
                gross=row["gross"],
                refunds=row["refunds"],
                payouts=row["payouts"],
                fees=row["fees"],
                net=row["net"],
                transactions=row["transactions"],
            )
        )
        for row in rows
    ]
    return _listing(bodies, None, -1)


@get("/settlements/{settlement_id:str}/transactions")
async def settlement_lines(
    request: AnyRequest,
    settlement_id: FromPath[str],
    state: State,
    after: FromQuery[str | None] = None,
    limit: FromQuery[int] = 100,
) -> Response[bytes]:
    provider = await _read(request, state)
    parts = settlement_id.split("_")
    if len(parts) != 3 or parts[0] != "st":
        raise Refused(404, "invalid_request_error", "resource_missing", "No such settlement.")
    limit = _limit(limit)
    async with provider.db.read() as conn:
        rows = await store.balance_transactions(
            conn, day=_day(parts[1]), currency=parts[2], after=after, limit=limit
        )
    bodies = [encode(wire.balance_wire(row)) for row in rows]
    return _listing(bodies, rows[-1].id if rows else None, limit)


@get("/events")
async def list_events(
    request: AnyRequest,
    state: State,
    object_id: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    type_: FromQuery[str | None] = None,
    limit: FromQuery[int] = 20,
) -> Response[bytes]:
    provider = await _read(request, state)
    limit = _limit(limit)
    async with provider.db.read() as conn:
        rows = await store.events(conn, type_=type_, after=after, object_id=object_id, limit=limit)
    last = rows[-1]["id"] if rows else None
    return _listing([row["payload"].encode() for row in rows], last, limit)


@post("/events/{event_id:str}/resend", status_code=202)
async def resend_event(event_id: FromPath[str], state: State) -> Response[bytes]:
    provider = provider_of(state)
    if not await provider.db.transact(lambda tx: store.resend(tx, event_id)):
        raise Refused(404, "invalid_request_error", "resource_missing", "No such event.")
    provider.wake.set()
    return _json(b'{"queued":true}', 202)


router = Router(
    "/v1",
    guards=[require_key],
    route_handlers=[
        create_method,
        create_intent,
        list_intents,
        get_intent,
        confirm_intent,
        capture_intent,
        cancel_intent,
        create_refund,
        list_refunds,
        get_refund,
        create_payout,
        list_payouts,
        get_payout,
        list_settlements,
        settlement_lines,
        list_events,
        resend_event,
    ],
)
