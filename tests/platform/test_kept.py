"""Public answers that the process keeps for a moment: fresh, bounded, never anybody's own."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest
from litestar import Response, get

from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access, edge
from souk.platform.http.kept import KeptAnswers

asked: list[str] = []
gate = asyncio.Event()
begun = asyncio.Event()


async def _value(db: Database) -> str:
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT coalesce(max(key), '') FROM platform.idempotency WHERE caller = 'kept'"
        )


@get("/kept", access=access.PUBLIC, shared=60.0)
async def shared_value(db: Database, size: int = 1) -> dict[str, str]:
    asked.append("kept")
    begun.set()
    await gate.wait()
    return {"value": await _value(db), "filling": "x" * size}


@get("/moment", access=access.PUBLIC, shared=0.05)
async def short_lived(db: Database) -> dict[str, str]:
    asked.append("moment")
    return {"value": await _value(db)}


@get("/fresh", access=access.PUBLIC)
async def undeclared(db: Database) -> dict[str, str]:
    asked.append("fresh")
    return {"value": await _value(db)}


@get("/cookie", access=access.PUBLIC, shared=60.0)
async def with_cookie() -> Response[dict[str, str]]:
    asked.append("cookie")
    answer = Response({"a": "b"})
    answer.set_cookie("souk_guest", "secret")
    return answer


@get("/holder", access=access.HOLDER, shared=60.0)
async def of_a_holder() -> str:
    return ""


@get("/caller", access=access.PUBLIC, shared=60.0)
async def of_a_caller(actor: Actor) -> str:
    return actor.label()


@get("/counted", access=access.PUBLIC, shared=60.0, rate="search")
async def counted() -> str:
    return ""


@pytest.fixture
def kept(db):
    return KeptAnswers(db.changes, most=20_000)


@pytest.fixture
def client(services, kept):
    asked.clear()
    gate.set()
    routes = [shared_value, short_lived, undeclared, with_cookie]
    app = edge.build(services, routes=routes, authenticator=None)
    transport = httpx.ASGITransport(edge.Edge(app, services.settings, kept=kept))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def _write(db: Database, key: str) -> None:
    await db.transact(
        lambda tx: tx.execute(
            "INSERT INTO platform.idempotency (caller, key, request_hash, created_at)"
            " VALUES ('kept', $1, '', now())",
            key,
        )
    )


async def test_an_answer_is_made_once_and_has_its_own_request_id(client):
    first = await client.get("/kept")
    again = await client.get("/kept")
    assert asked == ["kept"]
    assert first.content == again.content
    assert first.headers["etag"] == again.headers["etag"]
    assert again.headers["x-content-type-options"] == "nosniff"
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


async def test_what_was_read_is_written_and_the_answer_is_made_anew(client, db):
    before = (await client.get("/kept")).json()["value"]
    await _write(db, f"{before}1")
    assert (await client.get("/kept")).json()["value"] == f"{before}1"


async def test_writing_other_tables_leaves_it(client, db):
    await client.get("/kept")
    await db.transact(lambda tx: tx.execute("DELETE FROM platform.rate_limit"))
    await client.get("/kept")
    assert asked == ["kept"]


async def test_a_write_that_ends_while_the_answer_is_made_makes_it_old(client, db):
    gate.clear()
    begun.clear()
    making = asyncio.create_task(client.get("/kept"))
    await begun.wait()
    await _write(db, "zz-meanwhile")
    gate.set()
    await making
    await client.get("/kept")
    assert asked == ["kept", "kept"]


async def test_what_others_write_shows_when_its_time_is_over(client, db_url):
    await client.get("/moment")
    await client.get("/moment")
    other = await Database.connect(db_url, size=1)
    await _write(other, "zzz-other")
    await other.close()
    await asyncio.sleep(0.06)
    assert (await client.get("/moment")).json()["value"] == "zzz-other"
    assert asked == ["moment", "moment"]


async def test_one_request_renews_and_the_others_wait_for_it(client, db):
    await client.get("/kept")
    await _write(db, "zzzz-renewed")
    gate.clear()
    crowd = [asyncio.create_task(client.get("/kept")) for _ in range(20)]
    await asyncio.sleep(0.05)
    gate.set()
    values = {(await one).json()["value"] for one in crowd}
    assert values == {"zzzz-renewed"}
    assert asked == ["kept", "kept"]


async def test_a_renewal_that_is_cut_off_leaves_nobody_waiting(client, db):
    await client.get("/kept")
    await _write(db, "zzzzz-cut-off")
    gate.clear()
    first = asyncio.create_task(client.get("/kept"))
    second = asyncio.create_task(client.get("/kept"))
    await asyncio.sleep(0.05)
    first.cancel()
    await asyncio.sleep(0.05)
    gate.set()
    assert (await second).json()["value"] == "zzzzz-cut-off"


@pytest.mark.parametrize("header", ["authorization", "cookie", "origin"])
async def test_whoever_may_need_another_answer_is_asked_for(client, header):
    await client.get("/kept")
    await client.get("/kept", headers={header: "x=1"})
    assert asked == ["kept", "kept"]


async def test_answers_with_cookies_and_undeclared_ones_are_never_kept(client, kept):
    for path in ("/cookie", "/cookie", "/fresh", "/fresh"):
        await client.get(path)
    assert asked == ["cookie", "cookie", "fresh", "fresh"]
    assert len(kept) == 0


async def test_refusals_are_never_kept(client, kept):
    assert (await client.get("/kept?size=many")).status_code == 422
    assert len(kept) == 0


async def test_memory_is_bounded_and_the_oldest_leave_first(client, kept):
    for size in range(100):
        await client.get(f"/kept?size={size}", headers={"accept-encoding": "identity"})
    assert 5 < len(kept) < 20
    asked.clear()
    await client.get("/kept?size=99")
    assert asked == []
    await client.get("/kept?size=0")
    assert asked == ["kept"]


async def test_a_client_that_has_it_is_told_so_in_either_encoding(client):
    plain = await client.get("/kept?size=5000", headers={"accept-encoding": "identity"})
    async with client.stream("GET", "/kept?size=5000") as packed:
        raw = b"".join([part async for part in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "accept-encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert gzip.decompress(raw) == plain.content
    for tag in (plain.headers["etag"], packed.headers["etag"]):
        again = await client.get("/kept?size=5000", headers={"if-none-match": tag})
        assert again.status_code == 304
        assert again.content == b""
        assert "content-encoding" not in again.headers
    assert asked == ["kept"]


@pytest.mark.parametrize("route", [of_a_holder, of_a_caller, counted])
def test_only_what_is_blind_to_its_caller_may_be_shared(services, route):
    with pytest.raises(edge.RouteError, match="cannot be shared"):
        edge.build(services, routes=[route], authenticator=None)
