"""The whole application in this process, and visitors with cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from html import unescape
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from souk import app as composition
from souk.contexts.identity import api as identity
from souk.contexts.payments import api as payments
from souk.contexts.search import api as search
from souk.kernel.actor import GUEST
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.events import EventWriter
from souk.platform.http import edge
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.sandbox_gateway.app import create_app
from souk.sandbox_gateway.config import SandboxSettings
from tests.conftest import fresh_database, unmeasured
from tests.payments.conftest import free_port, serve
from tests.web import world as worlds

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Response

    from tests.web.live import Market
    from tests.web.visits import Person, Visit, Way

PASSWORD = "a quiet market at seven in the morning"


@pytest.fixture(scope="module")
def event_writer() -> EventWriter:
    return composition.event_writer()


class Visitor(httpx.AsyncClient):
    """A browser without scripts: keeps cookies, follows no redirect by itself."""

    async def page(self, url: str, *, status: int = 200) -> str:
        """The page's HTML."""
        answer = await self.get(url)
        assert answer.status_code == status, (answer.status_code, answer.text[:2_000])
        return answer.text

    async def submit(self, url: str, data: dict[str, Any] | None = None) -> httpx.Response:
        """Post a form with the token of the cookie, as every form of ours holds it."""
        if "souk_csrf" not in self.cookies:
            await self.get("/login")
        form = {"_csrf": self.cookies["souk_csrf"], **(data or {})}
        return await self.post(url, data=form)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    port = free_port()
    return Settings(
        environment="development",
        data_dir=tmp_path_factory.mktemp("data"),
        secret_key="a-test-secret-key-of-more-than-32-characters",
        rate_limit_factor=1_000.0,
        sandbox_port=port,
        sandbox_url=f"http://127.0.0.1:{port}",
    )


@pytest.fixture(scope="module")
async def gateway(settings: Settings, db: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The sandbox gateway on its socket, and the buyer's browser for its pages."""
    app = create_app(SandboxSettings.from_settings(settings), db)
    async for url in serve(app, settings.sandbox_port):
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
            yield client


@pytest.fixture(scope="module")
async def app(services: Services) -> AsyncIterator[edge.Edge]:
    """The application as it is served, pages and API."""
    engine = search.open_engine(services.settings.index_dir, writer=True)
    gateways = payments.gateways_from(services.settings)
    services.add(engine, as_type=search.SearchEngine)
    services.add(gateways)
    with unmeasured():
        built = composition.build_app(services)
    yield edge.Edge(built, services.settings)
    await gateways.close()
    engine.close()


@pytest.fixture(scope="module")
async def world(app: edge.Edge, services: Services) -> worlds.World:
    made = await worlds.build(services.db, services.files)
    await worlds.index(services.db, services.get(search.SearchEngine))
    return made


@pytest.fixture
async def visitor(app: edge.Edge) -> AsyncIterator[Visitor]:
    async with _visitor(app) as made:
        yield made


@pytest.fixture
async def other(app: edge.Edge) -> AsyncIterator[Visitor]:
    """Somebody else."""
    async with _visitor(app) as made:
        yield made


def _visitor(app: edge.Edge) -> Visitor:
    return Visitor(
        transport=httpx.ASGITransport(cast("Any", app)),
        base_url="http://127.0.0.1:8000",
        headers={"accept": "text/html", "accept-language": "en"},
    )


Member = Callable[[Visitor], Awaitable[str]]


@pytest.fixture
def join(db: Database, settings: Settings) -> Member:
    """`await join(visitor)`: has a verified account and is logged in; answers the address."""

    async def work(visitor: Visitor) -> str:
        email = f"buyer-{uuid7().hex[-10:]}@example.com"
        hashed = await identity.prepare_password(PASSWORD, inputs=[])
        await db.transact(
            lambda tx: identity.register(
                tx, GUEST, email=email, password_hash=hashed, display_name="Anna Buyer"
            )
        )
        answer = await visitor.submit("/login", {"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text[:1_000]
        return email

    return work


# Browser tests. Playwright is imported by those alone, which may be left out.


@pytest.fixture(scope="session")
async def market_db_url(server_url: str, template: str) -> AsyncIterator[str]:
    async with fresh_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="session")
def market(market_db_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """`souk up`, shared by all tests that change nothing of what others look at."""
    from tests.web.live import require_browser, running

    require_browser()
    with running(tmp_path_factory.mktemp("market"), market_db_url) as made:
        yield made


@pytest.fixture(scope="module")
def browser(market: Market) -> Iterator[Browser]:
    """Of a module only: while it is open, this thread can run no other loop."""
    from playwright.sync_api import sync_playwright

    from tests.web.live import launched

    assert market.url
    with sync_playwright() as driver:
        made = launched(driver)
        yield made
        made.close()


Visits = Callable[..., "Visit"]


@pytest.fixture
def visit(browser: Browser, market: Market) -> Iterator[Visits]:
    """`visit(NARROW, person)`: a new profile's page, logged in as the person if there is one."""
    from tests.web import visits

    opened: list[BrowserContext] = []
    broken: list[str] = []

    def note(answer: Response) -> None:
        if answer.status >= 500:
            broken.append(f"{answer.status} {answer.url}")

    def make(way: Way = visits.WIDE, person: Person | None = None) -> Visit:
        context = visits.context_for(browser, way)
        context.on("response", note)
        opened.append(context)
        if person is not None:
            person.enter(context, market)
        return visits.Visit(context.new_page(), market, way)

    yield make
    for context in opened:
        context.close()
    # A page that failed may still say the one sentence that a test waits for.
    assert broken == []


def text_of(html: str) -> str:
    """What is written on a page, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
