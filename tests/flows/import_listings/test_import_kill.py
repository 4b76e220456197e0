"""kill -9 of the process that imports, at several moments, then another one carries on."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter

import pytest

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.listings.api import importing
from souk.flows.import_listings.work import work
from souk.platform.services import Services
from tests.flows.import_listings.steps import RunState, begin, seller_actor, upload

PROGRAM = """
import asyncio, sys, time
from pathlib import Path
from uuid import UUID
from souk.flows.import_listings import work
from souk.platform.database import Database
from souk.platform.mail import make_mailer
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.platform.storage import FileStore

async def main(url, folder, run_id):
    work.BATCH = 10
    db = await Database.connect(url, size=2)
    settings = Settings(environment="test", data_dir=Path(folder), secret_key="k" * 40)
    files = FileStore.in_folder(Path(folder) / "files")
    services = Services(settings, db, files, make_mailer(settings, db), db.clock)
    def report(what, position, total):
        print(position, flush=True)
        time.sleep(0.05)

    await work.work(services, UUID(run_id), report=report)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.reliability
async def test_killed_processes_lose_and_repeat_nothing(services: Services, db_url: str) -> None:
    actor = seller_actor()
    key = actor.seller_id.hex[-5:].upper()
    rows = "".join(f"p{n},Plant {key} {n},{key}-{n},5.00,2\n" for n in range(400))
    run_id = await upload(services, actor, "external_id,title,sku,price,stock\n" + rows)
    await begin(services, actor, run_id, RunState.RUNNING)
    seed = random.SystemRandom().randrange(10**6)
    print(f"killed at the moments of seed {seed}")
    chosen = random.Random(seed)
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, db_url, str(services.settings.data_dir), str(run_id),
            stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": "src", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline()
        await asyncio.sleep(chosen.uniform(0, 0.2))
        process.kill()
        await process.wait()
    async with services.db.read() as conn:
        run = await importing.run(conn, run_id=run_id, seller_id=actor.seller_id)
    assert run.state is RunState.RUNNING
    assert 0 < run.position < 400
    await work(services, run_id)
    titles: Counter[str] = Counter()
    counted = 0
    async with services.db.read() as conn:
        cursor = None
        while True:
            page = await listings.of_seller(conn, actor.seller_id, cursor=cursor, limit=100)
            titles.update(row.title for row in page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        while True:
            stock = await inventory.stock(conn, actor.seller_id, cursor=cursor, limit=100)
            counted += sum(row.on_hand for row in stock.items)
            cursor = stock.next_cursor
            if cursor is None:
                break
    assert (len(titles), set(titles.values()), counted) == (400, {1}, 800)
