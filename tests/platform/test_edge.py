from __future__ import annotations

import msgspec
import pytest
from litestar import delete, get, post

from souk.kernel.errors import NotFound
from souk.platform import migrate
from souk.platform.http import access, edge, health


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str


@get("/boom", access=access.PUBLIC)
async def boom() -> None:
    raise NotFound("There is no such thing. Look elsewhere.", thing="x")


@get("/crash", access=access.PUBLIC)
async def crash() -> None:
    raise ZeroDivisionError


@get("/signed-in", access=access.SIGNED_IN)
async def signed_in() -> None: ...


calls: list[str] = []


@post("/once", access=access.PUBLIC, idempotent=True)
async def once(data: Body) -> dict[str, str | int]:
    calls.append(data.name)
    return {"hello": data.name, "calls": len(calls)}


@get("/thing", access=access.PUBLIC)
async def read_thing() -> None: ...


@post("/thing", access=access.SIGNED_IN)
async def change_thing(data: Body) -> None: ...


@delete("/thing", access=access.SIGNED_IN)
async def drop_thing() -> None: ...


@get("/undeclared")
async def undeclared() -> None: ...


@pytest.fixture
def client(make_client):
    return make_client(
        [*health.routes, boom, crash, signed_in, once, read_thing, change_thing, drop_thing]
    )


async def test_refusals_are_problem_details_with_the_request_id(client):
    response = await client.get("/boom")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["code"] == "not_found"
    assert body["thing"] == "x"
    assert body["request_id"] == response.headers["x-request-id"]


async def test_unexpected_errors_say_nothing_of_their_cause(client):
    response = await client.get("/crash")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.text


async def test_a_guest_is_asked_to_log_in(client):
    response = await client.get("/signed-in")
    assert response.status_code == 401
    assert response.json()["code"] == "not_signed_in"


async def test_wrong_bodies_name_the_field(client):
    response = await client.post("/once", json={"name": "a", "extra": 1})
    assert response.status_code == 422
    response = await client.post(
        "/once", content=b"{", headers={"content-type": "application/json"}
    )
    assert response.status_code in {400, 422}


async def test_one_effect_for_one_idempotency_key(client):
    headers = {"idempotency-key": "k1"}
    first = await client.post("/once", json={"name": "ada"}, headers=headers)
    second = await client.post("/once", json={"name": "ada"}, headers=headers)
    other = await client.post("/once", json={"name": "bob"}, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


async def test_etags_save_the_body(client):
    first = await client.get("/health")
    again = await client.get("/health", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


async def test_cookie_changes_need_a_token(client):
    del client.headers["authorization"]
    client.cookies.set("souk_session", "x")
    response = await client.post("/once", json={"name": "ada"})
    assert response.status_code == 403
    assert response.json()["code"] == "csrf_refused"


async def test_cross_site_forms_are_refused_without_any_cookie(client):
    del client.headers["authorization"]
    response = await client.post(
        "/once", data={"name": "ada"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert response.status_code == 403


async def test_ready_names_the_schema(client):
    response = await client.get("/ready")
    assert response.status_code == 200
    assert response.json()["migration"] == migrate.head()


async def test_not_ready_while_the_schema_is_older_and_still_with_a_newer_one(client, db):
    async def at(revision: str):
        await db.transact(
            lambda tx: tx.execute("UPDATE public.alembic_version SET version_num = $1", revision)
        )
        return await client.get("/ready")

    try:
        behind = await at("0001_platform")
        assert (behind.status_code, behind.json()["code"]) == (503, "schema_behind")
        assert "Run `souk migrate`." in behind.json()["detail"]
        assert (await client.get("/health")).status_code == 200
        assert (await at("9999_later")).status_code == 200
    finally:
        assert (await at(migrate.head())).status_code == 200


async def test_scripts_of_chosen_sites_may_call_and_no_others(make_client, services):
    usual = services.settings
    services.settings = msgspec.structs.replace(usual, cors_origins=("https://app.test",))
    try:
        client = make_client([*health.routes, once])
    finally:
        services.settings = usual
    asked = {"access-control-request-method": "POST", "origin": "https://app.test"}
    preflight = await client.options("/once", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://app.test"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    answer = await client.get("/health", headers={"origin": "https://app.test"})
    assert answer.headers["access-control-allow-origin"] == "https://app.test"
    assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
    # Never with cookies, and never for a site that was not chosen.
    assert "access-control-allow-credentials" not in answer.headers
    other = await client.get("/health", headers={"origin": "https://other.test"})
    assert "access-control-allow-origin" not in other.headers


def test_a_route_without_a_rule_stops_the_program(make_client):
    with pytest.raises(edge.RouteError, match="undeclared"):
        make_client([undeclared])


async def test_options_name_every_method_of_a_path(client):
    answer = await client.options("/thing")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "DELETE, GET, OPTIONS, POST"
