from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import msgspec
import pytest
from litestar import Response, get

from souk.contexts.identity import api as identity
from souk.kernel.actor import GUEST, Actor, Role, system
from souk.kernel.ids import uuid7
from souk.platform.http import access, edge
from tests.identity.factories import (
    OTHER_PASSWORD,
    PASSWORD,
    VISITOR,
    actor_of,
    make_admin,
    make_person,
    new_email,
    newest_link,
)


@get("/who", access=access.PUBLIC)
async def who(actor: Actor) -> dict[str, str | None]:
    return {
        "kind": actor.kind,
        "user": str(actor.user_id) if actor.user_id else None,
        "ip": actor.ip,
    }


@pytest.fixture
async def client(services):
    """The real authenticator in front of the real routes."""
    app = edge.build(
        services,
        routes=[*identity.routes, who],
        authenticator=identity.IdentityAuthenticator(services.db, services.settings),
    )
    transport = httpx.ASGITransport(edge.Edge(app, services.settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made


async def logged_in(client, person, password=PASSWORD):
    response = await client.post(
        "/api/v1/auth/login", json={"email": person.email, "password": password}
    )
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def bearer(answer) -> dict[str, str]:
    return {"authorization": f"Bearer {answer['tokens']['access_token']}"}


async def test_log_in_profile_refresh_log_out(client, db):
    person = await make_person(db)
    answer = await logged_in(client, person)
    assert answer["tokens"]["token_type"] == "Bearer"
    assert answer["tokens"]["expires_in"] == 600
    assert "password" not in str(answer)
    headers = bearer(answer)
    profile = (await client.get("/api/v1/auth/profile", headers=headers)).json()
    assert profile["email"] == person.email
    assert profile["roles"] == ["customer"]
    changed = await client.patch(
        "/api/v1/auth/profile", json={"display_name": "Countess"}, headers=headers
    )
    assert changed.json()["display_name"] == "Countess"
    token = {"refresh_token": answer["tokens"]["refresh_token"]}
    refreshed = await client.post("/api/v1/auth/refresh", json=token)
    assert refreshed.status_code == 200
    out = await client.post("/api/v1/auth/logout", headers=headers)
    assert out.status_code == 204
    token = {"refresh_token": refreshed.json()["refresh_token"]}
    again = await client.post("/api/v1/auth/refresh", json=token)
    assert again.status_code == 401
    assert again.json()["code"] == "refresh_refused"


async def test_wrong_log_ins_look_the_same(client, db):
    person = await make_person(db)
    bodies = []
    for email in (person.email, new_email()):
        response = await client.post(
            "/api/v1/auth/login", json={"email": email, "password": "wrong password"}
        )
        assert response.status_code == 401
        bodies.append({k: v for k, v in response.json().items() if k != "request_id"})
    assert bodies[0] == bodies[1]


async def test_a_lockout_says_how_long(client, db):
    person = await make_person(db)
    for _ in range(6):
        response = await client.post(
            "/api/v1/auth/login", json={"email": person.email, "password": "wrong password"}
        )
    assert response.status_code == 429
    assert response.headers["retry-after"] == "900"


async def test_links_by_http(client, db, settings):
    person = await make_person(db)
    token_id = await newest_link(db, person.id, "verify")
    token = identity.link_token(token_id, settings.secret_key)
    first = await client.post("/api/v1/auth/verify-email", json={"token": token})
    second = await client.post("/api/v1/auth/verify-email", json={"token": token})
    assert (first.status_code, second.status_code) == (204, 422)
    assert second.json()["code"] == "link_invalid"
    for path in ("resend-verification", "request-password-reset"):
        answers = [
            await client.post(f"/api/v1/auth/{path}", json={"email": email})
            for email in (person.email, new_email())
        ]
        assert [a.status_code for a in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
    token_id = await newest_link(db, person.id, "reset")
    token = identity.link_token(token_id, settings.secret_key)
    body = {"token": token, "password": OTHER_PASSWORD}
    assert (await client.post("/api/v1/auth/reset-password", json=body)).status_code == 204
    await logged_in(client, person, OTHER_PASSWORD)


async def test_changing_password_and_address_by_http(client, db, settings):
    person, new = await make_person(db), new_email()
    headers = bearer(await logged_in(client, person))
    body = {"password": PASSWORD, "new_email": new}
    asked = await client.post("/api/v1/auth/change-email", json=body, headers=headers)
    assert asked.status_code == 202
    for purpose, changed in (("change_email_old", False), ("change_email_new", True)):
        token_id = await newest_link(db, person.id, purpose)
        token = identity.link_token(token_id, settings.secret_key)
        response = await client.post("/api/v1/auth/confirm-email", json={"token": token})
        assert response.json() == {"changed": changed}
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    done = await client.post("/api/v1/auth/change-password", json=body, headers=headers)
    assert done.status_code == 204
    await logged_in(client, replace(person, email=new), OTHER_PASSWORD)
    body["current_password"] = "wrong"
    refused = await client.post("/api/v1/auth/change-password", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")


async def test_sessions_by_http(client, db):
    person, other = await make_person(db), await make_person(db)
    foreign = await actor_of(db, other)
    browser = await actor_of(db, person)
    headers = bearer(await logged_in(client, person))
    await logged_in(client, person)
    items = (await client.get("/api/v1/auth/sessions", headers=headers)).json()["items"]
    assert [item["current"] for item in items].count(True) == 1
    assert {item["kind"] for item in items} == {"api", "browser"}
    for session_id, status in (
        (foreign.session_id, 404),
        (uuid7(), 404),
        (browser.session_id, 204),
        (browser.session_id, 404),
    ):
        response = await client.delete(f"/api/v1/auth/sessions/{session_id}", headers=headers)
        assert response.status_code == status
    ended = await client.delete("/api/v1/auth/sessions", headers=headers)
    assert ended.json() == {"ended": 1}


SIGNED_IN = [
    ("POST", "/api/v1/auth/logout"),
    ("GET", "/api/v1/auth/profile"),
    ("PATCH", "/api/v1/auth/profile"),
    ("POST", "/api/v1/auth/change-password"),
    ("POST", "/api/v1/auth/change-email"),
    ("GET", "/api/v1/auth/sessions"),
    ("DELETE", "/api/v1/auth/sessions"),
    ("DELETE", f"/api/v1/auth/sessions/{uuid7()}"),
]
STAFF = [
    ("GET", "/api/v1/users"),
    ("GET", f"/api/v1/users/{uuid7()}"),
    ("POST", f"/api/v1/users/{uuid7()}/suspend"),
    ("POST", f"/api/v1/users/{uuid7()}/reinstate"),
    ("PUT", f"/api/v1/users/{uuid7()}/roles/admin"),
    ("DELETE", f"/api/v1/users/{uuid7()}/roles/admin"),
]


@pytest.mark.parametrize(("method", "path"), SIGNED_IN + STAFF)
async def test_guests_are_asked_to_log_in(client, method, path):
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic eDp5"}):
        response = await client.request(method, path, headers=headers)
        assert response.status_code == 401
        assert response.json()["code"] == "not_signed_in"


@pytest.mark.parametrize(("method", "path"), STAFF)
async def test_customers_and_sellers_are_not_staff(make_client, db, method, path):
    client = make_client(identity.routes)
    person = await make_person(db)
    customer = await actor_of(db, person)
    seller = replace(customer, seller_id=uuid7(), roles=frozenset({Role.SELLER}))
    for actor in (customer, seller):
        client.act_as.actor = actor
        response = await client.request(method, path)
        assert response.status_code == 403


async def test_operators_manage_users_by_http(make_client, db):
    client = make_client(identity.routes)
    client.act_as.actor = await make_admin(db)
    person = await make_person(db)
    found = await client.get("/api/v1/users", params={"search": person.email, "limit": 5})
    assert [item["id"] for item in found.json()["items"]] == [str(person.id)]
    base = f"/api/v1/users/{person.id}"
    assert (await client.get(base)).json()["email"] == person.email
    assert (await client.get(f"/api/v1/users/{uuid7()}")).status_code == 404
    body = {"reason": "Fake goods."}
    suspended = await client.post(f"{base}/suspend", json=body)
    assert suspended.json()["state"] == "suspended"
    assert (await client.post(f"{base}/suspend", json=body)).status_code == 409
    assert (await client.post(f"{base}/reinstate")).json()["state"] == "active"
    granted = await client.put(f"{base}/roles/support")
    assert granted.json()["roles"] == ["customer", "support"]
    taken = await client.delete(f"{base}/roles/support")
    assert taken.json()["roles"] == ["customer"]
    assert (await client.put(f"{base}/roles/seller")).status_code == 403
    assert (await client.put(f"{base}/roles/emperor")).status_code == 422
    client.act_as.actor = replace(GUEST)
    assert (await client.get(base)).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("login", {"email": "a@b.test"}),
        ("login", {"email": 1, "password": "x"}),
        ("login", {"email": "a@b.test", "password": "x", "role": "admin"}),
        ("login", {"email": "a@b.test", "password": "x" * 300}),
        ("refresh", {"refresh_token": ""}),
        ("verify-email", {"token": "x" * 200}),
        ("request-password-reset", {"email": "no"}),
        ("request-password-reset", {"email": "not an address"}),
    ],
)
async def test_bad_bodies_are_refused(client, path, body):
    response = await client.post(f"/api/v1/auth/{path}", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_nul_bytes_are_no_trouble(client):
    for path, body in (
        ("login", {"email": "a\x00@b.test", "password": "x\x00y"}),
        ("refresh", {"refresh_token": "\x00"}),
        ("verify-email", {"token": "\x00.\x00"}),
        ("reset-password", {"token": "\x00", "password": OTHER_PASSWORD}),
    ):
        response = await client.post(f"/api/v1/auth/{path}", json=body)
        assert 400 <= response.status_code < 500, path


async def test_guesses_at_what_is_no_address_are_counted_too(client):
    body = {"email": f"no address {uuid7()}", "password": "x"}
    codes = [(await client.post("/api/v1/auth/login", json=body)).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]


async def test_the_cookie_names_the_caller_and_notes_its_use(client, db, settings, clock):
    person = await make_person(db)
    proof = await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    opened = await db.transact(lambda tx: identity.open_session(tx, VISITOR, proof=proof))
    client.cookies.set(identity.session_cookie_name(settings), opened.secret)
    assert (await client.get("/who")).json()["user"] == str(person.id)
    clock.advance(timedelta(minutes=2))
    await client.get("/who")
    async with db.read() as conn:
        seen = await conn.fetchval(
            "SELECT last_seen_at FROM identity.session WHERE id = $1", opened.session_id
        )
    assert seen == clock.now()
    refused = await client.patch("/api/v1/auth/profile", json={"display_name": "Eve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_refused")
    ignored = await client.get("/who", headers={"authorization": "Bearer nonsense"})
    assert ignored.json()["kind"] == "guest"


@pytest.mark.parametrize("secret", ["", "nonsense", "x" * 5_000])
async def test_other_cookies_name_nobody(client, settings, secret):
    client.cookies.set(identity.session_cookie_name(settings), secret)
    body = (await client.get("/who")).json()
    assert body == {"kind": "guest", "user": None, "ip": "127.0.0.1"}


def test_cookies_cannot_be_read_or_planted(settings):
    response = Response(None)
    identity.set_session_cookie(response, secret="s3cret", settings=settings)
    secure = msgspec.structs.replace(settings, base_url="https://souk.example")
    identity.set_session_cookie(response, secret="s3cret", settings=secure)
    identity.clear_session_cookie(response, settings=secure)
    plain, hard, gone = (cookie.to_header(header="") for cookie in response.cookies)
    assert plain.startswith("souk_session=s3cret")
    assert "Secure" not in plain
    assert hard.startswith("__Host-souk_session=s3cret")
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert part in hard
    assert "Domain" not in hard
    assert "Max-Age=0" in gone


async def test_granted_roles_reach_the_token_with_the_next_refresh(client, db):
    person = await make_person(db)
    answer = await logged_in(client, person)
    await db.transact(
        lambda tx: identity.grant_role(tx, system("test"), user_id=person.id, role=Role.SUPPORT)
    )
    assert (await client.get("/api/v1/users", headers=bearer(answer))).status_code == 403
    token = {"refresh_token": answer["tokens"]["refresh_token"]}
    refreshed = {"tokens": (await client.post("/api/v1/auth/refresh", json=token)).json()}
    assert (await client.get("/api/v1/users", headers=bearer(refreshed))).status_code == 200
