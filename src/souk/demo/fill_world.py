"""What the filling of a demo marketplace works with: services whose clock is set to the past.

Everything runs the real commands; only the clock is not the machine's, so that the marketplace has
a history of some months.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import msgspec

from souk.contexts.identity import api as identity
from souk.contexts.payments import api as payments
from souk.demo import catalogue
from souk.demo.model import Demo
from souk.kernel.actor import GUEST, Actor, Role, permissions_of
from souk.kernel.clock import SettableClock
from souk.platform.database import Database, WriteTx
from souk.platform.events import EventMeta, EventWriter, Subscription, subscribe
from souk.platform.http.client import Reply
from souk.platform.jobs import JobType
from souk.platform.mail import make_mailer
from souk.platform.relay import Relay
from souk.platform.services import Services
from souk.platform.worker import Worker
from souk.published.identity import EmailTokenIssued
from souk.sandbox_gateway.app import create_app
from souk.sandbox_gateway.config import SandboxSettings

HISTORY = timedelta(days=90)
SET_UP = timedelta(days=10)
PASSWORD = "olive-lantern-harbour"  # noqa: S105 - printed for whoever tries the demo
Report = Callable[[str, int, int | None], None]


class Wiring(msgspec.Struct, frozen=True):
    """What the composition root found in the rooms."""

    subscriptions: Sequence[Subscription]
    job_types: Sequence[JobType]


@dataclass(slots=True)
class Person:
    """An account of the demo. `seller_id` is set for the owner of a shop."""

    user_id: UUID
    name: str
    email: str
    roles: frozenset[Role]
    email_verified: bool
    seller_id: UUID | None = None

    def actor(self) -> Actor:
        return Actor(
            kind="user",
            user_id=self.user_id,
            seller_id=self.seller_id,
            roles=self.roles,
            email_verified=self.email_verified,
            name=self.name,
            permissions=permissions_of(self.roles),
        )


@dataclass(slots=True)
class World:
    """The marketplace being filled. `present` is the real time at which filling began."""

    services: Services
    clock: SettableClock
    relay: Relay
    wiring: Wiring
    demo: Demo
    report: Report
    present: datetime
    password_hash: identity.PasswordHash
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    shops: dict[str, Person] = field(default_factory=dict[str, Person])

    @property
    def db(self) -> Database:
        return self.services.db

    async def run_jobs(self, *, only: str | None = None) -> None:
        """Run queued jobs now, all of them or those of one name."""
        chosen = [each for each in self.wiring.job_types if only in (None, each.name)]
        pool = await asyncpg.create_pool(
            self.services.settings.database_url, min_size=1, max_size=4,
            server_settings={"timezone": "UTC", "synchronous_commit": "off"},
        )  # fmt: skip
        try:
            worker = Worker(pool=pool, services=self.services, job_types=chosen, schedules=[])
            await worker.drain()
        finally:
            await pool.close()


@asynccontextmanager
async def world(real: Services, wiring: Wiring, *, report: Report) -> AsyncGenerator[World]:
    """Services beside `real` on the same database and files, with a clock of their own."""
    present = datetime.now(UTC)
    clock = SettableClock(present - HISTORY - SET_UP)
    writer = EventWriter([*wiring.subscriptions, _reads_mail(real.settings.secret_key)])
    db = await Database.connect(
        _unhurried(real.settings.database_url),
        size=8,
        clock=clock,
        writer=writer,
        application_name="souk demo",
    )
    local = msgspec.structs.replace(real.settings, mail_url="local://")
    built = Services(real.settings, db, real.files, make_mailer(local, db), clock)
    gateways = _gateways(built)
    built.add(gateways)
    try:
        yield World(
            services=built,
            clock=clock,
            relay=Relay(db, writer),
            wiring=wiring,
            demo=catalogue.load(),
            report=report,
            present=present,
            password_hash=await identity.prepare_password(PASSWORD, inputs=[]),
        )
    finally:
        await gateways.close()
        await db.close()


def _unhurried(url: str) -> str:
    """Commits need not wait for the disk: after a crash the demo is filled again."""
    mark = "&" if urlsplit(url).query else "?"
    return f"{url}{mark}synchronous_commit=off"


def _gateways(built: Services) -> payments.Gateways:
    """The real sandbox in this process, without a socket and without webhooks: what is paid here is
    settled by the answers, and the provider keeps its own records of it."""
    settings = msgspec.structs.replace(
        SandboxSettings.from_settings(built.settings), webhook_url=""
    )
    # Litestar and httpx write the same ASGI types down differently.
    app: Any = create_app(settings, built.db)
    transport = httpx.ASGITransport(app)
    url = built.settings.sandbox_url
    sandbox = payments.SandboxGateway(
        url=built.settings.sandbox_url,
        api_key=built.settings.sandbox_api_key,
        webhook_secret=built.settings.sandbox_webhook_secret,
        client=_WithoutSocket(httpx.AsyncClient(transport=transport, timeout=20.0), url),
    )
    return payments.Gateways([sandbox])


class _WithoutSocket:
    """Asks an application in this process."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def ask(
        self, method: str, target: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> Reply:
        url = self._url + target
        answer = await self._client.request(method, url, headers=headers, content=content)
        return Reply(answer.status_code, answer.headers, answer.content)

    async def close(self) -> None:
        await self._client.aclose()


def _reads_mail(secret_key: str) -> Subscription:
    """Everybody in the demo follows the link in the verification mail."""

    async def on_link(tx: WriteTx, event: EmailTokenIssued, _meta: EventMeta) -> None:
        if event.purpose != identity.LinkPurpose.VERIFY:
            return
        token = identity.link_token(event.token_id, secret_key)
        try:
            await identity.verify_email(tx, GUEST, token=token, secret_key=secret_key)
        except identity.LinkInvalid:
            # An interrupted filling is resumed later than links live; a new one is asked for.
            return

    return subscribe("demo.reads_mail", EmailTokenIssued, on_link)
