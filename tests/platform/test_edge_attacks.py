"""Attacks on what stands in front of every route: addresses, reports, metrics, limits."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
import sentry_sdk
import structlog
from litestar import Litestar, Request, get, post
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from souk.kernel.ids import uuid7
from souk.platform import telemetry
from souk.platform.http import access, edge, health, limits
from souk.platform.http.limits import Limit, neighbourhood
from souk.platform.services import Services
from souk.platform.settings import Settings, load

_WEEK = 604_800


@post("/limited", access=access.PUBLIC, rate="login")
async def limited() -> None: ...


read: list[str] = []


@post("/form", access=access.HOLDER, rate="write")
async def take_form(request: Request[Any, Any, Any]) -> None:
    read.extend(await request.form())


@get("/crash/{key:str}", access=access.PUBLIC)
async def crash(key: str) -> None:
    password = "correct horse"
    raise ZeroDivisionError(len(password) + len(key))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "login", Limit(3, _WEEK, shared=True))
    monkeypatch.setitem(limits.LIMITS, "write", Limit(3, _WEEK, shared=False))


@pytest.fixture
async def fresh(services: Services) -> None:
    await services.db.transact(lambda tx: tx.execute("DELETE FROM platform.rate_limit"))


def client_of(
    services: Services, routes: list[Any], *, peer: str = "127.0.0.1", **changes: Any
) -> httpx.AsyncClient:
    usual = services.settings
    services.settings = msgspec.structs.replace(usual, rate_limit_factor=1.0, **changes)
    try:
        app: Litestar = edge.build(services, routes=routes, authenticator=None)
        transport = httpx.ASGITransport(
            edge.Edge(app, services.settings), client=(peer, 1), raise_app_exceptions=False
        )
    finally:
        services.settings = usual
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


@pytest.mark.usefixtures("few", "fresh")
async def test_a_line_of_ones_own_does_not_hide_the_address_that_the_proxy_saw(
    services: Services,
) -> None:
    """HAProxy appends a second `X-Forwarded-For` line to the one that a caller made up."""
    client = client_of(services, [limited], trusted_proxies=1)
    for number in range(4):
        answer = await client.post(
            "/limited",
            headers=[("x-forwarded-for", f"192.0.2.{number}"), ("x-forwarded-for", "203.0.113.9")],
        )
    assert answer.status_code == 429


@pytest.mark.usefixtures("few", "fresh")
async def test_the_addresses_of_one_customer_are_counted_together(services: Services) -> None:
    client = client_of(services, [limited], trusted_proxies=1)
    for number in range(4):
        headers = {"x-forwarded-for": f"2001:db8:1:2::{number:x}"}
        answer = await client.post("/limited", headers=headers)
    assert answer.status_code == 429
    headers = {"x-forwarded-for": "2001:db8:1:3::1"}
    assert (await client.post("/limited", headers=headers)).status_code == 201


def test_neighbourhoods() -> None:
    assert neighbourhood("198.51.100.7") == "198.51.100.7"
    assert neighbourhood("::ffff:198.51.100.7") == "198.51.100.7"
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff") == "2001:db8::/64"
    assert neighbourhood("unknown") == "unknown"


@pytest.mark.usefixtures("few")
async def test_a_form_is_not_read_past_the_limit(services: Services) -> None:
    """The token may stand in a form of many megabytes: who is past the limit sends it in vain."""
    client = client_of(services, [take_form])
    sent = 0

    async def body() -> Any:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        for _ in range(40):
            sent += 10_000
            yield b"x" * 10_000
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b", "cookie": "a=b"}
    for _ in range(3):
        assert (await client.post("/form", content=body(), headers=headers)).status_code == 403
    sent = 0
    answer = await client.post("/form", content=body(), headers=headers)
    assert answer.status_code == 429
    # A browser that is kept from sending by `Sec-Fetch-Site` uses nothing up.
    other = client_of(services, [take_form], peer="198.51.100.1")
    for _ in range(5):
        answer = await other.post("/form", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403


@post("/signed-in", access=access.SIGNED_IN, idempotent=True, rate="write")
async def signed_in() -> None: ...


@post("/anybody", access=access.PUBLIC, idempotent=True, rate="write")
async def anybody() -> None: ...


@pytest.mark.usefixtures("few")
async def test_keys_of_those_who_are_sent_away_are_not_kept(services: Services) -> None:
    """A row is kept for a day: strangers could fill the database with keys that they make up."""
    client = client_of(services, [signed_in, anybody])

    async def kept() -> int:
        async with services.db.read() as conn:
            return await conn.fetchval("SELECT count(*) FROM platform.idempotency")

    before = await kept()
    for _ in range(5):
        answer = await client.post("/signed-in", headers={"idempotency-key": uuid7().hex})
        assert answer.status_code == 401
    assert await kept() == before
    found = [
        (await client.post("/anybody", headers={"idempotency-key": uuid7().hex})).status_code
        for _ in range(5)
    ]
    assert found == [201, 201, 201, 429, 429]
    assert await kept() == before + 3


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
async def test_a_proxy_on_this_machine_does_not_open_the_metrics(
    services: Services, name: str
) -> None:
    client = client_of(services, health.routes)
    assert (await client.get("/metrics")).status_code == 200
    assert (await client.get("/metrics", headers={name: "203.0.113.9"})).status_code == 403
    far = client_of(services, health.routes, peer="203.0.113.9")
    assert (await far.get("/metrics")).status_code == 403


async def test_the_metrics_token_may_be_wrong_in_any_way(services: Services) -> None:
    client = client_of(services, health.routes, metrics_token="m" * 32)
    assert (await client.get("/metrics")).status_code == 403
    wrong = {"authorization": "Bearer \u00e9".encode("latin-1")}
    assert (await client.get("/metrics", headers=wrong)).status_code == 403
    right = {"authorization": "Bearer " + "m" * 32}
    assert (await client.get("/metrics", headers=right)).status_code == 200


async def test_a_failure_is_logged_without_the_key_in_its_address(services: Services) -> None:
    client = client_of(services, [crash])
    with structlog.testing.capture_logs() as logs:
        answer = await client.get("/crash/a-key-to-a-download?token=a-key-to-an-account")
    assert answer.status_code == 500
    [entry] = [each for each in logs if each["event"] == "unhandled"]
    assert entry["route"] == "/crash/{key}"
    assert "a-key-to" not in str({k: v for k, v in entry.items() if k != "exc_info"})


class Reports(Transport):
    """Where error reports would go."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events.append(dict(envelope.get_event() or {}))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_error_report_has_no_values_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    reports, usual = Reports(), sentry_sdk.init
    monkeypatch.setattr(sentry_sdk, "init", lambda **given: usual(**given, transport=reports))
    settings = Settings(secret_key="k" * 40, sentry_dsn="https://a@sentry.test/1")

    def fail(_settings: Settings, phrase: str) -> None:
        raise ZeroDivisionError(len(phrase))

    key, words = uuid7().hex, uuid7().hex
    address = {"url": f"https://souk.test/downloads/{key}", "query_string": f"token={key}",
               "headers": {"cookie": key}, "method": "GET"}  # fmt: skip
    telemetry._set_up_sentry(settings)
    try:
        with sentry_sdk.new_scope() as scope:
            scope.add_event_processor(lambda event, _hint: event | {"request": dict(address)})
            try:
                fail(settings, words)
            except ZeroDivisionError as error:
                sentry_sdk.capture_exception(error)
        assert "litestar" not in sentry_sdk.get_client().integrations
    finally:
        usual(auto_enabling_integrations=False)
    [event] = reports.events
    assert event["exception"]["values"][0]["type"] == "ZeroDivisionError"
    assert event["request"] == {"method": "GET"}
    for secret in (settings.secret_key, words, key):
        assert secret not in str(event)


def test_production_has_secrets_that_nobody_else_knows() -> None:
    known = Settings()
    base = {
        "SOUK_ENVIRONMENT": "production",
        "SOUK_DATABASE_URL": "postgresql://db.test/souk",
        "SOUK_BASE_URL": "https://souk.test",
        "SOUK_MAIL_URL": "smtp://mail.test:25",
    }
    one = load(base | {"SOUK_SECRET_KEY": "a" * 40})
    other = load(base | {"SOUK_SECRET_KEY": "b" * 40})
    secrets = {
        getattr(each, name)
        for each in (known, one, other)
        for name in ("sandbox_api_key", "sandbox_webhook_secret")
    }
    assert len(secrets) == 6
    assert load(base | {"SOUK_SECRET_KEY": "a" * 40}) == one
    own = {"SOUK_SECRET_KEY": "a" * 40, "SOUK_SANDBOX_WEBHOOK_SECRET": "whsec_my_own"}
    assert load(base | own).sandbox_webhook_secret == "whsec_my_own"
