"""How long searches take at 10 k, 100 k and (with `--million`) 1 M listings.

`PYTHONPATH=src python bench/search_scale.py [--sizes 10000,100000] [--million]`
`[--data FOLDER] [--keep FOLDER]`

Listings are made of real words: the scientific and common names of OpenFarm's crop list, with
sellers' words and attributes drawn with a fixed seed. Every measured query is new to the engine, so
that its answer cache does not help. One process, one thread.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import track
from rich.table import Table

from souk.contexts.search.api import (
    NumberRange,
    SearchDocument,
    SearchEngine,
    SearchQuery,
    Sort,
    open_engine,
)

BATCH = 2_000
ROUNDS = 60
_SELLING = (
    "fresh organic live plant seedling potted garden indoor outdoor hardy evergreen rare"
    " variegated mature rooted cutting tuber bulb seeds pack gift handmade vintage used large"
    " small medium compact shade sun water easy care pet safe flower leaf tree shrub vine herb"
    " succulent cactus fern orchid rose lily blue red green white yellow purple"
)
SELLING = _SELLING.split()
ATTRIBUTES = {"colour": 12, "size": 6, "zone": 13, "light": 4, "watering": 4}


def names(data: Path) -> list[tuple[str, str]]:
    """Scientific and common names, as they are in the list."""
    with (data / "plants" / "openfarm_crops.csv").open(encoding="utf-8") as file:
        rows = [(row[0], row[1] if len(row) > 1 else "") for row in csv.reader(file) if row]
    return [row for row in rows if row[0]]


def documents(count: int, known: list[tuple[str, str]]) -> Iterator[SearchDocument]:
    """`count` listings, the same each time; frequent words are frequent, as in real shops."""
    chance = random.Random(20260105)
    weights = [1 / (place + 2) for place in range(len(SELLING))]
    pool = [word for name in known for part in name for word in part.lower().split()]
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(count):
        scientific, common = known[int(len(known) * chance.random() ** 1.5)]
        leaf = int(200 * chance.random() ** 2)
        seller = min(int(chance.expovariate(1 / 800)), 9_999)
        title_words = chance.choices(SELLING, weights, k=2)
        yield SearchDocument(
            listing_id=UUID(int=chance.getrandbits(128)),
            seller_id=UUID(int=seller + 1),
            seller_name=f"Nursery {seller}",
            title=f"{common[:80] or scientific} {' '.join(title_words)}",
            description_text=" ".join(
                [*chance.choices(SELLING, weights, k=5), *chance.choices(pool, k=20)]
            ),
            category_ids=[UUID(int=leaf // 20 + 1), UUID(int=leaf + 1_000)],
            category_names=[f"Family {leaf // 20}", f"Group {leaf}"],
            kind=chance.choice(["goods", "goods", "goods", "digital", "secondhand"]),
            price=int(chance.lognormvariate(7.5, 1)),
            currency="EUR",
            rating=round(chance.uniform(2, 5), 2) if chance.random() < 0.6 else None,
            rating_count=int(chance.expovariate(0.1)),
            in_stock=chance.random() < 0.9,
            attributes={
                **{code: f"{code} {chance.randrange(n)}" for code, n in ATTRIBUTES.items()},
                "height": float(chance.randrange(5, 300)),
            },
            scientific_name=scientific,
            published_at=start + timedelta(seconds=number),
            popularity=chance.expovariate(0.1),
        )


def misspelt(word: str, chance: random.Random) -> str:
    """`word` with two neighbours swapped or one letter left out, after its first."""
    at = chance.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return swapped if swapped != word else word[:at] + word[at + 1 :]


Asked = Callable[[int], SearchQuery]


def questions(known: list[tuple[str, str]]) -> dict[str, Asked]:
    """A generator of distinct queries for each sort of search."""
    chance = random.Random(7)
    rare = sorted({w for name, _ in known for w in name.lower().split() if w.isalpha()})
    long = [word for word in rare if len(word) >= 7]
    # Distinct price limits make each query new without changing what it has to do.
    return {
        "common word": lambda n: SearchQuery(text=SELLING[n % 12], size=20 + n // 12),
        "two common words": lambda n: SearchQuery(
            text=f"{SELLING[n % 8]} {SELLING[8 + n // 8]}", size=20
        ),
        "common word + rare word": lambda n: SearchQuery(
            text=f"{SELLING[n % 12]} {chance.choice(rare)}"
        ),
        "rare word": lambda _: SearchQuery(text=chance.choice(rare)),
        "misspelt word": lambda _: SearchQuery(text=misspelt(chance.choice(long), chance)),
        "misspelt + common word": lambda n: SearchQuery(
            text=f"{misspelt(chance.choice(long), chance)} {SELLING[n % 12]}"
        ),
        "browse everything": lambda n: SearchQuery(size=20 + n),
        "browse category": lambda n: SearchQuery(category_id=UUID(int=1_000 + n)),
        "browse top category": lambda n: SearchQuery(
            category_id=UUID(int=1 + n % 10), size=20 + n // 10
        ),
        "category + 3 filters": lambda n: SearchQuery(
            category_id=UUID(int=1 + n % 10),
            kinds=["goods"],
            attributes={"colour": [f"colour {n % 12}", "colour 1"]},
            price_max=3_000 + n,
        ),
        "word + 3 filters": lambda n: SearchQuery(
            text=SELLING[n % 12],
            price_min=500,
            price_max=4_000 + n,
            attributes={"light": [f"light {n % 4}"]},
            in_stock=True,
        ),
        "word + number range": lambda n: SearchQuery(
            text=SELLING[12 + n % 30], ranges={"height": NumberRange(50, 100 + n)}
        ),
        "common word by price": lambda n: SearchQuery(
            text=SELLING[n % 12], sort=Sort.PRICE_ASC, size=20 + n // 12
        ),
        "browse by newest": lambda n: SearchQuery(sort=Sort.NEWEST, size=20 + n),
    }


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def summary(times: list[float], busy: list[float]) -> tuple[float, ...]:
    """p50, p95 and worst by the clock, p50 and p95 of the processor."""
    by_clock = (quantile(times, 0.5), quantile(times, 0.95), max(times))
    return (*by_clock, quantile(busy, 0.5), quantile(busy, 0.95))


def fill(engine: SearchEngine, count: int, known: list[tuple[str, str]], console: Console) -> float:
    """Build the index; returns listings a second."""
    started = time.perf_counter()
    build = engine.begin_rebuild()
    batch: list[SearchDocument] = []
    for document in track(
        documents(count, known), total=count, console=console, description=f"index {count:,}"
    ):
        batch.append(document)
        if len(batch) == BATCH:
            build.index(batch)
            batch.clear()
    build.index(batch)
    build.publish()
    return count / (time.perf_counter() - started)


def measure(engine: SearchEngine, ask: Asked) -> tuple[list[float], list[float], list[int]]:
    """Milliseconds of each search by the clock and of the processor, and how many hits it had."""
    times: list[float] = []
    busy: list[float] = []
    totals: list[int] = []
    for number in range(ROUNDS):
        query = ask(number)
        started, worked = time.perf_counter(), time.thread_time()
        result = engine.search(query)
        times.append((time.perf_counter() - started) * 1_000)
        busy.append((time.thread_time() - worked) * 1_000)
        totals.append(result.total)
    return times, busy, totals


def run(count: int, known: list[tuple[str, str]], folder: Path, console: Console) -> None:
    """Build one size and print its table."""
    engine = open_engine(folder, writer=True)
    if engine.needs_rebuild:
        rate = fill(engine, count, known, console)
        console.print(f"{count:,} listings indexed at {rate:,.0f} a second")
    engine.refresh()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    table = Table(title=f"{engine.count():,} listings, {size / 1e6:,.0f} MB on disk; ms a search")
    for heading in ("search", "hits (median)", "p50", "p95", "worst", "CPU p50", "CPU p95"):
        table.add_column(heading, justify="left" if heading == "search" else "right")
    every: list[float] = []
    every_busy: list[float] = []
    for title, ask in questions(known).items():
        engine.search(SearchQuery(text="warm up"))
        times, busy, totals = measure(engine, ask)
        every += times
        every_busy += busy
        figures = summary(times, busy)
        table.add_row(
            title, f"{statistics.median(totals):,.0f}", *(f"{value:.2f}" for value in figures)
        )
    figures = summary(every, every_busy)
    table.add_row("all of them", "", *(f"{value:.2f}" for value in figures))
    console.print(table)
    times: list[float] = []
    for word in ("ros", "orch", "fresh gar", "acer p", "s", "mon") * 10:
        started = time.perf_counter()
        engine.suggest(word)
        times.append((time.perf_counter() - started) * 1_000)
    console.print(f"suggest: p50 {quantile(times, 0.5):.2f} ms, p95 {quantile(times, 0.95):.2f} ms")
    engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("fixtures"))
    parser.add_argument("--keep", type=Path, help="keep the indexes here and use them again")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",") if size]
    console = Console(width=120)
    known = names(given.data)
    for count in [*sizes, *([1_000_000] if given.million else [])]:
        folder = (given.keep or Path(tempfile.mkdtemp())) / f"search-{count}"
        try:
            run(count, known, folder, console)
        finally:
            if given.keep is None:
                shutil.rmtree(folder.parent)


if __name__ == "__main__":
    main()
