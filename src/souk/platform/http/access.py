"""Every route says who may call it; the guard asks before the handler runs.

Cookie-authenticated changes also need proof that the page came from us (CSRF): a same-origin
`Sec-Fetch-Site` or `Origin`, and the signed token of the `souk_csrf` cookie sent back in a form
field or a header. Calls with an `Authorization` header carry no ambient authority and need none.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from souk.kernel.actor import GUEST, Actor, Permission
from souk.kernel.errors import DomainError, ErrorKind, Forbidden, NotSignedIn
from souk.platform.settings import Settings

Connection = ASGIConnection[Any, Any, Any, Any]
CSRF_COOKIE = "souk_csrf"
CSRF_FIELD = "_csrf"
CSRF_HEADER = "x-csrftoken"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def cookie_name(name: str, settings: Settings) -> str:
    """Over https the `__Host-` prefix keeps subdomains, and anybody on the way of a page without
    https, from planting the cookie (RFC 6265bis)."""
    return f"__Host-{name}" if settings.secure_cookies else name


class CsrfRefused(DomainError):
    """A change arrived with cookies and without proof that it came from our own page."""

    code = "csrf_refused"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This form is out of date. Reload the page and send it again.")


@dataclass(frozen=True, slots=True)
class Access:
    """A rule with a name that the documents and the route matrix test show."""

    name: str
    permission: Permission | None = None
    signed_in: bool = False
    seller: bool = False
    csrf: bool = True

    def check(self, actor: Actor) -> None:
        """Raise NotSignedIn or Forbidden, each with what to do next."""
        if self.signed_in and actor.user_id is None:
            raise NotSignedIn("Log in to go on.")
        if self.seller and actor.seller_id is None:
            raise Forbidden("Only sellers can do this. Apply to become a seller first.")
        if self.permission is not None and not actor.may(self.permission):
            raise Forbidden("Your account may not do this. Ask an administrator for the right.")


PUBLIC = Access("public")
HOLDER = Access("holder")
SIGNED_IN = Access("signed_in", signed_in=True)
SELLER = Access("seller", signed_in=True, seller=True)
SIGNED = Access("signed", csrf=False)


def is_for_all(scope: Any) -> bool:
    """Whether the route of a request answers everybody: all others are about one person."""
    handler = scope.get("route_handler")
    rule = None if handler is None else handler.opt.get("access")
    return rule is None or rule == PUBLIC


def operator(permission: Permission) -> Access:
    """Only staff with this permission."""
    return Access(f"operator:{permission}", permission=permission, signed_in=True)


class Authenticator(Protocol):
    """Turns a request's credentials into an Actor; GUEST when it carries none that are valid."""

    async def authenticate(self, connection: Connection) -> Actor: ...


async def actor_of(connection: Connection) -> Actor:
    """The caller, asked for once per request."""
    state = connection.scope["state"]
    actor = state.get("actor")
    if actor is None:
        authenticator: Authenticator | None = connection.app.state.get("authenticator")
        actor = await authenticator.authenticate(connection) if authenticator else GUEST
        state["actor"] = actor
    return actor


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """The application's one guard: the route's rule, then where a change comes from."""
    rule: Access | None = handler.opt.get("access")
    if rule is None:
        # Only the framework's own answers to OPTIONS have none: see `check_routes`.
        return
    if rule.signed_in:
        rule.check(await actor_of(connection))
    if _needs_proof(connection, handler):
        _check_origin(connection)


async def prove(connection: Connection, handler: BaseRouteHandler) -> None:
    """The second half of CSRF: the token. It may have to be looked for in a form of many megabytes,
    so that rate limits are counted before it; `guard` keeps other sites from using them up."""
    if _needs_proof(connection, handler):
        await _check_token(connection)


def _needs_proof(connection: Connection, handler: BaseRouteHandler) -> bool:
    rule: Access | None = handler.opt.get("access")
    changes = dict(connection.scope)["method"] not in _SAFE
    return rule is not None and rule.csrf and changes and "authorization" not in connection.headers


def _check_origin(connection: Connection) -> None:
    headers = connection.headers
    settings: Settings = connection.app.state["settings"]
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site not in {"same-origin", "none"}:
        raise CsrfRefused
    if origin is not None and _place(origin) not in {
        headers.get("host", ""),
        urlsplit(settings.base_url).netloc,
    }:
        raise CsrfRefused


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def _check_token(connection: Connection) -> None:
    headers, settings = connection.headers, connection.app.state["settings"]
    content_type = headers.get("content-type", "").split(";")[0].strip().lower()
    is_form = content_type in _FORMS or not content_type
    if not connection.cookies or (not is_form and not _has_session(connection)):
        if is_form and content_type and _is_browser(connection):
            raise CsrfRefused
        return
    sent = headers.get(CSRF_HEADER)
    if sent is None and content_type in _FORMS[:2] and isinstance(connection, Request):
        form = await connection.form()
        value = form.get(CSRF_FIELD)
        sent = value if isinstance(value, str) else None
    kept = connection.cookies.get(cookie_name(CSRF_COOKIE, settings), "")
    if not sent or not _are_same(sent, kept) or not _is_ours(sent, settings):
        raise CsrfRefused


def _are_same(one: str, other: str) -> bool:
    """In a time that says nothing of where they differ, whatever characters somebody sent."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _has_session(connection: Connection) -> bool:
    return any("souk_" in name for name in connection.cookies)


def _is_browser(connection: Connection) -> bool:
    return "sec-fetch-mode" in connection.headers or "origin" in connection.headers


def csrf_token_of(connection: Connection, settings: Settings) -> str | None:
    """The token that the browser holds, None when it is none of ours: what somebody else put into
    the cookie never stands in a page."""
    token = connection.cookies.get(cookie_name(CSRF_COOKIE, settings))
    return token if token and _is_ours(token, settings) else None


def new_csrf_token(settings: Settings) -> str:
    """A random value and its signature: a planted cookie cannot imitate it."""
    value = secrets.token_urlsafe(18)
    return f"{value}.{_sign(value, settings)}"


def _sign(value: str, settings: Settings) -> str:
    body = b"csrf:" + value.encode("utf-8", "replace")
    return hmac.new(settings.secret_key.encode(), body, sha256).hexdigest()[:32]


def _is_ours(token: str, settings: Settings) -> bool:
    value, _, signature = token.partition(".")
    return _are_same(signature, _sign(value, settings))
