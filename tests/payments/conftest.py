"""The real sandbox provider on a real socket, and a real listener for its webhooks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Request, Response, post

from souk.platform.database import Database
from souk.sandbox_gateway.app import create_app
from souk.sandbox_gateway.config import SandboxSettings


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def serve(app: Litestar, port: int) -> AsyncIterator[str]:
    """The application on a socket, in this event loop, until the generator is closed."""
    server = Server(app, port=port, interface=Interfaces.ASGI, log_enabled=False)
    task = asyncio.create_task(server.serve())
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    try:
        yield url
    finally:
        server.stop()
        await task


@dataclass
class Received:
    """One webhook as it came in."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """Keeps what it receives and answers as it is told."""

    url: str = ""
    received: list[Received] = field(default_factory=list[Received])
    answers: list[int] = field(default_factory=list[int])

    def about(self, text: str) -> list[Received]:
        """The webhooks whose body mentions `text`."""
        return [one for one in self.received if text.encode() in one.body]

    async def wait_for(self, text: str, count: int = 1) -> list[Received]:
        """At least `count` webhooks about `text`, or a failure after five seconds."""
        for _ in range(250):
            found = self.about(text)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(self.about(text))} of {count} webhooks came for {text}")


@pytest.fixture(scope="module")
async def listener() -> AsyncIterator[Listener]:
    made = Listener()

    @post("/hook")
    async def hook(request: Request[object, object, object]) -> Response[None]:
        made.received.append(Received(dict(request.headers), await request.body()))
        return Response(None, status_code=made.answers.pop(0) if made.answers else 200)

    async for url in serve(Litestar([hook], openapi_config=None), free_port()):
        made.url = f"{url}/hook"
        yield made


@pytest.fixture(scope="module")
def sandbox_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def sandbox_settings(listener: Listener, sandbox_port: int) -> SandboxSettings:
    return SandboxSettings(
        api_key="sk_test_key",
        webhook_secret="whsec_test",  # noqa: S106
        webhook_url=listener.url,
        public_url=f"http://127.0.0.1:{sandbox_port}",
        hang_seconds=0.8,
        slow_seconds=0.3,
        first_retry_seconds=0.0,
    )


@pytest.fixture(scope="module")
async def sandbox_url(
    db: Database, sandbox_settings: SandboxSettings, sandbox_port: int
) -> AsyncIterator[str]:
    async for url in serve(create_app(sandbox_settings, db), sandbox_port):
        yield url


@pytest.fixture(scope="module")
async def api(sandbox_url: str, sandbox_settings: SandboxSettings) -> AsyncIterator[httpx.AsyncClient]:
    """The merchant's client of the provider's JSON interface."""
    async with httpx.AsyncClient(
        base_url=sandbox_url,
        headers={"authorization": f"Bearer {sandbox_settings.api_key}"},
        timeout=5,
    ) as client:
        yield client


@pytest.fixture(scope="module")
async def browser(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A buyer's browser: no key, redirects left for the test to look at."""
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=5) as client:
        yield client


