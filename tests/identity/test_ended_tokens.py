"""An access token ends with its session, not ten minutes later."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from souk.contexts.identity import api as identity
from souk.contexts.identity import http_auth
from souk.contexts.identity.tokens import link_token
from souk.kernel.actor import Role, system
from souk.platform.database import Database
from souk.platform.http import edge
from souk.platform.services import Services
from tests.identity.factories import (
    OTHER_PASSWORD,
    PASSWORD,
    Person,
    make_admin,
    make_person,
    newest_link,
)

TEST = system("test")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_auth, "_ASK_EVERY", 0.0)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    app = edge.build(
        services,
        routes=identity.routes,
        authenticator=identity.IdentityAuthenticator(services.db, services.settings),
    )
    transport = httpx.ASGITransport(edge.Edge(app, services.settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made


async def bearer(client: httpx.AsyncClient, person: Person) -> dict[str, str]:
    answer = await client.post(
        "/api/v1/auth/login", json={"email": person.email, "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['tokens']['access_token']}"}


async def opens(client: httpx.AsyncClient, headers: dict[str, str]) -> bool:
    return (await client.get("/api/v1/auth/profile", headers=headers)).status_code == 200


async def test_logging_out(client: httpx.AsyncClient, db: Database) -> None:
    person = await make_person(db)
    mine, phone = await bearer(client, person), await bearer(client, person)
    assert (await client.post("/api/v1/auth/logout", headers=mine)).status_code == 204
    assert not await opens(client, mine)
    assert await opens(client, phone)


async def test_logging_out_everywhere_else(client: httpx.AsyncClient, db: Database) -> None:
    person = await make_person(db)
    mine, stolen = await bearer(client, person), await bearer(client, person)
    ended = await client.delete("/api/v1/auth/sessions", headers=mine)
    assert ended.json() == {"ended": 1}
    assert not await opens(client, stolen)
    assert await opens(client, mine)


async def test_a_password_set_by_a_mailed_link(
    client: httpx.AsyncClient, db: Database, services: Services
) -> None:
    person = await make_person(db)
    stolen = await bearer(client, person)
    await db.transact(lambda tx: identity.request_password_reset(tx, TEST, email=person.email))
    link = await newest_link(db, person.id, "reset")
    assert link is not None
    token = link_token(link, services.settings.secret_key)
    answer = await client.post(
        "/api/v1/auth/reset-password", json={"token": token, "password": OTHER_PASSWORD}
    )
    assert answer.status_code == 204, answer.text
    assert not await opens(client, stolen)


async def test_a_suspended_account(client: httpx.AsyncClient, db: Database) -> None:
    boss, person = await make_admin(db), await make_person(db)
    headers = await bearer(client, person)
    assert await opens(client, headers)
    await db.transact(lambda tx: identity.suspend_user(tx, boss, user_id=person.id, reason="Spam."))
    assert not await opens(client, headers)


async def test_a_role_that_was_taken(client: httpx.AsyncClient, db: Database) -> None:
    boss, person = await make_admin(db), await make_person(db)
    await db.transact(
        lambda tx: identity.grant_role(tx, boss, user_id=person.id, role=Role.SUPPORT)
    )
    headers = await bearer(client, person)
    assert (await client.get("/api/v1/users", headers=headers)).status_code == 200
    await db.transact(
        lambda tx: identity.revoke_role(tx, boss, user_id=person.id, role=Role.SUPPORT)
    )
    assert (await client.get("/api/v1/users", headers=headers)).status_code == 401


async def test_however_many_call_it_is_asked_once_a_second(
    client: httpx.AsyncClient, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await bearer(client, await make_person(db))
    monkeypatch.setattr(http_auth, "_ASK_EVERY", 60.0)
    asked = 0
    usual = http_auth.queries.ended_sessions

    async def count(*args: object, **kwargs: object) -> frozenset[object]:
        nonlocal asked
        asked += 1
        return await usual(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(http_auth.queries, "ended_sessions", count)
    for _ in range(5):
        assert await opens(client, headers)
    assert asked == 1
