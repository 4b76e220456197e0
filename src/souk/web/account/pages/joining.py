"""Registration and what mailed links lead to.

Following a link shows a page with a button: mail scanners open every link, and must not use it up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import QueryParameter

from souk.contexts.compliance import api as compliance
from souk.contexts.identity import api as identity
from souk.flows.sign_up import Register, register_account
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, FieldProblem, InvalidInput
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web.forms import check, summary
from souk.web.page import Flash, Req, field_errors, form_of, language_of, page, redirect, translate

Token = Annotated[str, QueryParameter(max_length=128)]
_ADDRESS = {"email": (1, 254)}
_TOKEN = {"token": (1, 128)}


async def refused(
    request: Req, template: str, error: DomainError, **context: object
) -> Response[bytes]:
    """The form once more, with what is wrong."""
    errors = field_errors(error)
    return await page(
        request,
        template,
        status=STATUS[error.kind],
        errors=errors,
        problems=summary(errors),
        noindex=True,
        **context,
    )


def _mailbox(settings: Settings) -> bool:
    return settings.environment == "development" and settings.mail_url.startswith("local:")


@get("/register", access=access.PUBLIC, include_in_schema=False)
async def register_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """The form, with the versions of the documents that are in force."""
    if actor.user_id is not None:
        return redirect("/account")
    return await page(
        request, "auth/register.html", form={}, versions=await _versions(request, db), noindex=True
    )


async def _versions(request: Req, db: Database) -> dict[str, int]:
    async with db.read() as conn:
        titles = await compliance.titles(conn, locale=language_of(request))
    return {title.kind: title.version for title in titles}


@post("/register", access=access.PUBLIC, rate="mail", include_in_schema=False)
async def register(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Make the account. The answer is the same whether or not the address had one."""
    form = await form_of(request)
    try:
        check(form, {"display_name": (1, 80), "email": (3, 254), "password": (1, 256)})
        if form.get("accept_terms") != "1":
            text = "Accept the terms and the privacy policy to open an account."
            raise InvalidInput(text, problems=[FieldProblem("accept_terms", "required", text)])
        await register_account(db, settings, actor, _registration(request, form))
    except DomainError as error:
        versions = await _versions(request, db)
        return await refused(
            request, "auth/register.html", _at_field(error), form=form, versions=versions
        )
    return await page(
        request, "auth/sent.html", what="register", email=form["email"],
        mailbox=_mailbox(settings), noindex=True,
    )  # fmt: skip


def _registration(request: Req, form: dict[str, str]) -> Register:
    def version(name: str) -> int | None:
        text = form.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None

    return Register(
        email=form["email"],
        password=form["password"],
        display_name=form["display_name"],
        accept_terms=True,
        locale=language_of(request),
        terms_version=version("terms_version"),
        privacy_version=version("privacy_version"),
    )


def _at_field(error: DomainError) -> DomainError:
    """A refusal about one field, shown at that field."""
    field = {"bad_email": "email", "weak_password": "password"}.get(error.code)
    if field is None:
        return error
    hints = error.fields.get("hints")
    words = [error.message, *(hints if isinstance(hints, list) else [])]
    problem = FieldProblem(field, error.code, " ".join(str(word) for word in words))
    return InvalidInput(error.message, problems=[problem])


@get("/verify-email", access=access.PUBLIC, include_in_schema=False)
async def verify_page(request: Req, token: Token = "") -> Response[bytes]:
    """What the link of the verification mail opens."""
    return await page(request, "auth/verify.html", token=token, noindex=True)


@post("/verify-email", access=access.PUBLIC, rate="login", include_in_schema=False)
async def verify(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Use the link; then log in, or go on."""
    form = await form_of(request)
    try:
        check(form, _TOKEN)
        await db.transact(
            lambda tx: identity.verify_email(
                tx, actor, token=form["token"], secret_key=settings.secret_key
            )
        )
    except DomainError as error:
        return await refused(request, "auth/verify.html", error, token="")
    text = translate(request, "Your address is confirmed.")
    to = "/account" if actor.user_id else "/login"
    return redirect(to, flash=Flash("success", text), settings=settings)


@get("/confirm-email", access=access.PUBLIC, include_in_schema=False)
async def confirm_page(request: Req, token: Token = "") -> Response[bytes]:
    """What each of the two links of a change of address opens."""
    return await page(request, "auth/confirm.html", token=token, noindex=True)


@post("/confirm-email", access=access.PUBLIC, rate="login", include_in_schema=False)
async def confirm(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Use one of the two links."""
    form = await form_of(request)
    try:
        check(form, _TOKEN)
        changed = await db.transact(
            lambda tx: identity.confirm_email_change(
                tx, actor, token=form["token"], secret_key=settings.secret_key
            )
        )
    except DomainError as error:
        return await refused(request, "auth/confirm.html", error, token="")
    text = (
        "Your new address is in use from now on."
        if changed
        else "Thank you. Now follow the link in the mail at the other address too."
    )
    flash = Flash("success", translate(request, text))
    return redirect("/account/profile" if actor.user_id else "/login", flash=flash,
                    settings=settings)  # fmt: skip


@get("/resend", access=access.PUBLIC, include_in_schema=False)
async def resend_page(request: Req) -> Response[bytes]:
    """Ask for the verification mail again."""
    return await page(request, "auth/ask.html", what="resend", form={}, noindex=True)


@post("/resend", access=access.PUBLIC, rate="mail", include_in_schema=False)
async def resend(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Send it, if there is such an account and it needs one."""

    async def send(email: str) -> None:
        await db.transact(lambda tx: identity.resend_verification(tx, actor, email=email))

    return await _ask(request, settings, "resend", send)


@get("/forgot", access=access.PUBLIC, include_in_schema=False)
async def forgot_page(request: Req) -> Response[bytes]:
    """Ask for a link that sets a new password."""
    return await page(request, "auth/ask.html", what="forgot", form={}, noindex=True)


@post("/forgot", access=access.PUBLIC, rate="mail", include_in_schema=False)
async def forgot(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Send it, if there is such an account."""

    async def send(email: str) -> None:
        await db.transact(lambda tx: identity.request_password_reset(tx, actor, email=email))

    return await _ask(request, settings, "forgot", send)


async def _ask(
    request: Req, settings: Settings, what: str, send: Callable[[str], Awaitable[None]]
) -> Response[bytes]:
    form = await form_of(request)
    try:
        check(form, _ADDRESS)
        await send(form["email"])
    except DomainError as error:
        return await refused(request, "auth/ask.html", _at_field(error), form=form, what=what)
    return await page(
        request, "auth/sent.html", what=what, email=form["email"], mailbox=_mailbox(settings),
        noindex=True,
    )  # fmt: skip


@get("/reset", access=access.PUBLIC, include_in_schema=False)
async def reset_page(request: Req, token: Token = "") -> Response[bytes]:
    """The form for a new password."""
    return await page(request, "auth/reset.html", token=token, noindex=True)


@post("/reset", access=access.PUBLIC, rate="login", include_in_schema=False)
async def reset(request: Req, db: Database, settings: Settings, actor: Actor) -> Response[bytes]:
    """Set the password; every session of the account ends."""
    form = await form_of(request)
    try:
        check(form, _TOKEN | {"password": (1, 256)})
        await identity.reset_password(
            db, settings, actor, token=form["token"], new=form["password"]
        )
    except DomainError as error:
        return await refused(
            request, "auth/reset.html", _at_field(error), token=form.get("token", "")
        )
    text = translate(request, "Your new password is set. Log in with it.")
    return redirect("/login", flash=Flash("success", text), settings=settings)


routes: list[Any] = [
    register_page,
    register,
    verify_page,
    verify,
    confirm_page,
    confirm,
    resend_page,
    resend,
    forgot_page,
    forgot,
    reset_page,
    reset,
]
