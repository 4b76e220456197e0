"""`kill -9` of every part of `souk up` at random moments under a load of purchases.

Afterwards every invariant holds, nothing that was paid is lost and nothing is charged twice. With
`SOUK_TEST_DATABASE_URL` the server is not ours to kill: its sessions are terminated instead.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from souk import app as composition
from souk.contexts.listings.domain import Listing
from souk.flows.checkout import jobs
from souk.flows.verify import verify
from souk.kernel.clock import SettableClock
from souk.kernel.ids import token, uuid7
from souk.platform import embedded
from souk.platform.relay import Relay
from souk.platform.services import Services
from souk.platform.settings import Settings
from tests.conftest import fresh_database
from tests.factories import market as factory
from tests.factories.market import HOME
from tests.payments.conftest import free_port

KILLS = int(os.environ.get("KILLS", "20"))
"""Twenty with every change; `KILLS=200` is the long run."""
BUYERS = 4
ENOUGH = 5
"""So many people at least must have bought in spite of it all, or afterwards."""
PATIENCE = 180.0
"""Seconds until something that does not come is given up: a busy machine takes its time."""
CARDS = ["pm_card_visa"] * 6 + ["pm_card_slow", "pm_card_webhook_duplicated", "pm_card_declined"]


@dataclass
class Installation:
    """One `souk up` in a process of its own."""

    folder: Path
    port: int
    sandbox_port: int
    database_url: str = ""
    process: subprocess.Popen[bytes] | None = None
    killed: Counter[str] = field(default_factory=Counter[str])

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "SOUK_ENVIRONMENT": "test",
            "SOUK_DATA_DIR": str(self.folder),
            "SOUK_PORT": str(self.port),
            "SOUK_BASE_URL": f"http://127.0.0.1:{self.port}",
            "SOUK_SANDBOX_PORT": str(self.sandbox_port),
            "SOUK_SANDBOX_URL": f"http://127.0.0.1:{self.sandbox_port}",
            "SOUK_SECRET_KEY": "a-test-secret-key-of-more-than-32-characters",
            "SOUK_RATE_LIMIT_FACTOR": "100000",
            "SOUK_LOG_LEVEL": "warning",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        if self.database_url:
            own["SOUK_DATABASE_URL"] = self.database_url
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SOUK_")}
        return kept | own

    def start(self) -> None:
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "souk.cli", "up"],
                env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return (self.folder / "up.log").read_text(errors="replace")[-4_000:]

    def pids(self, role: str) -> list[int]:
        """The processes of a role: the one that the supervisor started, and its children."""
        assert self.process is not None
        tops = [pid for pid in children(self.process.pid) if f"souk.cli\0{role}" in command(pid)]
        return [pid for top in tops for pid in (top, *children(top))]

    def _server(self) -> list[int]:
        with suppress(OSError, ValueError, IndexError):
            return [int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])]
        return []

    async def kill(self, role: str, chosen: random.Random) -> None:
        """Kill one process of a role, or the whole database server, without any warning. A part
        that still lies where the last blow left it is waited for."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process is not None
            assert self.process.poll() is None, f"the supervisor ended: {self.log()}"
            running = self._server() if role == "postgres" else self.pids(role)
            if running:
                # The file of a dead server may name nobody, until the next one writes its own.
                with suppress(ProcessLookupError):
                    os.kill(chosen.choice(running), signal.SIGKILL)
                    self.killed[role] += 1
                    return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{role} did not come back: {self.log()}")


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(each) for each in text.split()]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


async def ready(url: str, *, seconds: float = PATIENCE) -> None:
    """Until the web answers that all it needs is there."""
    end = time.monotonic() + seconds
    async with httpx.AsyncClient() as client:
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                if (await client.get(f"{url}/ready", timeout=2)).status_code == 200:
                    return
            await asyncio.sleep(0.2)
    raise AssertionError("the web did not come back")


@dataclass
class Load:
    """Guests who buy, again and again, and insist when nobody answers."""

    url: str
    listings: list[Listing]
    chosen: random.Random
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    orders: set[str] = field(default_factory=set[str])
    said: Counter[str] = field(default_factory=Counter[str])

    async def buyer(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=8) as client:
            while not self.stop.is_set():
                await self._purchase(client)

    async def sold(self) -> None:
        """Until enough orders were confirmed to their buyers, or patience ends."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.enough.wait(), PATIENCE)

    async def _purchase(self, client: httpx.AsyncClient) -> None:
        items = [
            {"variant_id": str(listing.variants[0].id), "quantity": self.chosen.randint(1, 2)}
            for listing in self.chosen.sample(self.listings, 2)
        ]
        client.headers["souk-guest"] = token()
        body = {"items": items, "email": "load@buyers.test", "shipping_address": HOME}
        opened = await self._insist(client, "/api/v1/checkouts", body)
        if opened is None or opened.status_code != 201:
            why = "no answer" if opened is None else opened.json().get("code", "")
            self.said[f"not opened: {why}"] += 1
            return
        url = f"/api/v1/checkouts/{opened.json()['id']}/payment"
        paid = await self._insist(client, url, {"method": self.chosen.choice(CARDS)})
        if paid is None:
            self.said["no answer"] += 1
            return
        state = paid.json().get("state") or paid.json().get("code")
        self.said[str(state)] += 1
        if paid.status_code == 200 and paid.json().get("order_id"):
            self.orders.add(paid.json()["order_id"])
            if len(self.orders) >= ENOUGH:
                self.enough.set()

    async def _insist(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any]
    ) -> httpx.Response | None:
        """The same request with the same key, until it is answered or the buyer gives up."""
        headers = {"idempotency-key": uuid7().hex}
        for _ in range(6):
            try:
                answer = await client.post(path, json=body, headers=headers)
            except httpx.HTTPError:
                await asyncio.sleep(0.3)
                continue
            told = answer.status_code < 500
            if told and answer.json().get("code") != "idempotency_still_running":
                return answer
            self.said[f"answered {answer.status_code}"] += 1
            await asyncio.sleep(0.3)
        return None


@asynccontextmanager
async def installation(server_url: str, template: str) -> AsyncIterator[Installation]:
    external = bool(os.environ.get("SOUK_TEST_DATABASE_URL"))
    folder = Path(tempfile.mkdtemp(prefix="souk-kill-"))
    made = Installation(folder, free_port(), free_port())
    async with AsyncExitStack() as stack:
        if external:
            fresh = fresh_database(server_url, template)
            made.database_url = await stack.enter_async_context(fresh)
        stack.callback(embedded.remove, folder)
        stack.callback(made.stop)
        made.start()
        await ready(f"http://127.0.0.1:{made.port}")
        yield made


async def stock_up(url: str) -> list[Listing]:
    clock = SettableClock(datetime.now(UTC))
    async with factory.running(url, clock=clock) as market:
        shops = [await market.shop() for _ in range(2)]
        made = [await shop.goods(stock=400) for shop in shops for _ in range(3)]
        await market.drain()
    return made


async def terminate_sessions(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usename = current_user"
        )
    finally:
        await connection.close()


async def strike(made: Installation, url: str, chosen: random.Random) -> None:
    """Blows at random moments, as many at each part, in a random order."""
    parts = ["serve", "worker", "sandbox", "postgres"]
    plan = [part for _ in range(0, KILLS, 4) for part in chosen.sample(parts, 4)][:KILLS]
    for part in plan:
        await asyncio.sleep(chosen.uniform(0.2, 1.8))
        if part == "postgres" and made.database_url:
            await terminate_sessions(url)
            made.killed["sessions"] += 1
        else:
            await made.kill(part, chosen)


async def settle(built: Services) -> None:
    """What the schedules do in minutes, now: the clock of `built` is ahead."""
    for _ in range(3):
        await jobs.sweep(built)
        await jobs.expire_checkouts(built)
        await jobs.send_refunds(built)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        await Relay(built.db, composition.event_writer()).drain()
        async with built.db.read() as conn:
            waiting = await conn.fetchval("SELECT count(*) FROM platform.delivery WHERE NOT dead")
        if not waiting:
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"{waiting} events were not delivered")


_CHARGED = """
SELECT i.reference, count(*) AS intents, sum(i.amount_captured) AS captured,
  sum(i.amount_refunded) AS refunded, count(DISTINCT p.id) AS orders, max(p.total) AS total
FROM sandbox.intent i LEFT JOIN orders.purchase p ON p.payment_id::text = i.reference
WHERE i.amount_captured > 0 GROUP BY i.reference
"""


async def compare(built: Services, load: Load) -> int:
    """The gateway's own books against ours; returns how many payments there were."""
    async with built.db.read() as conn:
        charged = await conn.fetch(_CHARGED)
        kept = {str(row["id"]) for row in await conn.fetch("SELECT id FROM orders.purchase")}
        twice = await conn.fetch(
            "SELECT p.checkout_id FROM payments.payment p WHERE p.state = 'captured'"
            " GROUP BY p.checkout_id HAVING count(*) FILTER (WHERE p.refunded < p.captured) > 1"
        )
    assert twice == []
    assert load.orders <= kept, "an order that a buyer was told of is not there"
    for row in charged:
        assert row["intents"] == 1, f"payment {row['reference']} was charged more than once"
        if row["orders"] == 1:
            assert row["captured"] == row["total"], row
        else:
            assert row["refunded"] == row["captured"], f"paid and lost: {row}"
    return len(charged)


@pytest.mark.reliability
async def test_kill_at_random_moments(
    server_url: str, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
    chosen = random.Random(seed)
    async with installation(server_url, template) as made:
        socket = f"postgresql://souk@/souk?host={made.folder / 'postgres'}"
        url = made.database_url or socket
        load = Load(f"http://127.0.0.1:{made.port}", await stock_up(url), chosen)
        async with asyncio.TaskGroup() as group:
            for _ in range(BUYERS):
                group.create_task(load.buyer())
            await strike(made, url, chosen)
            await ready(load.url)
            await load.sold()
            load.stop.set()
        settings = Settings(
            environment="test", data_dir=made.folder / "verify", database_url=url,
            secret_key="a-test-secret-key-of-more-than-32-characters",
            base_url=load.url, sandbox_url=f"http://127.0.0.1:{made.sandbox_port}",
        )  # fmt: skip
        later = SettableClock(datetime.now(UTC) + timedelta(minutes=30))
        async with composition.services(settings, role="drain", clock=later) as built:
            await settle(built)
            paid = await compare(built, load)
            found = await verify.violations(built)
        with capsys.disabled():
            seconds = time.monotonic() - started
            print(f"\nseed {seed}, {seconds:.0f} s: killed {dict(made.killed)}, {paid} paid,"
                  f" said {dict(load.said)}")  # fmt: skip
        assert found == [], found
        assert sum(made.killed.values()) == KILLS, made.killed
        assert len(load.orders) >= ENOUGH, (load.said, made.log())
        assert not load.said["answered 500"], "what is out of reach is said to be: 503"
