"""Who holds a cart or a checkout: a signed-in user, or a guest who keeps a secret token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response

from souk.kernel.ids import fingerprint, token
from souk.platform.http.access import Connection, actor_of, cookie_name
from souk.platform.settings import Settings

GUEST_COOKIE = "souk_guest"
GUEST_HEADER = "souk-guest"
_MAX_AGE = 60 * 60 * 24 * 60


@dataclass(frozen=True, slots=True)
class Holder:
    """Exactly one of `user_id` and `guest` is set; `guest` is the token's SHA-256.

    `new_token` is the token itself when this request made it: the answer must hand it over once.
    """

    user_id: UUID | None = None
    guest: bytes | None = None
    new_token: str | None = None

    def is_same(self, other: Holder) -> bool:
        """Whether both are the same person, however they were recognised."""
        return (self.user_id, self.guest) == (other.user_id, other.guest)

    def label(self) -> str:
        """How the holder is named in idempotency keys and logs; not a secret."""
        return f"user:{self.user_id}" if self.user_id else f"guest:{(self.guest or b'').hex()[:24]}"


async def holder_of(connection: Connection) -> Holder:
    """The signed-in user, else the guest of the header or cookie, else a new guest."""
    actor = await actor_of(connection)
    if actor.user_id is not None:
        return Holder(user_id=actor.user_id)
    known = guest_token_of(connection)
    if known:
        return Holder(guest=fingerprint(known))
    made = token(size=24)
    return Holder(guest=fingerprint(made), new_token=made)


def guest_token_of(connection: Connection) -> str | None:
    """The guest token that the request carries, whoever is signed in; None when absent."""
    name = cookie_name(GUEST_COOKIE, connection.app.state["settings"])
    known = connection.headers.get(GUEST_HEADER) or connection.cookies.get(name)
    return known if known and 16 <= len(known) <= 128 else None


def hand_over(response: Response[Any], holder: Holder, settings: Settings) -> Response[Any]:
    """Give a newly made guest token to the caller, as a cookie and as a header."""
    if holder.new_token:
        _set(response, holder.new_token, _MAX_AGE, settings)
        response.headers[GUEST_HEADER] = holder.new_token
    return response


def forget_guest(response: Response[Any], settings: Settings) -> None:
    """Have the browser forget the guest."""
    _set(response, "", 0, settings)


def _set(response: Response[Any], value: str, max_age: int, settings: Settings) -> None:
    response.set_cookie(
        cookie_name(GUEST_COOKIE, settings),
        value,
        max_age=max_age,
        path="/",
        httponly=True,
        secure=settings.secure_cookies,
        samesite="lax",
    )
