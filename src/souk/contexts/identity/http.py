"""`/api/v1/auth`: logging in and out, tokens, profile, links and sessions.

Registration is a flow (`flows/sign_up`), since it records what was accepted as well.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.datastructures import CacheControlHeader
from litestar.params import FromPath

from souk.contexts.identity import http_auth, http_users, queries
from souk.contexts.identity.commands import accounts, signing_in
from souk.contexts.identity.passwords import MAX_LENGTH
from souk.contexts.identity.queries import SessionView, UserView
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings

# RFC 6749, 5.1: nobody on the way keeps an answer with tokens; the same for personal data.
_NO_STORE = CacheControlHeader(no_store=True)
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LENGTH)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Locale = Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class LogIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Address and password."""

    email: Email
    password: Password


class RefreshToken(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The latest refresh token of a session. Each is good once."""

    refresh_token: Secret


class UpdateProfile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Fields that are left out stay as they are."""

    display_name: DisplayName | None = None
    locale: Locale | None = None


class Address(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where to send a link, if an account has this address."""

    email: Email


class LinkToken(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the mailed link carries as `token`."""

    token: Secret


class ResetPassword(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The token of the reset link and the password to set."""

    token: Secret
    password: Password


class ChangePassword(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The present password and the one to set."""

    current_password: Password
    new_password: Password


class ChangeEmail(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The present password and the address to change to."""

    password: Password
    new_email: Email


class TokenPair(msgspec.Struct, frozen=True):
    """RFC 6749, 5.1. `expires_in` is in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    session_id: UUID
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name

    @classmethod
    def of(cls, tokens: http_auth.Tokens) -> TokenPair:
        return cls(tokens.access_token, tokens.refresh_token, tokens.expires_in, tokens.session_id)


class LoggedIn(msgspec.Struct, frozen=True):
    """Tokens and the account that they belong to."""

    tokens: TokenPair
    user: UserView


class Sent(msgspec.Struct, frozen=True):
    """The same whether or not there is such an account."""

    message: str


class EmailChange(msgspec.Struct, frozen=True):
    """`changed` is false while the link at the other address is still to be followed."""

    changed: bool


class Sessions(msgspec.Struct, frozen=True):
    """Every open session of the caller."""

    items: list[SessionView]


class Ended(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


@post(
    "/api/v1/auth/login",
    access=access.PUBLIC,
    rate="login",
    status_code=200,
    cache_control=_NO_STORE,
)
async def log_in(
    data: LogIn, db: Database, settings: Settings, actor: Actor, request: Request[Any, Any, Any]
) -> LoggedIn:
    """Exchange address and password for tokens."""
    proof = await http_auth.log_in(db, actor, email=data.email, password=data.password)
    tokens, user = await http_auth.issue_tokens(
        db, settings, actor, proof=proof, user_agent=request.headers.get("user-agent", "")
    )
    return LoggedIn(TokenPair.of(tokens), user)


@post("/api/v1/auth/logout", access=access.SIGNED_IN, status_code=204)
async def log_out(db: Database, actor: Actor) -> None:
    """End the session that the access token belongs to; its refresh token stops working."""
    await db.transact(lambda tx: signing_in.close_session(tx, actor))


@post(
    "/api/v1/auth/refresh",
    access=access.PUBLIC,
    rate="write",
    status_code=200,
    cache_control=_NO_STORE,
)
async def refresh(data: RefreshToken, db: Database, settings: Settings, actor: Actor) -> TokenPair:
    """Exchange a refresh token for the next pair. Using one twice ends the session."""
    tokens = await http_auth.refresh(db, settings, actor, refresh_token=data.refresh_token)
    return TokenPair.of(tokens)


@get("/api/v1/auth/profile", access=access.SIGNED_IN, cache_control=_NO_STORE)
async def read_profile(db: Database, actor: Actor) -> UserView:
    """The caller's own account."""
    async with db.read() as conn:
        return await queries.user(conn, user_id=accounts.own_id(actor))


@patch("/api/v1/auth/profile", access=access.SIGNED_IN, rate="write")
async def update_profile(data: UpdateProfile, db: Database, actor: Actor) -> UserView:
    """Change the caller's name or language."""
    user = await db.transact(
        lambda tx: accounts.update_profile(
            tx, actor, display_name=data.display_name, locale=data.locale
        )
    )
    return UserView.of(user)


@post("/api/v1/auth/verify-email", access=access.PUBLIC, rate="login", status_code=204)
async def verify_email(data: LinkToken, db: Database, settings: Settings, actor: Actor) -> None:
    """Follow the link of the verification mail."""
    await db.transact(
        lambda tx: accounts.verify_email(
            tx, actor, token=data.token, secret_key=settings.secret_key
        )
    )


@post("/api/v1/auth/resend-verification", access=access.PUBLIC, rate="mail", status_code=202)
async def resend_verification(data: Address, db: Database, actor: Actor) -> Sent:
    """Ask for the verification mail again."""
    await db.transact(lambda tx: accounts.resend_verification(tx, actor, email=data.email))
    return Sent("If an account with this address waits for verification, a mail is on its way.")


@post("/api/v1/auth/request-password-reset", access=access.PUBLIC, rate="mail", status_code=202)
async def request_password_reset(data: Address, db: Database, actor: Actor) -> Sent:
    """Ask for a link that sets a new password."""
    await db.transact(lambda tx: accounts.request_password_reset(tx, actor, email=data.email))
    return Sent("If there is an account with this address, a mail with a link is on its way.")


@post("/api/v1/auth/reset-password", access=access.PUBLIC, rate="login", status_code=204)
async def reset_password(
    data: ResetPassword, db: Database, settings: Settings, actor: Actor
) -> None:
    """Set a password by the mailed link. Every session of the account ends."""
    await http_auth.reset_password(db, settings, actor, token=data.token, new=data.password)


@post("/api/v1/auth/change-password", access=access.SIGNED_IN, rate="login", status_code=204)
async def change_password(
    data: ChangePassword, db: Database, settings: Settings, actor: Actor
) -> Response[None]:
    """Set another password. Every other session of the account ends."""
    secret = await http_auth.change_password(
        db, settings, actor, current=data.current_password, new=data.new_password
    )
    response = Response(None, status_code=204)
    if secret is not None:
        http_auth.set_session_cookie(response, secret=secret, settings=settings)
    return response


@post("/api/v1/auth/change-email", access=access.SIGNED_IN, rate="mail", status_code=202)
async def change_email(data: ChangeEmail, db: Database, actor: Actor) -> Sent:
    """Ask to change the address. A link goes to the old and the new one; both must be followed."""
    await http_auth.change_email(db, actor, password=data.password, new_email=data.new_email)
    return Sent("A link is on its way to both addresses. Follow both to change your address.")


@post("/api/v1/auth/confirm-email", access=access.PUBLIC, rate="login", status_code=200)
async def confirm_email(
    data: LinkToken, db: Database, settings: Settings, actor: Actor
) -> EmailChange:
    """Follow one of the two links of a change of address."""
    changed = await db.transact(
        lambda tx: accounts.confirm_email_change(
            tx, actor, token=data.token, secret_key=settings.secret_key
        )
    )
    return EmailChange(changed)


@get("/api/v1/auth/sessions", access=access.SIGNED_IN, cache_control=_NO_STORE)
async def list_sessions(db: Database, actor: Actor) -> Sessions:
    """Where the caller is logged in: browsers and API clients."""
    async with db.read() as conn:
        return Sessions(await queries.sessions(conn, actor))


@delete("/api/v1/auth/sessions/{session_id:uuid}", access=access.SIGNED_IN, rate="write")
async def revoke_session(session_id: FromPath[UUID], db: Database, actor: Actor) -> None:
    """End one of the caller's sessions."""
    await db.transact(lambda tx: signing_in.revoke_session(tx, actor, session_id=session_id))


@delete("/api/v1/auth/sessions", access=access.SIGNED_IN, rate="write", status_code=200)
async def revoke_others(db: Database, actor: Actor) -> Ended:
    """End every session of the caller but the one that asks."""
    return Ended(await db.transact(lambda tx: signing_in.revoke_others(tx, actor)))


routes: list[Any] = [
    log_in,
    log_out,
    refresh,
    read_profile,
    update_profile,
    verify_email,
    resend_verification,
    request_password_reset,
    reset_password,
    change_password,
    change_email,
    confirm_email,
    list_sessions,
    revoke_session,
    revoke_others,
    *http_users.routes,
]
