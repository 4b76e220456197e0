"""One effect per Idempotency-Key and caller."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from litestar import post

from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, ErrorKind
from souk.kernel.ids import token, uuid7
from souk.platform.http import access, idempotency

calls: list[str] = []
failures: list[Exception] = []
gates: dict[str, asyncio.Event] = {}


class Taken(DomainError):
    code = "taken"
    kind = ErrorKind.CONFLICT


@post("/work", access=access.PUBLIC, idempotent=True)
async def work(data: dict[str, str]) -> dict[str, int]:
    calls.append(data["name"])
    number = calls.count(data["name"])
    if number == 1 and (gate := gates.get(data["name"])):
        await gate.wait()
    await asyncio.sleep(0.05)
    if failures:
        raise failures.pop()
    return {"calls": number}


@pytest.fixture
def client(make_client):
    return make_client([work])


@pytest.fixture
def body():
    return {"name": uuid7().hex}


def send(client, body, key):
    return client.post("/work", json=body, headers={"idempotency-key": key})


async def test_the_same_key_in_parallel_has_one_effect(client, body):
    key = token()
    answers = await asyncio.gather(*(send(client, body, key) for _ in range(6)))
    assert calls.count(body["name"]) == 1
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 201
    assert set(codes[1:]) <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_still_running"
            assert answer.headers["retry-after"] == "1"
    again = await send(client, body, key)
    assert (again.json(), again.headers["idempotency-replayed"]) == ({"calls": 1}, "true")


async def test_a_run_that_died_frees_its_key_after_a_minute(client, body, db, clock):
    key = token()
    await send(client, body, key)
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE platform.idempotency SET status = NULL, body = NULL WHERE key = $1", key
        )
    )
    clock.advance(timedelta(seconds=59))
    assert (await send(client, body, key)).status_code == 409
    clock.advance(timedelta(seconds=2))
    assert (await send(client, body, key)).json() == {"calls": 2}


@pytest.mark.parametrize("failure", [None, Taken("Taken.")])
async def test_a_slow_run_leaves_the_claim_that_took_over(client, body, clock, failure):
    key = token()
    gate = gates[body["name"]] = asyncio.Event()
    slow = asyncio.create_task(send(client, body, key))
    for _ in range(500):
        if body["name"] in calls:
            break
        await asyncio.sleep(0.01)
    clock.advance(timedelta(seconds=61))
    assert (await send(client, body, key)).json() == {"calls": 2}
    failures.extend([failure] if failure else [])
    gate.set()
    assert (await slow).status_code == (409 if failure else 201)
    again = await send(client, body, key)
    assert (again.json(), again.headers.get("idempotency-replayed")) == ({"calls": 2}, "true")


@pytest.mark.parametrize("failure", [None, KeyError()])
async def test_an_answer_is_told_when_its_key_cannot_be_settled(client, body, db, clock, failure):
    key = token()
    gate = gates[body["name"]] = asyncio.Event()
    locked, free = asyncio.Event(), asyncio.Event()

    async def lock(tx):
        await tx.execute("LOCK TABLE platform.idempotency IN ACCESS EXCLUSIVE MODE")
        locked.set()
        await free.wait()

    sent = asyncio.create_task(send(client, body, key))
    for _ in range(500):
        if body["name"] in calls:
            break
        await asyncio.sleep(0.01)
    locking = asyncio.create_task(db.transact(lock))
    await locked.wait()
    failures.extend([failure] if failure else [])
    gate.set()
    answer = await sent
    free.set()
    await locking
    assert answer.status_code == (500 if failure else 201)
    assert (answer.json().get("code") == "internal") is bool(failure)
    assert (await send(client, body, key)).json()["code"] == "idempotency_still_running"
    clock.advance(timedelta(seconds=61))
    assert (await send(client, body, key)).json() == {"calls": 2}


async def test_answers_are_kept_for_a_day(client, body, db, clock):
    key = token()
    await send(client, body, key)
    clock.advance(timedelta(hours=23))
    await db.transact(idempotency.forget_old)
    assert (await send(client, body, key)).json() == {"calls": 1}
    clock.advance(timedelta(hours=2))
    assert (await send(client, body, key)).json() == {"calls": 2}


@pytest.mark.parametrize(("failure", "status"), [(Taken("Taken."), 409), (KeyError(), 500)])
async def test_failures_that_may_pass_are_not_kept(client, body, failure, status):
    key = token()
    failures.append(failure)
    assert (await send(client, body, key)).status_code == status
    assert (await send(client, body, key)).json() == {"calls": 2}


async def test_keys_belong_to_their_caller(client, body):
    key = token()
    for _ in range(2):
        client.act_as.actor = Actor(kind="user", user_id=uuid7())
        assert "idempotency-replayed" not in (await send(client, body, key)).headers
    assert calls.count(body["name"]) == 2
    other = await send(client, {"name": uuid7().hex}, key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_bad_keys_are_refused(client, body):
    refused = await send(client, body, "x" * 256)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_bad")
    assert body["name"] not in calls
