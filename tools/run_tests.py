"""`make test`: every test that this machine can run, and a plain word on what was left out.

`--external` runs the suite against PostgreSQL 16, started apart, over TCP, with a password and a
role that is no superuser. `SOUK_REQUIRE_BROWSER=1` makes a missing browser a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from souk.platform import embedded

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
COVERED = ("*/domain.py", "*/domain/*.py", "*/commands.py", "*/commands/*.py", "*/flows/*")
LEAST_COVERED = 95
"""Per cent of lines and branches of domain, commands and flows."""
CORES = min(4, os.cpu_count() or 1)
WORKERS = CORES + 2
"""Files of tests that run beside one another, each process with a database server of its own. Two
more than there are cores, because tests that kill and race wait for much of their time."""
BROWSERS_AT_ONCE = min(2, CORES)
"""Each with a marketplace of its own."""
_ROLE = "souk_test"


def main() -> int:
    """Run the suites; the answer is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--external", action="store_true", help="on PostgreSQL 16 over TCP")
    parser.add_argument("--no-coverage", action="store_true", help="do not measure coverage")
    arguments, more = parser.parse_known_args()
    started = time.monotonic()
    if arguments.external:
        with external_server() as url:
            code = run_all(more, coverage=False, extra={"SOUK_TEST_DATABASE_URL": url})
    else:
        code = run_all(more, coverage=not arguments.no_coverage, extra={})
    say(
        f"{'All is well' if code == 0 else 'There are failures'}; "
        f"it took {time.monotonic() - started:.0f} seconds."
    )
    return code


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run_all(more: list[str], *, coverage: bool, extra: dict[str, str]) -> int:
    """The core suite, then the browser's, each to its end whatever the other says."""
    environment = os.environ | extra | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    # A program that starts again and again is compiled once.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    measured = coverage and module_is_there("pytest_cov")
    left_out: list[str] = []
    say("Core tests, with races, kills and faults")
    code = run_suite("not browser", WORKERS, more, environment, measured=measured)
    if measured:
        say("Coverage of domain, commands and flows, in per cent")
        report = ["coverage", "report", "--skip-empty", "--include", ",".join(COVERED)]
        code = run_module([*report, "--fail-under", str(LEAST_COVERED)], environment) or code
    elif coverage:
        left_out.append("the measurement of coverage: the package `coverage` is not installed")
    if browser() is not None:
        say("Browser tests")
        code = run_suite("browser", BROWSERS_AT_ONCE, more, environment) or code
    else:
        left_out.append("the browser tests: there is no Chromium (apt-get install chromium)")
        if os.environ.get("SOUK_REQUIRE_BROWSER") == "1":
            code = code or 1
    for each in left_out:
        say(f"LEFT OUT: {each}.")
    return code


def run_suite(
    marked: str,
    side_by_side: int,
    more: list[str],
    environment: dict[str, str],
    *,
    measured: bool = False,
) -> int:
    """The tests with this mark, several files at once, in the order of tests/conftest.py."""
    spread = ["-n", str(side_by_side), "--dist", "loadfile", "--no-loadscope-reorder"]
    measuring = ["--cov", "--cov-report="] * measured
    found = run_module(["pytest", "-q", "-m", marked, *spread, *measuring, *more], environment)
    # pytest answers 5 when nothing was selected, as when `more` names other files.
    return 0 if found == 5 and more else found


def browser() -> str | None:
    """The path of a Chromium, None without one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def module_is_there(name: str) -> bool:
    probe = subprocess.run(
        [sys.executable, "-c", f"import {name}"], capture_output=True, check=False
    )
    return probe.returncode == 0


def run_module(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, check=False
    ).returncode


@contextmanager
def external_server() -> Iterator[str]:
    """A server on TCP with a password; its role may make databases and nothing more."""
    folder = Path(tempfile.mkdtemp(prefix="souk-external-"))
    port = free_port()
    server = embedded.start(
        folder / "data", version=16, port=port, durable=False, max_connections=400
    )
    password = secrets.token_urlsafe(18)
    try:
        asyncio.run(make_role(server.url.replace("/souk?", "/postgres?"), password))
        url = f"postgresql://{_ROLE}:{password}@127.0.0.1:{port}/{_ROLE}"
        asyncio.run(check_role(url))
        say(f"PostgreSQL 16 on 127.0.0.1:{port}, role {_ROLE} without superuser")
        yield url
    finally:
        server.stop()
        embedded.remove(folder)


async def make_role(url: str, password: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            f"CREATE ROLE {_ROLE} LOGIN NOSUPERUSER CREATEDB PASSWORD '{password}'"
        )
        await connection.execute(f"CREATE DATABASE {_ROLE} OWNER {_ROLE}")
    finally:
        await connection.close()


async def check_role(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("SHOW server_version")
        superuser = await connection.fetchval(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    if superuser or not version.startswith("16."):
        raise SystemExit(f"This is PostgreSQL {version}, superuser: {superuser}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
