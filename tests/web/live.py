"""A real marketplace on real ports: `souk up` in its own processes, and a Chromium before it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Playwright, expect

from souk import app as composition
from souk.contexts.search import api as search
from souk.platform.settings import Settings
from tests.payments.conftest import free_port
from tests.web import world as worlds

CHROMIUM = Path(os.environ.get("SOUK_CHROMIUM", "/usr/bin/chromium"))
SOURCE = Path(__file__).parents[2] / "src"
PATIENCE = 180.0
"""Seconds until a marketplace that does not answer is a failure: a busy machine takes its time."""
_WITHOUT = (
    # Chromium draws its address bar's lists as web pages, two for each window of ours: unseen, and
    # as costly as all that a test looks at.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "PreloadTopChromeWebUI",
    # What Playwright itself leaves out: Chromium reads only the last of two lists.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
)  # fmt: skip


@dataclass(frozen=True)
class Market:
    """Where it is served, on which database and folder, and the slugs of what there is."""

    url: str
    olive: str
    lavender: str
    db_url: str
    data_dir: Path
    palm: str
    lamp: str
    guide: str
    plants: str
    herbs: str
    nursery: str


def require_browser() -> None:
    """Skips, or fails where a browser must be there."""
    if CHROMIUM.exists():
        return
    sentence = f"Left out: there is no Chromium at {CHROMIUM}. Install Debian's package chromium."
    if os.environ.get("SOUK_REQUIRE_BROWSER") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


GUIDE = b"".join(b"Line %06d of the olive growing guide.\n" % n for n in range(30_000))
"""A file of a megabyte: long enough to lose the connection while it comes."""
_PLENTY = 2_000


async def _fill(settings: Settings) -> tuple[worlds.World, worlds.Aisle]:
    """The goods, with the index built by the one writer before the worker takes its place."""
    async with composition.services(settings, role="worker") as services:
        world = await worlds.build(services.db, services.files, stock=_PLENTY)
        aisle = await worlds.fill_aisle(services.db, services.files, world)
        [guide] = world.guide.files
        await services.files.put(guide.key, GUIDE)
        await services.db.transact(
            lambda tx: tx.execute(
                "UPDATE listings.digital_file SET size = $2 WHERE id = $1", guide.id, len(GUIDE)
            )
        )
        await worlds.index(services.db, services.get(search.SearchEngine))
        return world, aisle


def _environment(settings: Settings) -> dict[str, str]:
    chosen = {
        "SOUK_ENVIRONMENT": "development",
        "SOUK_DATA_DIR": str(settings.data_dir),
        "SOUK_DATABASE_URL": settings.database_url,
        "SOUK_PORT": str(settings.port),
        "SOUK_BASE_URL": settings.base_url,
        "SOUK_SANDBOX_PORT": str(settings.sandbox_port),
        "SOUK_SANDBOX_URL": settings.sandbox_url,
        "SOUK_SECRET_KEY": settings.secret_key,
        "SOUK_RATE_LIMIT_FACTOR": "1000",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    return kept | chosen | {"PYTHONPATH": str(SOURCE)}


@contextmanager
def running(data_dir: Path, database_url: str) -> Generator[Market]:
    """`souk up` until the block ends, on a filled database."""
    port, sandbox_port = free_port(), free_port()
    settings = Settings(
        environment="development",
        data_dir=data_dir,
        database_url=database_url,
        secret_key="a-test-secret-key-of-more-than-32-characters",
        port=port,
        base_url=f"http://127.0.0.1:{port}",
        sandbox_port=sandbox_port,
        sandbox_url=f"http://127.0.0.1:{sandbox_port}",
    )
    world, aisle = asyncio.run(_fill(settings))
    log = (data_dir / "up.log").open("wb")
    program = subprocess.Popen(
        [sys.executable, "-m", "souk.cli", "up"],
        env=_environment(settings),
        stdout=log,
        stderr=log,
        cwd=data_dir,
    )
    try:
        _wait(f"{settings.base_url}/ready", program, data_dir / "up.log")
        _wait(f"{settings.sandbox_url}/health", program, data_dir / "up.log")
        yield Market(
            url=settings.base_url,
            olive=world.olive.slug,
            lavender=world.lavender.slug,
            db_url=database_url,
            data_dir=data_dir,
            palm=aisle.palm.slug,
            lamp=world.lamp.slug,
            guide=world.guide.slug,
            plants=world.plants.slug,
            herbs=aisle.herbs.slug,
            nursery=world.nursery.slug,
        )
    finally:
        program.send_signal(signal.SIGTERM)
        try:
            program.wait(timeout=30)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        log.close()


def _wait(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while program.poll() is None and time.monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer:\n{log.read_text()[-3_000:]}")


def launched(driver: Playwright) -> Browser:
    """A Chromium; the caller closes it. What does not come is waited for as on a busy machine."""
    expect.set_options(timeout=20_000)
    flags = ["--no-sandbox", f"--disable-features={','.join(_WITHOUT)}"]
    return driver.chromium.launch(executable_path=str(CHROMIUM), args=flags)
