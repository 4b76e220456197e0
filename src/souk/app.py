"""The composition root: finds every room's routes, subscriptions, jobs, options; wires them.

A room offers module-level lists: `routes` in `http.py` (or a package of that name, or `pages.py`),
`subscriptions` in `handlers.py`, `job_types` and `schedules` in `jobs.py`, `options` in
`options.py`. Adding a room needs no change here.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import signal
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from types import ModuleType
from typing import Any

import asyncpg
import structlog
from litestar import Litestar
from litestar.types import ASGIApp

import souk.contexts
import souk.flows
import souk.web
from souk import __version__
from souk.contexts.compliance import api as compliance
from souk.contexts.identity import api as identity
from souk.contexts.payments import api as payments
from souk.contexts.search import api as search
from souk.flows.index_listings.indexer import Indexer
from souk.kernel.clock import Clock, SystemClock
from souk.platform import options as operating
from souk.platform import retention
from souk.platform.database import Database
from souk.platform.events import EventWriter, Subscription
from souk.platform.http import edge, health, mailbox
from souk.platform.http import options as options_http
from souk.platform.http.kept import KeptAnswers
from souk.platform.http.served import LEAVE, Served
from souk.platform.jobs import JobType, Schedule
from souk.platform.mail import make_mailer
from souk.platform.relay import Relay
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.platform.storage import FileStore
from souk.platform.upkeep import schedules as platform_schedules
from souk.web.composition import page_options
from souk.web.live.hub import LiveHub

log = structlog.get_logger()
_OFFERS = {"http", "pages", "handlers", "jobs", "options"}


@cache
def _rooms() -> tuple[ModuleType, ...]:
    """Every module that may offer something, in a stable order."""
    offering = [
        found.name
        for package in (souk.contexts, souk.flows, souk.web)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if _OFFERS & set(found.name.split(".")[2:])
    ]
    return tuple(importlib.import_module(name) for name in sorted(offering))


def _collect(attribute: str) -> list[Any]:
    found: dict[int, Any] = {}
    for module in _rooms():
        for item in getattr(module, attribute, ()):
            found.setdefault(id(item), item)
    return list(found.values())


def routes() -> list[Any]:
    """Every route of the program."""
    return [*health.routes, *mailbox.routes, *options_http.routes, *_collect("routes")]


def subscriptions() -> list[Subscription]:
    """Every subscription to an event."""
    return _collect("subscriptions")


def job_types() -> list[JobType]:
    """Every kind of job."""
    return _collect("job_types")


def schedules() -> list[Schedule]:
    """Everything that runs by the clock."""
    return [*platform_schedules, *_collect("schedules")]


def options() -> list[operating.Option[Any] | operating.Flag]:
    """Everything that operators may change while the market runs."""
    return [*operating.options, *retention.options, *_collect("options")]


@cache
def event_writer() -> EventWriter:
    """Knows every subscription."""
    return EventWriter(subscriptions())


@asynccontextmanager
async def services(
    settings: Settings, *, role: str, clock: Clock | None = None
) -> AsyncGenerator[Services]:
    """Everything that the program works with, opened and closed in the right order."""
    async with AsyncExitStack() as stack:
        db = await Database.connect(
            settings.database_url,
            size=settings.database_pool_size,
            clock=clock or SystemClock(),
            writer=event_writer(),
            statement_timeout_ms=settings.statement_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
            application_name=f"souk {role}",
            plan_writes_once=role == "web",
        )
        stack.push_async_callback(db.close)
        built = Services(
            settings, db, FileStore.open(settings), make_mailer(settings, db), db.clock
        )
        built.options.declare(options())
        await built.options.load(db)
        if role in {"web", "worker"}:
            await stack.enter_async_context(_following(built, settings))
        gateways = payments.gateways_from(settings)
        stack.push_async_callback(gateways.close)
        built.add(gateways)
        engine = search.open_engine(settings.index_dir, writer=role == "worker")
        stack.callback(engine.close)
        built.add(engine, as_type=search.SearchEngine)
        yield built


@asynccontextmanager
async def _following(built: Services, settings: Settings) -> AsyncGenerator[None]:
    """Hear of every changed option until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(
        operating.follow(built.options, built.db, settings.database_url, stop)
    )
    try:
        yield
    finally:
        stop.set()
        await task


def build_app(built: Services) -> Litestar:
    """The web application: API and pages."""
    built.options.declare(options())
    return edge.build(
        built,
        routes=routes(),
        authenticator=identity.IdentityAuthenticator(built.db, built.settings),
        provide={
            "gateways": built.get(payments.Gateways),
            "engine": built.get(search.SearchEngine),
            "clock": built.clock,
        },
        version=__version__,
        **page_options(built),
    )


def web_application(settings: Settings) -> ASGIApp:
    """What Granian serves as `souk serve`."""

    async def start(stack: AsyncExitStack) -> ASGIApp:
        built = await stack.enter_async_context(services(settings, role="web"))
        app = edge.Edge(build_app(built), settings, kept=KeptAnswers(built.db.changes))
        hub = built.get(LiveHub)
        stack.push_async_callback(hub.close)
        # The server waits for open answers before it stops, and streams would stay open for long.
        asyncio.get_running_loop().add_signal_handler(LEAVE, hub.end)
        return app

    return Served("web", start)


async def set_up(settings: Settings) -> None:
    """What a migrated database needs before it serves people: the legal documents. Repeatable."""
    db = await Database.connect(settings.database_url, size=2, writer=event_writer())
    try:
        await db.transact(
            lambda tx: compliance.install_defaults(tx, marketplace=settings.marketplace_name)
        )
    finally:
        await db.close()


async def work(settings: Settings) -> None:
    """The worker role: jobs, schedules and the relay, until a signal stops it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await set_up(settings)
    async with services(settings, role="worker") as built:
        pool = await asyncpg.create_pool(
            settings.database_url, min_size=1, max_size=5, server_settings={"timezone": "UTC"}
        )
        try:
            await run_worker(built, pool, stop)
        finally:
            await pool.close()


async def run_worker(
    built: Services, pool: asyncpg.Pool[asyncpg.Record], stop: asyncio.Event
) -> None:
    """Relay and jobs side by side; the first to fail stops the other, and the role restarts."""
    from souk.platform.worker import Worker  # noqa: PLC0415 - web processes never need it

    relay = Relay(built.db, event_writer())
    jobs = Worker(pool=pool, services=built, job_types=job_types(), schedules=schedules())
    async with asyncio.TaskGroup() as group:
        group.create_task(relay.run(stop))
        group.create_task(Indexer(built.db, built.get(search.SearchEngine)).run(stop))
        group.create_task(jobs.run(stop))
    log.info("worker_stopped")


def offered() -> Iterable[str]:
    """The names of the modules that were found, for documents and tests."""
    return [module.__name__ for module in _rooms()]
