"""Schemathesis over every documented operation: no failure on our side, every answer documented."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

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
from tests.factories import market as factory
from tests.factories.market import TEST, Market

SECONDS = 80.0
"""The whole run; operations share it evenly."""
EXAMPLES = 50 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
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


async def somebody(market: Market) -> httpx.AsyncClient:
    """A seller who is also an administrator: as many handlers as possible are reached."""
    shop = await market.shop()
    await shop.goods()
    await market.db.transact(
        lambda tx: identity.grant_role(tx, TEST, user_id=shop.owner.id, role=Role.ADMIN)
    )
    transport = httpx.ASGITransport(market._asgi, raise_app_exceptions=False)
    bearer = await market.bearer(shop.owner.id)
    headers = {"authorization": f"Bearer {bearer}"}
    return httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8000", headers=headers, timeout=30
    )


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


def refusals(served: Served, client: httpx.AsyncClient, operation: Any, *, seconds: float) -> str:
    """What generated calls of one operation found; examples stop when its time is over."""
    deadline = time.monotonic() + seconds

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
            case.validate_response(send(served, client, case), checks=CHECKS)

    try:
        run()
    except BaseExceptionGroup as error:
        return " | ".join(str(each) for each in error.exceptions)[:1_200]
    except Exception as error:
        return str(error)[:1_200]
    return ""


def test_every_operation(served: Served) -> None:
    document = served.market.app.openapi_schema.to_schema()
    schema = schemathesis.openapi.from_dict(document)
    client = served.run(somebody(served.market))
    operations = [result.ok() for result in schema.get_all_operations()]
    operations = [one for one in operations if not one.path.startswith(UNSUITED)]
    assert len(operations) > 80
    end = time.monotonic() + SECONDS
    found: dict[str, str] = {}
    for done, operation in enumerate(operations):
        share = max(end - time.monotonic(), 1.0) / (len(operations) - done)
        text = refusals(served, client, operation, seconds=3 * share)
        if text:
            found[operation.label] = text
    served.run(client.aclose())
    assert not found, "\n\n".join(f"{name}: {text}" for name, text in found.items())
