"""Logging in and out, and the choice of language and theme."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import QueryParameter

from souk.contexts.carts import api as carts
from souk.contexts.identity import api as identity
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.holder import Holder, forget_guest, guest_token_of
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web import locale as languages
from souk.web.forms import check, summary
from souk.web.page import (
    THEME_COOKIE,
    Flash,
    Req,
    field_errors,
    form_of,
    page,
    redirect,
    translate,
)
from souk.web.storefront.seen import SEEN_COOKIE, seen_of
from souk.web.ways import safe_path

Next = Annotated[str, QueryParameter(name="next", max_length=2_000)]
_YEAR = 31_536_000


@get("/login", access=access.PUBLIC, include_in_schema=False)
async def log_in_page(request: Req, actor: Actor, to: Next = "/") -> Response[bytes]:
    """The form; somebody who is logged in goes on at once."""
    if actor.user_id is not None:
        return redirect(to)
    return await page(request, "auth/login.html", form={}, next=safe_path(to), noindex=True)


@post("/login", access=access.PUBLIC, rate="login", include_in_schema=False)
async def log_in(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Open a browser session; what a guest put into the cart comes along."""
    form = await form_of(request)
    to = safe_path(form.get("next", "/"))
    try:
        check(form, {"email": (1, 254), "password": (1, 256)})
        opened = await _open(request, db, actor, form=form)
    except DomainError as error:
        errors = field_errors(error)
        return await page(
            request,
            "auth/login.html",
            status=STATUS[error.kind],
            form=form,
            next=to,
            errors=errors,
            problems=summary(errors),
            noindex=True,
        )
    name = translate(request, "Welcome back, %(name)s.") % {"name": opened.user.display_name}
    response = redirect(to, flash=Flash("success", name), settings=settings)
    identity.set_session_cookie(response, secret=opened.secret, settings=settings)
    response.delete_cookie(SEEN_COOKIE)
    spoken = opened.user.locale.split("-")[0]
    if languages.LANGUAGE_COOKIE not in request.cookies and spoken in languages.available():
        keep_language(response, spoken, settings=settings)
    return response


def keep_language(response: Response[bytes], language: str, *, settings: Settings) -> None:
    """Remember the language of this browser's pages for a year."""
    response.set_cookie(
        languages.LANGUAGE_COOKIE,
        language,
        max_age=_YEAR,
        secure=settings.secure_cookies,
        samesite="lax",
    )


async def _open(
    request: Req, db: Database, actor: Actor, *, form: dict[str, str]
) -> identity.Opened:
    proof = await identity.log_in(db, actor, email=form["email"], password=form["password"])
    guest = guest_token_of(request)

    async def begin(tx: WriteTx) -> identity.Opened:
        agent = request.headers.get("user-agent", "")
        opened = await identity.open_session(tx, actor, proof=proof, user_agent=agent)
        if actor.session_id is not None:
            # The cookie is about to hold another session: this one would live on unseen.
            await identity.close_session(tx, actor)
        if guest is not None:
            await carts.merge_guest(tx, guest, opened.user.id)
        member = Holder(user_id=opened.user.id)
        await carts.note_viewed(tx, member, listing_ids=seen_of(request))
        return opened

    return await db.transact(begin)


@post("/logout", access=access.PUBLIC, include_in_schema=False)
async def log_out(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """End this browser's session, and forget the guest whose orders it could see."""
    if actor.session_id is not None:
        await db.transact(lambda tx: identity.close_session(tx, actor))
    text = translate(request, "You are logged out.")
    response = redirect("/", flash=Flash("success", text), settings=settings)
    identity.clear_session_cookie(response, settings=settings)
    forget_guest(response, settings)
    return response


@post("/preferences", access=access.PUBLIC, include_in_schema=False)
async def set_preferences(request: Req, settings: Settings) -> Response[bytes]:
    """Keep the language and the theme in cookies and go back."""
    form = await form_of(request)
    response = redirect(form.get("back", "/"))
    chosen: dict[str, str] = {}
    if form.get("language") in languages.available():
        chosen[languages.LANGUAGE_COOKIE] = form["language"]
    if form.get("theme") in {"auto", "light", "dark"}:
        chosen[THEME_COOKIE] = form["theme"]
    secure = settings.secure_cookies
    for name, value in chosen.items():
        response.set_cookie(name, value, max_age=_YEAR, secure=secure, samesite="lax")
    return response


routes: list[Any] = [log_in_page, log_in, log_out, set_preferences]
