"""One PostgreSQL server for the whole run, one database per test module, made from a template
that the real migrations built. `SOUK_TEST_DATABASE_URL` runs everything on an external server."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import structlog
from coverage import Coverage
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from souk.kernel.actor import GUEST, Actor
from souk.kernel.clock import SettableClock
from souk.platform import embedded, migrate
from souk.platform.database import Database
from souk.platform.events import EventWriter
from souk.platform.http import edge
from souk.platform.http.access import Connection
from souk.platform.mail import make_mailer
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.platform.storage import FileStore

# The renderer that structlog takes when nobody configures it prints the locals of every frame.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)
pytest_plugins = ("tests.factories.fixtures",)

_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
for _name, _examples in (("dev", 25), ("ci", 200), ("nightly", 10_000)):
    hypothesis_settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        suppress_health_check=_QUIET,
        # A change is judged by the same examples every time; the nightly run looks for new ones.
        derandomize=_name == "ci",
    )
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TESTS = Path(__file__).parent
_LONGEST = (
    "reliability/test_kill.py", "bench/test_bench.py", "security/test_schemathesis.py",
    "scenarios/test_first_sale.py", "web/test_browser_account.py", "web/test_browser_journeys.py",
    "web/test_browser_admin.py", "web/test_browser_browsing.py", "web/test_browser_sell.py",
    "web/test_browser_operator_acts.py", "web/test_browser_desk.py",
    "web/test_browser_listing.py", "web/test_browser_shop.py", "web/test_browser_reviews.py",
    "reliability/test_race.py", "scenarios/test_walkthrough.py", "demo/test_fill.py",
    "ledger/test_machine.py", "payments/test_machine.py", "inventory/test_machine.py",
    "reviews/test_machine.py", "payments/test_sandbox_role.py", "demo/test_demo_goods.py",
    "security/test_route_matrix.py", "security/test_bad_input.py",
    "flows/import_listings/test_import_kill.py", "listings/importing/test_import_files.py",
)  # fmt: skip
"""Files that take longest, the longest first. A file is the work of one process."""
_UNMEASURED = (
    "bench/", "demo/", "listings/importing/", "platform/", "reliability/", "scenarios/", "search/",
    "security/", "web_unit/", "web/test_admin", "web/test_reference", "web/test_shop.py",
    "inventory/test_machine", "ledger/test_machine", "payments/test_machine",
    "reviews/test_machine",
)  # fmt: skip
"""What tests other things than domain, commands and flows, of which coverage is asked, or what
goes the same ways a thousand times."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_TEMPLATE = "souk_template"
_MEMORY = "/dev/shm"
_ROOMY = 4 * 2**30


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """No test talks to anything but this machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in _LOOPBACK:
            raise AssertionError(f"a test tried to connect to {address[0]}")
        real(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files begin first, so that no process still works on one when the others are done."""
    turns = {_TESTS / name: turn for turn, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


@contextmanager
def unmeasured() -> Iterator[None]:
    """Without coverage, which takes as long again as what it watches."""
    measurement = Coverage.current()
    if measurement is not None:
        measurement.stop()
    try:
        yield
    finally:
        if measurement is not None:
            measurement.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Only the tests that coverage is asked of are measured."""
    name = item.path.relative_to(_TESTS).as_posix()
    with unmeasured() if name.startswith(_UNMEASURED) else nullcontext():
        return (yield)


def with_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Tests have the same names in every process, also those that are tried with a new id."""
    if isinstance(val, str | uuid.UUID) and _UUID.search(str(val)):
        return _UUID.sub("id", str(val))
    return None


def in_memory() -> str | None:
    """A file system in memory, if there is a roomy one: a hundred databases come and go."""
    with suppress(OSError):
        if shutil.disk_usage(_MEMORY).free >= _ROOMY:
            return _MEMORY
    return None


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of the server's maintenance database."""
    external = os.environ.get("SOUK_TEST_DATABASE_URL")
    if external:
        yield external
        return
    folder = Path(tempfile.mkdtemp(prefix="souk-test-pg-", dir=in_memory()))
    server = embedded.start(folder / "data", durable=False, max_connections=300)
    yield server.url.replace("/souk?", "/postgres?")
    server.stop()
    embedded.remove(folder)


async def _admin(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def template(server_url: str) -> str:
    """A migrated database that others are copied from."""
    name = f"{_TEMPLATE}_{uuid.uuid4().hex[:8]}"
    await _admin(server_url, f"CREATE DATABASE {name}")
    await asyncio.to_thread(migrate.upgrade, with_database(server_url, name))
    return name


@asynccontextmanager
async def fresh_database(server_url: str, template: str) -> AsyncIterator[str]:
    """The URL of a new migrated database, dropped afterwards."""
    name = f"souk_t_{uuid.uuid4().hex[:12]}"
    await _admin(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield with_database(server_url, name)
    finally:
        await _admin(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def db_url(server_url: str, template: str) -> AsyncIterator[str]:
    async with fresh_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def clock() -> SettableClock:
    """Starts at the real present, to the second, and stands still until moved."""
    return SettableClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(scope="module")
def event_writer() -> EventWriter:
    """No subscribers; a module that tests delivery overrides this."""
    return EventWriter()


@pytest.fixture(scope="module")
async def db(
    db_url: str, clock: SettableClock, event_writer: EventWriter
) -> AsyncIterator[Database]:
    database = await Database.connect(
        db_url, clock=clock, writer=event_writer, plan_writes_once=True
    )
    yield database
    await database.close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        environment="test",
        data_dir=tmp_path_factory.mktemp("data"),
        secret_key="a-test-secret-key-of-more-than-32-characters",
        rate_limit_factor=1_000.0,
    )


@pytest.fixture(scope="module")
def services(db: Database, clock: SettableClock, settings: Settings) -> Services:
    files = FileStore.in_folder(settings.data_dir / "files")
    return Services(settings, db, files, make_mailer(settings, db), clock)


class ActAs:
    """Stands in for identity in tests of one context: every request comes from `actor`."""

    def __init__(self) -> None:
        self.actor: Actor = GUEST

    async def authenticate(self, connection: Connection) -> Actor:
        return self.actor


class Client(httpx.AsyncClient):
    """Calls routes in this process; `act_as.actor` says who calls."""

    act_as: ActAs


@pytest.fixture
def make_client(services: Services) -> Callable[[Sequence[Any]], Client]:
    """`make_client(http.routes)`: a client of just these routes."""

    def make(routes: Sequence[Any], **state: object) -> Client:
        act_as = ActAs()
        app = edge.build(services, routes=routes, authenticator=act_as, state=dict(state))
        transport = httpx.ASGITransport(
            edge.Edge(app, services.settings), raise_app_exceptions=True
        )
        client = Client(
            transport=transport,
            base_url="http://127.0.0.1:8000",
            headers={"authorization": "Bearer test"},
        )
        client.act_as = act_as
        return client

    return make
