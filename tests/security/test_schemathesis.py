"""Schemathesis over every documented operation: no failure on our side, every answer documented."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from souk.contexts.identity import api as identity
from souk.kernel.actor import Role
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from tests.factories import market as factory
from tests.factories.market import HOME, TEST, Market
from tests.security.examples import Examples, Ids

SECONDS = 80.0
"""The whole run; operations share it evenly."""
EXAMPLES = 50 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
REACHED = 0.6
"""The share of operations that answer one of their own examples or generated calls with a 2xx."""
UNSUITED = ("/api/v1/auth/logout", "/api/v1/auth/sessions", "/api/v1/auth/password", "/metrics")
"""Ending the session that makes the calls would leave nothing to test."""


class Served:
    """The application on an event loop of its own, called from synchronous examples."""

    def __init__(self, url: str, clock: SettableClock) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self._running = factory.running(url, clock=clock)
        self.market: Market = self.run(self._running.__aenter__())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    def close(self) -> None:
        self.run(self._running.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)


@pytest.fixture(scope="module")
def served(db_url: str, clock: SettableClock) -> Iterator[Served]:
    made = Served(db_url, clock)
    yield made
    made.close()


@dataclass
class Caller:
    """Somebody with a session, and the ids of what is theirs and of what they may reach."""

    http: httpx.AsyncClient
    ids: Ids


async def caller(market: Market, user_id: UUID, ids: Ids) -> Caller:
    transport = httpx.ASGITransport(market._asgi, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {await market.bearer(user_id)}"}
    base = "http://127.0.0.1:8000"
    http = httpx.AsyncClient(transport=transport, base_url=base, headers=headers, timeout=30)
    return Caller(http, ids)


async def callers(market: Market) -> list[Caller]:
    """A seller who is also an administrator, and a buyer: as many handlers as possible are reached.

    Each has one of everything; what an operator takes away belongs to somebody else.
    """
    shop, other = await market.shop(), await market.shop("Moss")
    goods, spare, file = await shop.goods(), await shop.goods(), await shop.download()
    buyer, person = await market.member()
    bought = [await buyer.buy((goods, 1)) for _ in range(2)]
    await market.db.transact(
        lambda tx: identity.grant_role(tx, TEST, user_id=shop.owner.id, role=Role.ADMIN)
    )
    open_checkout = await buyer.checkout((goods, 1))
    await buyer.add(goods)
    _, stranger = await market.member()
    staff = await caller(market, shop.owner.id, {})
    made = await furnish(staff.http)
    await market.drain()
    common = made | {
        "listing_id": str(spare.id),
        "key": str(goods.id),
        "variant_id": str(goods.variants[0].id),
        "user_id": str(stranger.id),
        "seller_id": str(other.seller_id),
        "slug": f"fern-{uuid7().hex[-8:]}",
    }
    staff.ids = common | {
        "order_id": bought[0]["id"],
        "seller_order_id": bought[0]["seller_orders"][0]["id"],
        "image_id": str(spare.images[0].id),
        "file_id": str(file.files[0].id) if file.files else str(uuid7()),
    }
    own = common | {
        "order_id": bought[1]["id"],
        "seller_order_id": bought[1]["seller_orders"][0]["id"],
        "checkout_id": open_checkout["id"],
    }
    return [staff, await caller(market, person.id, own)]


FURNITURE = (
    ("category_id", "/api/v1/categories", {"name": "Ferns"}),
    ("parent_id", "/api/v1/categories", {"name": "Green"}),
    ("into", "/api/v1/categories", {"name": "Leaves"}),
    ("attribute_id", "/api/v1/attributes", {"code": "size", "name": "Size", "type": "text"}),
    ("species_id", "/api/v1/species", {"scientific_name": "Olea europaea"}),
    ("address_id", "/api/v1/addresses", {"address": HOME}),
    ("method_id", "/api/v1/shipping-methods",
     {"name": "Parcel", "currency": "EUR", "rates": [{"countries": ["DE"], "amount": 490}]}),
)  # fmt: skip


async def furnish(http: httpx.AsyncClient) -> Ids:
    """Things that are made through the API itself, by the parameter that names them."""
    made: Ids = {}
    for name, path, body in FURNITURE:
        answer = await http.post(path, json=body)
        if answer.status_code in {200, 201} and "id" in answer.json():
            made[name] = answer.json()["id"]
    run = await http.post(
        "/api/v1/imports?filename=goods.csv",
        content=b"external_id,title,price\na,Fern,5\n",
        headers={"content-type": "text/csv"},
    )
    if run.status_code in {200, 201}:
        made["run_id"] = run.json()["id"]
    return made


def known(case: Any, ids: Ids, *, turn: int) -> None:
    """Every other call is about something that exists."""
    if turn % 2:
        for name in case.path_parameters or {}:
            if name in ids:
                case.path_parameters[name] = ids[name]


def send(served: Served, client: httpx.AsyncClient, case: Any) -> Any:
    """One generated call, with its answer in the shape that the checks read."""
    arguments = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
    headers = {
        name: value
        for name, value in dict(arguments.get("headers") or {}).items()
        if name.lower() != "authorization"
    }
    request = client.build_request(
        arguments["method"],
        arguments["url"],
        params=arguments.get("params"),
        json=arguments.get("json"),
        content=arguments.get("data") if isinstance(arguments.get("data"), bytes) else None,
        headers=headers,
        cookies=arguments.get("cookies"),
    )
    return served.run(client.send(request))


@dataclass
class Tried:
    """What calls of one operation found, and the statuses with which they were answered."""

    failure: str = ""
    statuses: set[int] = field(default_factory=set[int])


def generated(served: Served, who: list[Caller], operation: Any, *, seconds: float) -> Tried:
    """Generated calls of one operation, by each caller in turn; they stop when its time is over."""
    deadline = time.monotonic() + seconds
    tried, turns = Tried(), itertools.count()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        if time.monotonic() < deadline:
            turn = next(turns)
            caller = who[turn // 2 % len(who)]
            known(case, caller.ids, turn=turn)
            answer = send(served, caller.http, case)
            tried.statuses.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

    try:
        run()
    except BaseExceptionGroup as error:
        tried.failure = " | ".join(str(each) for each in error.exceptions)[:1_200]
    except Exception as error:
        tried.failure = str(error)[:1_200]
    return tried


def exemplary(served: Served, who: list[Caller], operation: Any, document: Any) -> Tried:
    """The operation's own example by each caller, until one succeeds."""
    tried = Tried()
    raw = document["paths"][operation.path][operation.method]
    for caller in who:
        arguments = Examples(document, caller.ids).request(operation.path, operation.method, raw)
        answer = served.run(caller.http.send(caller.http.build_request(**arguments)))
        tried.statuses.add(answer.status_code)
        if answer.status_code >= 500 or str(answer.status_code) not in raw["responses"]:
            tried.failure = f"{arguments} answered {answer.status_code}: {answer.text[:400]}"
        if answer.is_success:
            break
    return tried


ENDS = ("archive", "cancel", "merge", "flag", "reject", "suspend", "undo", "refuse-return")


def _ends(path: str) -> bool:
    return path.endswith(ENDS)


ORDER = {"get": 0, "post": 1, "put": 2, "patch": 3, "delete": 4}


def test_every_operation(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    document = served.market.app.openapi_schema.to_schema()
    schema = schemathesis.openapi.from_dict(document)
    who = served.run(callers(served.market))
    operations = [result.ok() for result in schema.get_all_operations()]
    operations = [one for one in operations if not one.path.startswith(UNSUITED)]
    assert len(operations) > 80
    end = time.monotonic() + SECONDS
    # Examples first, and what takes things away last, while what they name is still there.
    gentle = sorted(operations, key=lambda one: (_ends(one.path), ORDER.get(one.method, 0)))
    tried = {one.label: exemplary(served, who, one, document) for one in gentle}
    for done, operation in enumerate(operations):
        share = max(end - time.monotonic(), 1.0) / (len(operations) - done)
        more = generated(served, who, operation, seconds=3 * share)
        one = tried[operation.label]
        one.statuses |= more.statuses
        one.failure = one.failure or more.failure
    for each in who:
        served.run(each.http.aclose())
    found = {name: one.failure for name, one in tried.items() if one.failure}
    assert not found, "\n\n".join(f"{name}: {text}" for name, text in found.items())
    missed = {
        name: sorted(one.statuses)
        for name, one in tried.items()
        if not any(200 <= status < 300 for status in one.statuses)
    }
    reached = len(tried) - len(missed)
    with capsys.disabled():
        print(f"\n{reached} of {len(tried)} operations answered a call with success")
        if os.environ.get("SCHEMA_REPORT"):
            print("\n".join(f"{name}: {statuses}" for name, statuses in missed.items()))
    assert reached >= REACHED * len(tried), missed
