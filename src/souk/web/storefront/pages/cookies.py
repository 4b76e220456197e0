"""The choice about cookies that the market could do without."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from souk.contexts.compliance import api as compliance
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.settings import Settings
from souk.web.page import CONSENT_COOKIE, Flash, Req, form_of, page, redirect, translate

_DAYS_180 = 60 * 60 * 24 * 180
_PURPOSES = (compliance.ConsentPurpose.ANALYTICS, compliance.ConsentPurpose.PERSONALISATION)
_ASKED = "1"


@get("/cookies", access=access.HOLDER, include_in_schema=False)
async def cookies_page(request: Req, db: Database, holder: Holder) -> Response[bytes]:
    """Which cookies there are, and what the visitor allows."""
    allowed: set[str] = set()
    if holder.new_token is None:
        async with db.read() as conn:
            found = await compliance.consents(conn, subject=holder.label())
        allowed = {each.purpose for each in found if each.granted}
    return await page(request, "storefront/cookies.html", allowed=allowed)


@post("/cookies", access=access.HOLDER, rate="write", include_in_schema=False)
async def choose_cookies(
    request: Req, db: Database, actor: Actor, holder: Holder, settings: Settings
) -> Response[bytes]:
    """Keep the choice. A refusal of somebody unknown is kept in the browser alone: to record it
    would need the very mark that was refused."""
    form = await form_of(request)
    act = form.get("act")
    answers = {
        purpose: act == "all" or (act == "choose" and form.get(purpose) == "1")
        for purpose in _PURPOSES
    }
    text = translate(request, "Your choice is kept. You can change it here at any time.")
    to = form.get("back") or "/cookies"
    response = redirect(to, flash=Flash("success", text), settings=settings)
    if any(answers.values()) or holder.new_token is None:
        await db.transact(
            lambda tx: compliance.record_consents(
                tx, actor, subject=holder.label(), answers=answers
            )
        )
        hand_over(response, holder, settings)
    granted = ".".join(purpose for purpose, yes in answers.items() if yes)
    response.set_cookie(
        CONSENT_COOKIE,
        f"{_ASKED}.{granted}" if granted else _ASKED,
        max_age=_DAYS_180,
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )
    return response


routes: list[Any] = [cookies_page, choose_cookies]
