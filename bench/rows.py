"""Measures every row of the table on one place, and what the yardsticks do beside it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import shopping, stand, statements
from bench.alone import Alone
from bench.caller import Caller
from bench.importing import write_products
from bench.load import Load, Step, connect, drive, getting, getting_anew, request, run
from bench.place import Place, inside
from bench.statements import Sent, captured
from bench.weight import Weight, page_weight
from souk import app as composition
from souk.flows.import_listings import command

ROUNDS = 3
WARM_UP = 0.5
WORKED = 10.0
"""Seconds that the worker has for what a run of load left it."""
PURCHASES = 100
IMPORTED = 5_000
Say = Callable[[str], None]


class Row(msgspec.Struct, kw_only=True):
    """One line of the table: medians over the rounds; times in milliseconds."""

    name: str
    rate: float
    of_hello: float
    cpu: float
    p50: float
    p95: float
    client_cpu: float
    statements: int | None = None
    yardstick: float | None = None
    """Units a second when only the statements are sent."""


class Sizes(msgspec.Struct, kw_only=True):
    """Memory in bytes, start in seconds."""

    web_idle: int
    worker_idle: int
    sandbox_idle: int
    web_loaded: int
    worker_loaded: int
    sandbox_loaded: int
    start: float

    @property
    def loaded(self) -> int:
        """All roles after load, the database aside."""
        return self.web_loaded + self.worker_loaded + self.sandbox_loaded


class Result(msgspec.Struct, kw_only=True):
    """Everything that was measured at one size."""

    listings: int
    past_orders: int
    fill_seconds: float
    migrate_seconds: float
    rows: list[Row]
    sizes: Sizes
    pages: list[Weight]
    alone: list[Alone]
    import_rate: float


def _has_route(path: str) -> bool:
    return any(path in getattr(route, "paths", ()) for route in composition.routes())


def _steps(place: Place, tag: str) -> dict[str, Step]:
    market = place.market
    details = [f"/api/v1/listings/{slug}" for slug in market.slugs]
    pages = [f"/api/v1/listings?category={slug}" for slug in market.categories]
    found: dict[str, Step] = {
        "hello": getting("/health"),
        "list of 20, not cached": getting_anew("/api/v1/listings"),
        "list of 20 in a category, not cached": getting_anew(pages),
        "list of 20, from cache": getting("/api/v1/listings"),
        "list of 20, from cache, not changed (304)": getting(
            "/api/v1/listings", status=304, headers={"if-none-match": tag}
        ),
        "detail, not cached": getting_anew(details),
        "detail, from cache": getting(details[:20]),
        "add to cart": shopping.adding(market),
        "whole purchase, session to order": shopping.buying(market, with_cart=False),
        "whole purchase, filling the cart included": shopping.buying(market, with_cart=True),
    }
    if _has_route("/api/v1/listings/search"):
        words = [f"/api/v1/listings/search?q={word}" for word in market.words[:20]]
        found["search page of 20 with facets"] = shopping.searching(market)
        found["search page of 20 with facets, asked again"] = getting(words)
    if _has_route("/listing/{slug:str}"):
        pages = [f"/listing/{slug}" for slug in market.slugs]
        html = {"accept": "text/html"}
        found["HTML listing page, signed out"] = getting(pages[:20], headers=html)
        found["HTML listing page, every one another"] = getting(pages[20:], headers=html)
    return found


async def _tag(port: int) -> str:
    connection = await connect(port)
    answer = await connection.ask(request("GET", "/api/v1/listings"))
    connection.close()
    return answer.header("etag")


Measured = tuple[list[Row], Sizes, list[Weight]]


def measure(place: Place, *, seconds: float, say: Say) -> Measured:
    """Load on the running program, in rounds that each begin with hello."""
    _start_once(place)
    starts = [_start_once(place) for _ in range(ROUNDS)]
    with stand.running(place.settings, worker=True) as roles:
        time.sleep(3)
        idle = {name: role.memory() for name, role in roles.items()}
        roles.pop("worker").stop()
        pages = run(_weights(place))
        steps = _steps(place, run(_tag(place.settings.port)))
        rounds: dict[str, list[tuple[Load, float, float]]] = {name: [] for name in steps}
        first = int(time.time()) * 1_000
        for number in range(ROUNDS):
            hello = 1.0
            for name, step in steps.items():
                first += 1_000_000
                load, cpu = _one(place, roles["serve"], step, seconds=seconds, first=first)
                hello = load.rate if name == "hello" else hello
                rounds[name].append((load, cpu, load.rate / hello))
                say(f"round {number + 1}: {name} {load.rate:,.0f}/s, {cpu * 1_000:.3f} ms CPU")
        # What was bought gives the worker events to deliver and webhooks to act on.
        roles["worker"] = stand.start("worker", place.settings, port=None)
        time.sleep(WORKED)
        loaded = {name: role.memory() for name, role in roles.items()}
        sizes = Sizes(
            web_idle=idle["serve"],
            worker_idle=idle["worker"],
            sandbox_idle=idle["sandbox"],
            web_loaded=loaded["serve"],
            worker_loaded=loaded["worker"],
            sandbox_loaded=loaded["sandbox"],
            start=statistics.median(starts),
        )
    return [_row(name, seen) for name, seen in rounds.items()], sizes, pages


async def _weights(place: Place) -> list[Weight]:
    slug, port = place.market.slugs[0], place.settings.port
    pages = {"front page": "/", "listing": f"/listing/{slug}", "search": "/search?q=fern"}
    return [await page_weight(port, name, path) for name, path in pages.items()]


def _start_once(place: Place) -> float:
    role = stand.start("serve", place.settings, port=place.settings.port)
    role.stop()
    return role.seconds_to_ready


def _one(
    place: Place, web: stand.Role, step: Step, *, seconds: float, first: int
) -> tuple[Load, float]:
    run(drive(place.settings.port, step, seconds=min(WARM_UP, seconds), first=first + 500_000))
    before = web.cpu_seconds()
    load = run(drive(place.settings.port, step, seconds=seconds, first=first))
    return load, (web.cpu_seconds() - before) / len(load.latencies)


def _row(name: str, seen: list[tuple[Load, float, float]]) -> Row:
    def middle(value: Callable[[Load], float]) -> float:
        return statistics.median(value(load) for load, _, _ in seen)

    return Row(
        name=name,
        rate=middle(lambda load: load.rate),
        of_hello=statistics.median(share for _, _, share in seen),
        cpu=statistics.median(cpu for _, cpu, _ in seen) * 1_000,
        p50=middle(lambda load: load.quantile(0.5)) * 1_000,
        p95=middle(lambda load: load.quantile(0.95)) * 1_000,
        client_cpu=middle(lambda load: load.client_cpu / len(load.latencies)) * 1_000,
    )


async def _units(place: Place, *, purchases: int) -> dict[str, list[list[Sent]]]:
    """The statements of single answers, from the application in this process."""
    market = place.market
    units: dict[str, list[list[Sent]]] = {}
    async with captured() as seen, inside(place) as built:
        caller = Caller(built)
        await caller.ask("GET", "/api/v1/listings")
        seen.take()
        reads = {
            "list of 20, not cached": "/api/v1/listings",
            "list of 20 in a category, not cached": (
                f"/api/v1/listings?category={market.categories[0]}"
            ),
            "search page of 20 with facets": "/api/v1/listings/search?q=fern",
        }
        for name, path in reads.items():
            await caller.ask("GET", path)
            seen.take()
            await caller.ask("GET", path)
            units[name] = [seen.take()]
        units["detail, not cached"] = []
        for slug in market.slugs[:200]:
            await caller.ask("GET", f"/api/v1/listings/{slug}")
            units["detail, not cached"].append(seen.take())
        html = "HTML listing page, signed out"
        await caller.ask("GET", f"/listing/{market.slugs[0]}")
        units[html] = [seen.take()]
        units["add to cart"] = []
        for number in range(1_000):
            await _put(caller, place, number)
            units["add to cart"].append(seen.take())
        baskets = shopping.separate_baskets(market, 2 * purchases)
        for name, with_cart in (
            ("whole purchase, session to order", False),
            ("whole purchase, filling the cart included", True),
        ):
            units[name] = []
            for chosen in baskets[with_cart::2]:
                await _buy(caller, chosen, with_cart=with_cart)
                units[name].append(seen.take())
    return units


_ONCE = {
    "add to cart",
    "whole purchase, session to order",
    "whole purchase, filling the cart included",
}
"""Rows whose statements write what can be written only once."""
_STAMP = time.time_ns()


async def _put(caller: Caller, place: Place, number: int) -> None:
    variants = place.market.variants
    body = {"variant_id": str(variants[number % len(variants)][0]), "quantity": 1}
    guest = f"statements-{_STAMP}-{number // 10}"
    status, answer = await caller.ask("POST", "/api/v1/cart/items", body=body, guest=guest)
    assert status == 200, answer


async def _buy(caller: Caller, chosen: list[str], *, with_cart: bool) -> None:
    guest = f"statements-{time.time_ns()}"
    for variant in chosen if with_cart else []:
        body = {"variant_id": variant, "quantity": 1}
        await caller.ask("POST", "/api/v1/cart/items", body=body, guest=guest)
    await _pay(caller, shopping.opening(None if with_cart else chosen), guest=guest)


async def _pay(caller: Caller, opening: dict[str, object], *, guest: str) -> None:
    status, answer = await caller.ask("POST", "/api/v1/checkouts", body=opening, guest=guest)
    assert status == 201, answer
    path = f"/api/v1/checkouts/{msgspec.json.decode(answer)['id']}/payment"
    paying = {"method": shopping.CARD}
    status, answer = await caller.ask("POST", path, body=paying, guest=guest)
    assert status == 200, answer


def yardsticks(place: Place, rows: list[Row], *, seconds: float, say: Say) -> None:
    """Count the statements of each row, and see how fast they alone would be."""
    name = "souk_bench_copy"
    url = place.settings.database_url
    copy = asyncio.run(statements.copy_database(url, name))
    with stand.running(place.settings, web=False):
        units = asyncio.run(_units(place, purchases=PURCHASES))
    try:
        for row in rows:
            found = units.get(row.name)
            if not found:
                continue
            row.statements = statistics.median_low([len(unit) for unit in found])
            once = row.name in _ONCE
            if row.statements:
                load = run(
                    statements.replay(copy, found, seconds=None if once else min(seconds, 2))
                )
                row.yardstick = load.rate
                say(f"{row.name}: {row.statements} statements, {load.rate:,.0f}/s alone")
    finally:
        asyncio.run(statements.drop_database(url, name))


def import_rate(place: Place) -> float:
    """Products a second of the real importer, from a CSV file of our own format."""
    file = Path(place.settings.data_dir) / "import.csv"
    write_products(file, count=IMPORTED)

    async def work() -> float:
        async with inside(place) as built:
            began = time.perf_counter()
            said = await command.run_file(
                built, file, seller_slug="shop-1", preview=False, report=lambda *_: None
            )
            took = time.perf_counter() - began
        assert f"{IMPORTED:,}" in said or str(IMPORTED) in said, said
        return IMPORTED / took

    return asyncio.run(work())
