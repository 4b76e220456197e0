"""The two pages that buyers see: the card form and the 3-D Secure question. No JavaScript.

The client secret in the address is what entitles to the page, as with the real providers.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlencode, urlsplit, urlunsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath
from litestar.response import Redirect

from souk.kernel.money import Money
from souk.sandbox_gateway import wire
from souk.sandbox_gateway.cards import CARDS
from souk.sandbox_gateway.commands import Call, Provider
from souk.sandbox_gateway.http import provider_of
from souk.sandbox_gateway.model import Intent, Refused

_templates = Environment(
    loader=PackageLoader("souk.sandbox_gateway"), autoescape=True, undefined=StrictUndefined
)
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
Form = Annotated[dict[str, str], Body(media_type="application/x-www-form-urlencoded")]


def _page(name: str, *, status: int = 200, **values: object) -> Response[str]:
    html = _templates.get_template(name).render(**values)
    return Response(html, status_code=status, media_type="text/html", headers=_HEADERS)


def error_page(error: Refused) -> Response[str]:
    """Any refusal, as a page with a sentence."""
    title = "This payment cannot be found" if error.status == 404 else "That did not work"
    return _page("message.html", status=error.status, title=title, text=error.message)


def back_url(intent: Intent, result: str) -> str | None:
    """The merchant's return address with the intent's id and what became of it."""
    if intent.return_url is None:
        return None
    parts = urlsplit(intent.return_url)
    added = urlencode({"payment_intent": intent.id, "redirect_status": result})
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit(parts._replace(query=query))


def _result(intent: Intent) -> str:
    match intent.status:
        case "succeeded" | "requires_capture":
            return "succeeded"
        case "processing":
            return "processing"
        case "canceled":
            return "canceled"
        case _:
            return "failed"


def _leave(intent: Intent) -> Response[str] | Redirect:
    result = _result(intent)
    target = back_url(intent, result)
    if target is not None:
        return Redirect(target, status_code=303)
    texts = {
        "succeeded": "The payment is done. You can close this page.",
        "processing": "The payment is on its way. You can close this page.",
        "canceled": "The payment was given up. Nothing was charged.",
        "failed": "The payment was declined. Nothing was charged.",
    }
    return _page("message.html", title=result.capitalize(), text=texts[result])


def _card_page(
    intent: Intent, *, problem: str | None = None, status: int = 200, number: str = ""
) -> Response[str]:
    return _page(
        "pay.html",
        status=status,
        intent=intent,
        amount=str(Money(intent.amount, intent.currency)),
        cards=CARDS,
        problem=problem or intent.error_message,
        number=number,
    )


async def _hosted(provider: Provider, client_secret: str) -> Intent:
    intent = await provider.intent_by_secret(client_secret)
    if not intent.hosted:
        raise Refused(404, "invalid_request_error", "resource_missing", "No such payment.")
    return intent


@get("/pay/{client_secret:str}")
async def card_page(client_secret: FromPath[str], state: State) -> Response[str] | Redirect:
    intent = await _hosted(provider_of(state), client_secret)
    if intent.status == "requires_action":
        return Redirect(f"/3ds/{client_secret}", status_code=303)
    if intent.status != "requires_payment_method":
        return _leave(intent)
    return _card_page(intent)


def _typed_card(number: str, expiry: str) -> wire.CreatePaymentMethod | None:
    """The card, None when the expiry date is not MM/YY."""
    match = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/\s*([0-9]{2})\s*", expiry)
    if match is None:
        return None
    return wire.CreatePaymentMethod(
        number=number[:40], exp_month=int(match[1]), exp_year=2000 + int(match[2])
    )


@post("/pay/{client_secret:str}")
async def pay(
    request: Request[object, object, State], client_secret: FromPath[str], data: Form, state: State
) -> Response[str] | Redirect:
    """Try the card that was typed, or the one whose button was pressed."""
    provider = provider_of(state)
    intent = await _hosted(provider, client_secret)
    if intent.status != "requires_payment_method":
        return Redirect(request.url.path, status_code=303)
    chosen = data.get("test_card")
    number = chosen or data.get("number", "")
    card = _typed_card(number, "12/40" if chosen else data.get("expiry", ""))
    if card is None:
        return _card_page(
            intent, problem="Write the expiry date as MM/YY.", status=422, number=number
        )
    try:
        method = await provider.create_method(card)
        await provider.confirm_intent(
            Call(), intent.id, wire.ConfirmIntent(payment_method=method.id)
        )
    except Refused as error:
        return _card_page(intent, problem=error.message, status=422, number=number)
    return Redirect(request.url.path, status_code=303)


@post("/pay/{client_secret:str}/cancel")
async def give_up(client_secret: FromPath[str], state: State) -> Response[str] | Redirect:
    provider = provider_of(state)
    intent = await _hosted(provider, client_secret)
    if intent.status == "requires_payment_method":
        await provider.cancel_intent(Call(), intent.id)
    return _leave(await provider.find_intent(intent.id))


@get("/3ds/{client_secret:str}")
async def challenge_page(client_secret: FromPath[str], state: State) -> Response[str] | Redirect:
    intent = await provider_of(state).intent_by_secret(client_secret)
    if intent.status != "requires_action":
        return _leave(intent)
    return _page("challenge.html", intent=intent, amount=str(Money(intent.amount, intent.currency)))


@post("/3ds/{client_secret:str}")
async def answer_challenge(
    client_secret: FromPath[str], data: Form, state: State
) -> Response[str] | Redirect:
    provider = provider_of(state)
    intent = await provider.intent_by_secret(client_secret)
    if intent.status == "requires_action":
        await provider.authenticate(intent.id, approved=data.get("answer") == "approve")
        intent = await provider.find_intent(intent.id)
    if intent.hosted and intent.status == "requires_payment_method":
        return Redirect(f"/pay/{client_secret}", status_code=303)
    return _leave(intent)


handlers: list[HTTPRouteHandler] = [card_page, pay, give_up, challenge_page, answer_challenge]
