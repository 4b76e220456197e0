"""A member's own details: profile, security, privacy, downloads."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.compliance import api as compliance
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.identity import api as identity
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web import locale as languages
from souk.web.account.devices import device_name
from souk.web.account.pages.entrance import keep_language
from souk.web.forms import check, summary
from souk.web.page import Flash, Req, field_errors, form_of, page, redirect, translate

Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
_PLACES = {"wrong_password": "password", "bad_email": "new_email", "weak_password": "new_password"}


@get("/account", access=access.SIGNED_IN, include_in_schema=False)
async def account_page() -> Response[bytes]:
    """What people most often want of their account."""
    return redirect("/account/orders")


@get("/account/profile", access=access.SIGNED_IN, include_in_schema=False)
async def profile_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Name, language, address."""
    return await _profile(request, db, actor)


async def _profile(
    request: Req,
    db: Database,
    actor: Actor,
    *,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    assert actor.user_id is not None
    async with db.read() as conn:
        person = await identity.user(conn, user_id=actor.user_id)
    return await page(
        request,
        "account/profile.html",
        person=person,
        form=form or {"display_name": person.display_name, "locale": person.locale},
        known=[(code, languages.LANGUAGES[code]) for code in languages.LANGUAGES],
        **_refusal(error),
    )


def _refusal(error: DomainError | None) -> dict[str, Any]:
    """Status, messages and summary of a refused form."""
    if error is None:
        return {"errors": {}, "problems": []}
    errors = field_errors(error)
    place = _PLACES.get(error.code)
    if place:
        errors = {place: error.message}
    return {"status": STATUS[error.kind], "errors": errors, "problems": summary(errors)}


@post("/account/profile", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def save_profile(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Keep name and language."""
    form = await form_of(request)
    try:
        check(form, {"display_name": (1, 80), "locale": (2, 35)})
        await db.transact(
            lambda tx: identity.update_profile(
                tx, actor, display_name=form["display_name"], locale=form["locale"]
            )
        )
    except DomainError as error:
        return await _profile(request, db, actor, form=form, error=error)
    response = _back(request, settings, "/account/profile", "Your profile is saved.")
    if form["locale"] in languages.available():
        keep_language(response, form["locale"], settings=settings)
    return response


def _back(request: Req, settings: Settings, to: str, text: str) -> Response[bytes]:
    flash = Flash("success", translate(request, text))
    return redirect(to, flash=flash, settings=settings)


@post("/account/email", access=access.SIGNED_IN, rate="mail", include_in_schema=False)
async def change_email(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Ask to change the address; both addresses get a link."""
    form = await form_of(request)
    try:
        check(form, {"new_email": (3, 254), "password": (1, 256)})
        await identity.change_email(
            db, actor, password=form["password"], new_email=form["new_email"]
        )
    except DomainError as error:
        return await _profile(request, db, actor, form=form, error=error)
    text = "A link is on its way to both addresses. Follow both to change your address."
    return _back(request, settings, "/account/profile", text)


@get("/account/security", access=access.SIGNED_IN, include_in_schema=False)
async def security_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Password, and where one is logged in."""
    return await _security(request, db, actor, None)


async def _security(
    request: Req, db: Database, actor: Actor, error: DomainError | None
) -> Response[bytes]:
    async with db.read() as conn:
        sessions = await identity.sessions(conn, actor)
    return await page(
        request,
        "account/security.html",
        sessions=sessions,
        device=device_name,
        **_refusal(error),
    )


@post("/account/password", access=access.SIGNED_IN, rate="login", include_in_schema=False)
async def change_password(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Set another password; every other session ends."""
    form = await form_of(request)
    try:
        check(form, {"password": (1, 256), "new_password": (1, 256)})
        secret = await identity.change_password(
            db, settings, actor, current=form["password"], new=form["new_password"]
        )
    except DomainError as error:
        return await _security(request, db, actor, error)
    text = "Your new password is set, and you are logged out everywhere else."
    response = _back(request, settings, "/account/security", text)
    if secret is not None:
        identity.set_session_cookie(response, secret=secret, settings=settings)
    return response


@post(
    "/account/sessions/{session_id:uuid}/end",
    access=access.SIGNED_IN,
    rate="write",
    include_in_schema=False,
)
async def end_session(
    request: Req, db: Database, actor: Actor, settings: Settings, session_id: FromPath[UUID]
) -> Response[bytes]:
    """Log one device out."""
    await db.transact(lambda tx: identity.revoke_session(tx, actor, session_id=session_id))
    return _back(request, settings, "/account/security", "That device is logged out.")


@post(
    "/account/sessions/end-others", access=access.SIGNED_IN, rate="write", include_in_schema=False
)
async def end_others(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Log every other device out."""
    await db.transact(lambda tx: identity.revoke_others(tx, actor))
    return _back(request, settings, "/account/security", "You are logged out everywhere else.")


@get("/account/privacy", access=access.SIGNED_IN, include_in_schema=False)
async def privacy_page(request: Req, db: Database, actor: Actor, holder: Holder) -> Response[bytes]:
    """What was accepted and what is allowed."""
    assert actor.user_id is not None
    async with db.read() as conn:
        accepted = await compliance.acceptances(conn, actor.user_id)
        allowed = await compliance.consents(conn, subject=holder.label())
    return await page(request, "account/privacy.html", accepted=accepted, allowed=allowed)


@post("/account/privacy", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def save_consents(
    request: Req, db: Database, actor: Actor, holder: Holder, settings: Settings
) -> Response[bytes]:
    """An unticked box is a refusal."""
    form = await form_of(request)
    answers = {purpose: form.get(purpose) == "1" for purpose in compliance.ConsentPurpose}
    await db.transact(
        lambda tx: compliance.record_consents(tx, actor, subject=holder.label(), answers=answers)
    )
    return _back(request, settings, "/account/privacy", "Your choice is kept.")


@get("/account/downloads", access=access.SIGNED_IN, include_in_schema=False)
async def downloads_page(
    request: Req, db: Database, actor: Actor, settings: Settings, cursor: Cursor = None
) -> Response[bytes]:
    """Every file that a member bought."""
    assert actor.user_id is not None
    async with db.read() as conn:
        found = await fulfilment.library(
            conn, actor.user_id, secret=settings.secret_key, cursor=cursor
        )
    following = f"/account/downloads?cursor={found.next_cursor}" if found.next_cursor else None
    return await page(request, "account/downloads.html", links=found.items, next_url=following)


routes: list[Any] = [
    account_page,
    profile_page,
    save_profile,
    change_email,
    security_page,
    change_password,
    end_session,
    end_others,
    privacy_page,
    save_consents,
    downloads_page,
]
