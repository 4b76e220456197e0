"""How long single answers take inside the web process, one at a time, nothing else going on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from bench.caller import Caller
from bench.place import Place, inside

TIMES = 150
_WARM_UP = 30
PathOf = Callable[[int], str]


class Alone(msgspec.Struct, kw_only=True):
    """Milliseconds of one answer, edge and database included, network and server not."""

    name: str
    p50: float
    p95: float
    cpu: float


def _searching(**chosen: object) -> str:
    return f"/api/v1/listings/search?{urlencode(chosen)}"


def _paths(place: Place) -> dict[str, PathOf]:
    """Addresses by name; each search has a price limit of its own, so that it is new."""
    market = place.market
    chance = random.Random(5)

    def word() -> str:
        return chance.choice(market.words)

    def misspelt() -> str:
        right = chance.choice([one for one in market.words if len(one) > 5])
        at = chance.randrange(1, len(right) - 1)
        return right[:at] + right[at + 1 :]

    def filtered(n: int, **more: object) -> str:
        chosen = {"attr.colour": f"colour {n % 12}", "attr.light": f"light {n % 4}"}
        return _searching(price_min=500, price_max=4_000 + n, in_stock="true", **chosen, **more)

    group = market.categories
    return {
        "list of 20": lambda n: f"/api/v1/listings?unseen={n}",
        "list of 20 in a category": lambda n: f"/api/v1/listings?category={group[n % len(group)]}",
        "detail": lambda n: f"/api/v1/listings/{market.slugs[n % len(market.slugs)]}",
        "search for a word": lambda n: _searching(q=word(), price_max=20_000 + n),
        "search for a misspelt word": lambda n: _searching(q=misspelt(), price_max=20_000 + n),
        "search for a word with four filters": lambda n: filtered(n, q=word()),
        "search in a category with four filters": lambda n: filtered(
            n, category=f"family-{n % 10}"
        ),
        "search for nothing, everything counted": lambda n: _searching(price_max=50_000 + n),
    }


async def _measure(caller: Caller, name: str, path_of: PathOf) -> Alone:
    times: list[float] = []
    busy: list[float] = []
    for number in range(-_WARM_UP, TIMES):
        path = path_of(number + _WARM_UP)
        worked, began = time.process_time(), time.perf_counter()
        status, answer = await caller.ask("GET", path)
        ended, rested = time.perf_counter(), time.process_time()
        if status != 200:
            raise AssertionError(f"{path}: {status} {answer[:300]!r}")
        if number >= 0:
            times.append((ended - began) * 1_000)
            busy.append((rested - worked) * 1_000)
    times.sort()
    middle = sorted(busy)[TIMES // 2]
    return Alone(name=name, p50=times[TIMES // 2], p95=times[int(TIMES * 0.95)], cpu=middle)


def alone(place: Place) -> list[Alone]:
    """Every kind of reading, in this process."""

    async def work() -> list[Alone]:
        async with inside(place) as built:
            caller = Caller(built)
            return [await _measure(caller, name, of) for name, of in _paths(place).items()]

    return asyncio.run(work())
