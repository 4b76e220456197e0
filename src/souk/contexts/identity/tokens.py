"""Access tokens (JWT, RFC 7519) and the secrets of mailed links. No SQL.

Every use of the secret key has its own derived key, so that one kind of signature is never
taken for another.
"""

from __future__ import annotations

import base64
import hmac
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec
from joserfc.errors import JoseError

from souk.contexts.identity.domain import User, user_actor
from souk.kernel.actor import Actor, Role
from souk.kernel.errors import NotSignedIn
from souk.platform.settings import Settings

ACCESS_LIFE = timedelta(minutes=10)
AUDIENCE = "souk-api"
_REMEMBERED = 10_000
_LONGEST = 4_096


def derive_key(secret_key: str, label: str) -> bytes:
    """A 32-byte key for one purpose (the expand step of HKDF, RFC 5869, with one block)."""
    return hmac.new(secret_key.encode(), label.encode() + b"\x01", sha256).digest()


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str
    sub: UUID
    sid: UUID
    exp: int
    roles: frozenset[Role]
    email_verified: bool
    name: str
    seller_id: UUID | None = None


class AccessTokens:
    """Makes and checks access tokens. A verified token is remembered until it expires."""

    def __init__(self, *, secret_key: str, issuer: str) -> None:
        # It loads all of cryptography: only processes that know who asks need it.
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.jwk import OctKey  # noqa: PLC0415

        self._jwt = jwt
        self._key = OctKey.import_key(derive_key(secret_key, "souk access token"))
        self._issuer = issuer
        self._known: OrderedDict[bytes, tuple[Actor, int]] = OrderedDict()

    def issue(self, user: User, *, session_id: UUID, now: datetime) -> str:
        """A token that says who `user` is, good for `ACCESS_LIFE`."""
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user.id),
            "sid": str(session_id),
            "iat": issued,
            "exp": issued + int(ACCESS_LIFE.total_seconds()),
            "roles": sorted(user.roles),
            "seller_id": str(user.seller_id) if user.seller_id else None,
            "email_verified": user.email_verified,
            "name": user.display_name,
        }
        return self._jwt.encode({"alg": "HS256"}, claims, self._key)

    def authenticate(self, token: str, *, now: datetime, ip: str | None = None) -> Actor:
        """The person that the token names. Raises NotSignedIn for any token that is not good."""
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._verify(token)
            self._known[digest] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(digest)
        actor, expires = known
        if now.timestamp() >= expires:
            del self._known[digest]
            raise _refused()
        return actor if ip is None else replace(actor, ip=ip)

    def _verify(self, token: str) -> tuple[Actor, int]:
        if len(token) > _LONGEST or not token.isascii():
            raise _refused()
        try:
            decoded = self._jwt.decode(token, self._key, algorithms=["HS256"])
            claims = msgspec.convert(decoded.claims, _Claims)
        except (JoseError, ValueError) as error:
            raise _refused() from error
        if claims.iss != self._issuer or claims.aud != AUDIENCE:
            raise _refused()
        actor = user_actor(
            user_id=claims.sub,
            session_id=claims.sid,
            roles=claims.roles,
            seller_id=claims.seller_id,
            email_verified=claims.email_verified,
            name=claims.name,
        )
        return actor, claims.exp


def _refused() -> NotSignedIn:
    return NotSignedIn("The access token is not valid or has expired. Refresh it or log in again.")


@lru_cache(maxsize=8)
def _tokens(secret_key: str, issuer: str) -> AccessTokens:
    return AccessTokens(secret_key=secret_key, issuer=issuer)


def access_tokens(settings: Settings) -> AccessTokens:
    """The one maker and checker of this process."""
    return _tokens(settings.secret_key, settings.base_url)


def link_token(token_id: UUID, secret_key: str) -> str:
    """What a mailed link carries: `<id>.<mac>`. Only this program can make it from the id."""
    mac = hmac.new(derive_key(secret_key, "souk mailed link"), token_id.bytes, sha256).digest()
    return f"{token_id.hex}.{base64.urlsafe_b64encode(mac[:24]).decode()}"


def read_link(token: str, secret_key: str) -> UUID | None:
    """The id inside a mailed link's token, None when the token is not one of ours."""
    head, _, _ = token.partition(".")
    try:
        token_id = UUID(hex=head)
    except ValueError:
        return None
    ours = link_token(token_id, secret_key).encode()
    return token_id if hmac.compare_digest(token.encode("utf-8", "replace"), ours) else None
