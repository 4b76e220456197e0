"""The real sandbox provider on a real socket, and a real listener for its webhooks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Request, Response, post

from souk.contexts.payments import api as payments
from souk.contexts.payments.api import Gateways, RetryPolicy, SandboxGateway
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database, WriteTx
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
        webhook_secret="whsec_test",
        webhook_url=listener.url,
        public_url=f"http://127.0.0.1:{sandbox_port}",
        hang_seconds=2.5,
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
async def api(
    sandbox_url: str, sandbox_settings: SandboxSettings
) -> AsyncIterator[httpx.AsyncClient]:
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


@pytest.fixture(scope="module")
async def sandbox(
    sandbox_url: str, sandbox_settings: SandboxSettings
) -> AsyncIterator[SandboxGateway]:
    """The adapter, patient enough for a busy machine."""
    gateway = SandboxGateway(
        url=sandbox_url,
        api_key=sandbox_settings.api_key,
        webhook_secret=sandbox_settings.webhook_secret,
        timeout=10.0,
    )
    yield gateway
    await gateway.close()


@pytest.fixture
async def impatient(sandbox_url: str, sandbox_settings: SandboxSettings) -> AsyncIterator[Gateways]:
    """Gives up long before a hanging answer comes."""
    gateway = SandboxGateway(
        url=sandbox_url,
        api_key=sandbox_settings.api_key,
        webhook_secret=sandbox_settings.webhook_secret,
        timeout=0.7,
    )
    gateways = Gateways(
        [gateway], retry=RetryPolicy(attempts=2, first_pause=timedelta(milliseconds=10))
    )
    yield gateways
    await gateways.close()


@pytest.fixture
def gateways(sandbox: SandboxGateway) -> Gateways:
    """A fresh breaker for each test."""
    return Gateways(
        [sandbox], retry=RetryPolicy(attempts=2, first_pause=timedelta(milliseconds=10))
    )


class Book:
    """Starts and follows payments in the database under test."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.actor = system("test")

    async def start(
        self, *, token: str | None = "pm_card_visa", amount: int = 2_500,
        checkout_id: UUID | None = None,
    ) -> payments.PaymentView:  # fmt: skip
        return await self.db.transact(
            lambda tx: payments.start(
                tx,
                self.actor,
                checkout_id=checkout_id or uuid7(),
                amount=Money(amount, "EUR"),
                gateway="sandbox",
                method=payments.PaymentMethod(token=token),
                return_url="http://shop.example/checkout",
            )
        )

    async def record(
        self, payment: payments.PaymentView, outcome: payments.GatewayOutcome
    ) -> payments.PaymentView:
        async def work(tx: WriteTx) -> payments.PaymentView:
            locked = await payments.lock(tx, payment.id)
            return await payments.record(
                tx, self.actor, payment=locked, outcome=outcome, source="test"
            )

        return await self.db.transact(work)

    async def pay(
        self, gateways: Gateways, *, token: str | None = "pm_card_visa", amount: int = 2_500
    ) -> payments.PaymentView:
        started = await self.start(token=token, amount=amount)
        return await self.record(started, await payments.execute(gateways, started))

    async def refund(
        self, payment: payments.PaymentView, amount: int, *, key: str | None = None
    ) -> payments.RefundView:
        return await self.db.transact(
            lambda tx: payments.request_refund(
                tx,
                self.actor,
                payment_id=payment.id,
                amount=Money(amount, "EUR"),
                key=key or uuid7().hex,
                reason="test",
            )
        )

    async def record_refund(
        self, refund: payments.RefundView, outcome: payments.RefundOutcome
    ) -> payments.RefundView:
        return await self.db.transact(
            lambda tx: payments.record_refund(tx, self.actor, refund_id=refund.id, outcome=outcome)
        )

    async def find(self, payment_id: UUID) -> payments.PaymentView:
        async with self.db.read() as conn:
            found = await payments.find(conn, payment_id)
        assert found is not None
        return found

    async def events(self, payment_id: UUID) -> list[str]:
        """The names of what was published about a payment, in order."""
        async with self.db.read() as conn:
            rows = await conn.fetch(
                "SELECT name FROM platform.event WHERE aggregate_id = $1 ORDER BY seq", payment_id
            )
        return [row["name"] for row in rows]


@pytest.fixture(scope="module")
def book(db: Database) -> Book:
    return Book(db)
