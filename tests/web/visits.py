"""Visitors in a real browser. One browser serves a module; everybody has a profile of their own.

A journey is written once, in English, and walked in several ways: `Visit` finds every button, field
and sentence by its translation into the language of the way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from souk import app as composition
from souk.contexts.identity import api as identity
from souk.contexts.identity import store as identity_store
from souk.kernel.clock import SystemClock
from souk.platform.database import Database, WriteTx
from souk.web import locale as languages
from tests.web import desks
from tests.web.live import Market

PASSWORD = "a quiet market at seven in the morning"
_PATIENCE = 20_000
"""Milliseconds until a thing that does not come is a failure."""
_OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
Place = Literal[
    "button", "link", "heading", "checkbox", "radio", "region", "img", "navigation", "combobox",
    "searchbox", "spinbutton",
]  # fmt: skip


Found = TypeVar("Found")


@dataclass(frozen=True)
class Way:
    """How somebody looks at the market."""

    name: str
    width: int = 1280
    scripts: bool = True
    language: str = "en"


WIDE, NARROW = Way("wide"), Way("narrow", 390)
PLAIN, ARABIC = Way("plain", 1280, scripts=False), Way("arabic", 390, language="ar")
DESK_WAYS = [pytest.param(way, id=way.name) for way in (WIDE, NARROW)]
"""The desks of sellers and operators: two widths."""
SHOP_WAYS = [pytest.param(way, id=way.name) for way in (WIDE, NARROW, PLAIN, ARABIC)]
"""The shop: two widths, without scripts, and in Arabic from right to left."""


class Visit:
    """One person's page, and how things are called on it."""

    def __init__(self, page: Page, market: Market, way: Way) -> None:
        self.page = page
        self.url = market.url
        self.way = way
        self._words = languages.translations(way.language)

    def say(self, text: str, **values: object) -> str:
        """The text as this visitor reads it; what is not translated is a mistake of the test."""
        found = self._words.gettext(text)
        assert self.way.language == "en" or found != text, f"not in the catalogue: {text}"
        return found % values if values else found

    def go(self, path: str) -> None:
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None and answer.status == 200, (path, answer and answer.status)

    def role(self, role: Place, text: str, *, exact: bool = False, **values: object) -> Locator:
        return self.page.get_by_role(role, name=self.say(text, **values), exact=exact)

    def button(self, text: str, *, exact: bool = False, **values: object) -> Locator:
        return self.role("button", text, exact=exact, **values)

    def link(self, text: str, *, exact: bool = False, **values: object) -> Locator:
        return self.role("link", text, exact=exact, **values)

    def starting(self, role: Place, text: str) -> Locator:
        """What begins with the words before the first value of the text."""
        return self.page.get_by_role(role, name=re.compile(re.escape(self.say(text).split("%")[0])))

    def field(self, label: str, *, exact: bool = False) -> Locator:
        return self.page.get_by_label(self.say(label), exact=exact)

    def sees(self, text: str, **values: object) -> None:
        expect(self.page.get_by_text(self.say(text, **values)).first).to_be_visible()

    def title(self, text: str, **values: object) -> None:
        """The page is the one with this heading, in the visitor's language and direction."""
        heading = self.page.get_by_role("heading", level=1, name=self.say(text, **values))
        expect(heading).to_be_visible()
        self.fits()

    def fits(self) -> None:
        """Nothing makes the page wider than the window; Arabic runs from right to left."""
        over = self.page.evaluate(_OVER)
        assert over <= 0, f"{self.page.url} is {over} px too wide"
        direction = "rtl" if self.way.language == "ar" else "ltr"
        expect(self.page.locator("html")).to_have_attribute("dir", direction)


def context_for(browser: Browser, way: Way) -> BrowserContext:
    """A new profile."""
    context = browser.new_context(
        viewport={"width": way.width, "height": 900},
        java_script_enabled=way.scripts,
        locale="en-GB" if way.language == "en" else way.language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(_PATIENCE)
    return context


def prepare(db_url: str, work: Callable[[Database], Awaitable[Found]]) -> Found:
    """Run `work` on the market's database; in a thread, for the browser keeps this one's loop."""

    async def run() -> Found:
        db = await Database.connect(
            db_url, size=2, clock=SystemClock(), writer=composition.event_writer()
        )
        try:
            return await work(db)
        finally:
            await db.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run()).result()


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the secret of a session of theirs."""

    email: str
    session: str

    def enter(self, context: BrowserContext, market: Market) -> None:
        """Be logged in; the form for it is walked by tests of its own."""
        context.add_cookies(
            [{"name": identity.SESSION_COOKIE, "value": self.session, "url": market.url}]
        )


async def logged_in(db: Database, email: str, *, locale: str = "en") -> Person:
    """A browser session of an account that exists."""

    async def work(tx: WriteTx) -> identity.Opened:
        await tx.execute("UPDATE identity.account SET locale = $2 WHERE email = $1", email, locale)
        user_id = await tx.fetchval("SELECT id FROM identity.account WHERE email = $1", email)
        user = await identity_store.load_user(tx, user_id)
        proof = identity.Proof(user=user, counted_under=b"test")
        return await identity.open_session(tx, desks.OPERATOR, proof=proof, user_agent="A test")

    return Person(email, (await db.transact(work)).secret)


def member(db_url: str, way: Way = WIDE) -> Person:
    """A verified account that reads the language of the way."""

    async def work(db: Database) -> Person:
        email, _ = await desks.member(db)
        return await logged_in(db, email, locale=way.language)

    return prepare(db_url, work)


def row_of(db_url: str, query: str, *values: Any) -> Any:
    """One row of the market's database."""

    async def work(db: Database) -> Any:
        async with db.read() as conn:
            return await conn.fetchrow(query, *values)

    return prepare(db_url, work)
