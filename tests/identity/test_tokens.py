from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from souk.contexts.identity import tokens
from souk.contexts.identity.domain import MemberRole, User, UserState
from souk.contexts.identity.tokens import ACCESS_LIFE, AccessTokens, link_token, read_link
from souk.kernel.actor import Permission, Role
from souk.kernel.errors import NotSignedIn
from souk.kernel.ids import uuid7

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
KEY = "a-test-secret-key-of-more-than-32-characters"
SESSION = uuid7()
USER = User(
    id=uuid7(),
    email="ada@people.test",
    display_name="Ada Lovelace",
    locale="en",
    state=UserState.ACTIVE,
    staff_roles=frozenset({Role.SUPPORT}),
    email_verified_at=NOW,
    created_at=NOW,
    seller_id=uuid7(),
    member_role=MemberRole.OWNER,
)


@pytest.fixture
def access() -> AccessTokens:
    return AccessTokens(secret_key=KEY, issuer="https://souk.example")


def test_a_token_says_who_it_is(access):
    token = access.issue(USER, session_id=SESSION, now=NOW)
    actor = access.authenticate(token, now=NOW, ip="203.0.113.7")
    assert actor.user_id == USER.id
    assert actor.seller_id == USER.seller_id
    assert actor.session_id == SESSION
    assert actor.roles == {Role.CUSTOMER, Role.SELLER, Role.SUPPORT}
    assert actor.may(Permission.ORDERS_MANAGE)
    assert actor.email_verified
    assert actor.name == "Ada Lovelace"
    assert actor.ip == "203.0.113.7"


def test_no_address_is_in_the_token(access):
    payload = access.issue(USER, session_id=SESSION, now=NOW).split(".")[1]
    assert b"ada@" not in base64.urlsafe_b64decode(payload + "==")


def test_it_ends_after_ten_minutes_also_when_remembered(access):
    token = access.issue(USER, session_id=SESSION, now=NOW)
    access.authenticate(token, now=NOW + ACCESS_LIFE - timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(NotSignedIn):
            access.authenticate(token, now=NOW + ACCESS_LIFE)


def _forged(header: dict, claims: dict, signature: str = "") -> str:
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.{signature}"


def _claims(**changes) -> dict:
    return {
        "iss": "https://souk.example",
        "aud": tokens.AUDIENCE,
        "sub": str(USER.id),
        "sid": str(SESSION),
        "exp": int(NOW.timestamp()) + 600,
        "roles": ["admin"],
        "seller_id": None,
        "email_verified": True,
        "name": "Eve",
    } | changes


@pytest.mark.parametrize(
    "bad",
    ["", "x", "a.b.c", "é.é.é", "x" * 10_000, "\ud800", _forged({"alg": "none"}, _claims()),
     _forged({"alg": "HS256"}, _claims(), "AAAA")],
)  # fmt: skip
def test_made_up_tokens_are_refused(access, bad):
    with pytest.raises(NotSignedIn):
        access.authenticate(bad, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://other.example"}, {"aud": "other"}, {"sub": "x"}, {"roles": ["emperor"]},
     {"exp": "soon"}],
)  # fmt: skip
def test_our_signature_under_other_claims_is_refused(access, changes):
    key = OctKey.import_key(tokens.derive_key(KEY, "souk access token"))
    with pytest.raises(NotSignedIn):
        access.authenticate(jwt.encode({"alg": "HS256"}, _claims(**changes), key), now=NOW)


def test_another_key_is_refused(access):
    other = AccessTokens(secret_key=KEY + "x", issuer="https://souk.example")
    with pytest.raises(NotSignedIn):
        access.authenticate(other.issue(USER, session_id=SESSION, now=NOW), now=NOW)


def test_a_changed_token_is_refused_after_the_real_one_was_seen(access):
    token = access.issue(USER, session_id=SESSION, now=NOW)
    access.authenticate(token, now=NOW)
    head, body, signature = token.split(".")
    with pytest.raises(NotSignedIn):
        access.authenticate(f"{head}.{body}.{signature[::-1]}", now=NOW)


def test_checking_a_known_token_costs_little(access):
    token = access.issue(USER, session_id=SESSION, now=NOW)
    access.authenticate(token, now=NOW, ip="203.0.113.7")
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(200):
            access.authenticate(token, now=NOW, ip="203.0.113.7")
        best = min(best, (time.perf_counter() - started) / 200)
    assert best < 100e-6


def test_the_memory_of_tokens_is_bounded(access, monkeypatch):
    monkeypatch.setattr(tokens, "_REMEMBERED", 3)
    for _ in range(6):
        access.authenticate(access.issue(USER, session_id=uuid7(), now=NOW), now=NOW)
    assert len(access._known) == 3


def test_links_are_read_only_with_our_mac():
    token_id = uuid7()
    token = link_token(token_id, KEY)
    assert read_link(token, KEY) == token_id
    assert read_link(token, KEY + "x") is None
    assert read_link(f"{token_id.hex}.", KEY) is None
    for bad in ("", ".", "x.y", token_id.hex, f"{uuid7().hex}.{token.split('.')[1]}", "\ud800.x"):
        assert read_link(bad, KEY) is None
