"""`python -m bench --scale 10k,100k`: measure, print the tables, write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench import machine, report, weight
from bench.alone import alone
from bench.place import close_place, open_place
from bench.rows import Result, import_rate, measure, yardsticks

ROOT = Path(__file__).parent.parent
_UNITS = {"k": 1_000, "m": 1_000_000}


def size_of(text: str) -> int:
    """`10k` → 10,000, `1m` → 1,000,000, `500` → 500."""
    text = text.strip().lower()
    return int(text[:-1]) * _UNITS[text[-1]] if text[-1] in _UNITS else int(text)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _progress(what: str, done: int, total: int) -> None:
    if done % max(total // 10, 1) < 5_000 or done == total:
        say(f"{what}: {done:,} of {total:,}")


def run_size(folder: Path, count: int, *, seconds: float, keep: bool) -> Result:
    """Fill a database, measure everything on it, throw it away."""
    place = open_place(folder / str(count), count=count, report=_progress)
    try:
        rows, sizes, pages = measure(place, seconds=seconds, say=say)
        yardsticks(place, rows, seconds=seconds, say=say)
        return Result(
            listings=count,
            past_orders=place.market.past_orders,
            fill_seconds=place.market.fill_seconds,
            migrate_seconds=place.market.migrate_seconds,
            rows=rows,
            sizes=sizes,
            pages=pages,
            alone=alone(place),
            import_rate=import_rate(place),
        )
    finally:
        close_place(place, keep=keep)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--scale", default="10k,100k", help="numbers of listings: 10k,100k,1m")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--keep", type=Path, help="keep the databases here and use them again")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--set-up", action="store_true", help="also `make run` in a clean clone")
    given = parser.parse_args()
    described = [*machine.describe(), f"{given.seconds:g} s for each measurement"]
    folder = given.keep or Path(tempfile.mkdtemp(prefix="souk-bench-"))
    try:
        results = [
            run_size(folder, size_of(one), seconds=given.seconds, keep=given.keep is not None)
            for one in given.scale.split(",")
        ]
    finally:
        if given.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    report.write(
        given.out,
        results,
        machine=described,
        installed=weight.installed_bytes(),
        set_up=weight.first_set_up() if given.set_up else None,
        notes=(Path(__file__).parent / "notes.md").read_text(encoding="utf-8"),
    )
    print(given.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
