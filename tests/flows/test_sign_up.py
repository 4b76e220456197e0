from __future__ import annotations

import httpx
import pytest

from souk.contexts.compliance import api as compliance
from souk.contexts.compliance.api import DocumentKind
from souk.contexts.identity import api as identity
from souk.flows import sign_up
from souk.kernel.actor import system
from souk.platform.http import edge
from tests.identity.factories import PASSWORD, new_email, newest_link


@pytest.fixture
async def client(services):
    app = edge.build(
        services,
        routes=[*identity.routes, *compliance.routes, *sign_up.routes],
        authenticator=identity.IdentityAuthenticator(services.db, services.settings),
    )
    transport = httpx.ASGITransport(edge.Edge(app, services.settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made


def body(**changes):
    return {
        "email": new_email(),
        "password": PASSWORD,
        "display_name": "Ada",
        "accept_terms": True,
    } | changes


async def register(client, data):
    return await client.post("/api/v1/auth/register", json=data)


async def user_id_of(db, email):
    async with db.read() as conn:
        return await identity.user_id_of(conn, email=email)


async def test_from_registration_to_a_verified_account(client, db, settings):
    data = body(locale="de")
    answer = await register(client, data)
    assert answer.status_code == 202
    user_id = await user_id_of(db, data["email"])
    async with db.read() as conn:
        accepted = {a.kind: a.version for a in await compliance.acceptances(conn, user_id)}
        assert not await compliance.missing_acceptances(conn, user_id, sign_up.REQUIRED)
    assert set(accepted) == {"terms", "privacy"}
    token = identity.link_token(await newest_link(db, user_id, "verify"), settings.secret_key)
    verified = await client.post("/api/v1/auth/verify-email", json={"token": token})
    assert verified.status_code == 204
    log_in = {"email": data["email"], "password": PASSWORD}
    user = (await client.post("/api/v1/auth/login", json=log_in)).json()["user"]
    assert user["email_verified"]
    assert user["locale"] == "de"


async def test_a_taken_address_gets_the_same_answer(client, db):
    data = body()
    first = await register(client, data)
    second = await register(client, data | {"display_name": "Eve"})
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert dict(first.headers).keys() == dict(second.headers).keys()
    user_id = await user_id_of(db, data["email"])
    async with db.read() as conn:
        assert len(await compliance.acceptances(conn, user_id)) == 2


async def test_an_outdated_version_is_refused_whether_or_not_the_address_is_taken(client, db):
    taken = body()
    await register(client, taken)
    for data in (taken, body()):
        response = await register(client, data | {"terms_version": 999})
        assert response.status_code == 409
        assert response.json()["code"] == "document_changed"
    assert await user_id_of(db, data["email"]) is None


async def test_the_shown_versions_are_recorded(client, db):
    admin = system("test")
    await register(client, body())
    kind = DocumentKind.TERMS
    await db.transact(
        lambda tx: compliance.save_draft(
            tx, admin, kind=kind, locale="en", title="T", markdown="New."
        )
    )
    version = await db.transact(lambda tx: compliance.publish(tx, admin, kind=kind))
    data = body(terms_version=version)
    assert (await register(client, data)).status_code == 202
    user_id = await user_id_of(db, data["email"])
    async with db.read() as conn:
        accepted = {a.kind: a.version for a in await compliance.acceptances(conn, user_id)}
    assert accepted["terms"] == version


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"accept_terms": False}, "invalid_input"),
        ({"password": "password123"}, "weak_password"),
        ({"email": "not an address"}, "bad_email"),
        ({"display_name": "\u200b"}, "invalid_input"),
        ({"roles": ["admin"]}, "invalid_input"),
        ({"locale": "??"}, "invalid_input"),
    ],
)
async def test_what_is_not_right_is_refused_and_nothing_stored(client, db, changes, code):
    data = body() | changes
    response = await register(client, data)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert await user_id_of(db, data["email"]) is None
