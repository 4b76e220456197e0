"""A seller with an open stall in a live market, and a picture for what is sold."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyvips
from playwright.sync_api import Page

from souk import app as composition
from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.clock import SystemClock
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web import desks
from tests.web.conftest import PASSWORD
from tests.web.live import Market


def open_stall(db_url: str) -> str:
    """An approved seller who can log in; answers the address."""
    return asyncio.run(_open(db_url))


async def _open(db_url: str) -> str:
    db = await Database.connect(
        db_url, size=2, clock=SystemClock(), writer=composition.event_writer()
    )
    try:
        email, actor = await desks.member(db)

        async def work(tx: WriteTx) -> None:
            application = sellers.Application(name=f"Stall {uuid7().hex[-6:]}", country="DE")
            made = await sellers.apply(tx, actor, application=application)
            await decide(
                tx, desks.OPERATOR, seller_id=made.id, decision=Decision.APPROVE, reason="Good."
            )

        await db.transact(work)
    finally:
        await db.close()
    return email


def log_in(page: Page, market: Market, email: str) -> None:
    page.goto(f"{market.url}/login?next=/sell")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/sell")


def picture(folder: Path, name: str = "fig.png", shade: int = 90) -> Path:
    """A picture file of one colour."""
    path = folder / name
    (pyvips.Image.black(320, 240, bands=3) + shade).cast("uchar").write_to_file(str(path))
    return path
