"""Finds every kind of page of a demo marketplace by following its links, as each kind of person.

A kind of page is a route of the program for people (a GET that is not part of the API). Nobody has
to list new pages: whoever can be reached by a link is found, and `Survey.unseen` names the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx
from litestar.handlers import HTTPRouteHandler
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.scenarios.marketplace import Marketplace

from souk import app as composition

PASSWORD = "olive-lantern-harbour"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
PEOPLE = {
    "visitor": None,
    "buyer": "anke.vogel@example.com",
    "seller": "theresa@alpenglow.example.com",
    "operator": "admin@example.com",
}
START = {
    "visitor": [
        "/", "/search?q=zzzzqqq", "/cart", "/no-such-page", "/design", "/search", "/offline",
        # Mails lead here.
        "/resend", "/verify-email?token=old", "/confirm-email?token=old", "/reset?token=old",
    ],
    "buyer": ["/account", "/account/orders", "/cart", "/sell/apply"],
    "seller": ["/sell", "/sell/orders", "/sell/listings?state=draft", "/sell/listings"],
    "operator": ["/admin"],
}  # fmt: skip
GOODS = "Artikel;Preis;Bestand\nFeige;12,50;3\nQuitte;auf Anfrage;1\nSchlehe;7,50;4\n"
"""A seller's own file: one row of it is refused."""
MOST_OF_A_KIND = 3
_NO_PAGE = re.compile(
    r"^/(api|static|media|files|metrics|health|ready|logout)(/|$)|\.(xml|csv|txt|jsonl|json|svg|js)$"
)
_HREF = re.compile(r'<a\b[^>]*?\bhref="([^"#]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of page: its name, an address that shows it well, and who looks at it."""

    name: str
    path: str
    person: str
    template: str


@dataclass(slots=True)
class Survey:
    """What was found, and the routes that no link led to."""

    kinds: list[Kind] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def page_routes() -> list[tuple[str, re.Pattern[str]]]:
    """Every page's route as it is declared, with a pattern for its addresses; literals first."""
    found: set[str] = set()
    for handler in composition.routes():
        if not isinstance(handler, HTTPRouteHandler) or "GET" not in handler.http_methods:
            continue
        found |= {path for path in handler.paths if not _NO_PAGE.search(path)}
    ordered = sorted(found, key=lambda path: (path.count("{"), path))
    return [(path, re.compile(_pattern(path))) for path in ordered]


def _pattern(path: str) -> str:
    parts = re.split(r"(\{[^}]+\})", path)
    return "^" + "".join("[^/]+" if p.startswith("{") else re.escape(p) for p in parts) + "/?$"


def template_of(path: str, routes: list[tuple[str, re.Pattern[str]]]) -> str | None:
    bare = urlsplit(path).path
    return next((route for route, pattern in routes if pattern.match(bare)), None)


@dataclass(slots=True)
class Found:
    """One answer that was a page."""

    path: str
    weight: int
    links: list[str]
    ok: bool


def look_about(client: httpx.Client, person: str, survey: Survey, seen: set[str]) -> None:
    """Follow links from the person's first pages; of each kind keep the fullest page."""
    routes = page_routes()
    waiting = list(START[person])
    asked: set[str] = set()
    tried: dict[str, int] = {}
    best: dict[str, Found] = {}
    while waiting:
        path = waiting.pop(0)
        kind = template_of(path, routes) or "absent"
        known = path in asked or kind in seen or tried.get(kind, 0) >= MOST_OF_A_KIND
        if known or "cursor=" in path:
            continue
        asked.add(path)
        tried[kind] = tried.get(kind, 0) + 1
        found = fetch(client, path)
        if found is None:
            continue
        # Who may not see a page is sent on, to log in for instance: that is another kind of page.
        kind = template_of(found.path, routes) or "absent"
        shown = found.ok or kind == "absent"
        if shown and kind not in seen and (kind not in best or found.weight > best[kind].weight):
            best[kind] = found
        waiting += [link for link in found.links if link not in asked]
    for kind, found in sorted(best.items()):
        survey.kinds.append(Kind(name_of(kind), found.path, person, kind))
        seen.add(kind)


def fetch(client: httpx.Client, path: str) -> Found | None:
    """The page at `path`, None when the answer is no page of this marketplace."""
    answer = client.get(path)
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return None
    base = str(client.base_url)
    links: list[str] = []
    for href in _HREF.findall(answer.text):
        whole = urlsplit(urljoin(str(answer.url), href.replace("&amp;", "&")))
        if f"{whole.scheme}://{whole.netloc}" == base.rstrip("/") and not _NO_PAGE.search(
            whole.path
        ):
            links.append(whole.path + (f"?{whole.query}" if whole.query else ""))
    arrived = answer.url.raw_path.decode()
    return Found(arrived, len(answer.content), links, answer.is_success)


def name_of(template: str) -> str:
    """`/sell/orders/{id:uuid}` becomes `sell-orders-id`."""
    words = re.sub(r"\{(\w+)[^}]*\}", r"\1", template).strip("/")
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "home"


@dataclass(slots=True)
class Stage:
    """A running demo marketplace with people who are logged in."""

    base: str
    browser: Browser
    people: dict[str, BrowserContext]
    extra: list[Kind]
    """Pages that only come up on the way, such as an open checkout."""

    def cookies(self, person: str) -> dict[str, str]:
        found = self.people[person].cookies(self.base)
        return {str(c.get("name")): str(c.get("value")) for c in found}

    def survey(self) -> Survey:
        """Every kind of page, each with the first kind of person who can see it."""
        survey, seen = Survey(), {kind.template for kind in self.extra}
        survey.kinds += self.extra
        for person in PEOPLE:
            with httpx.Client(
                base_url=self.base,
                cookies=self.cookies(person),
                headers={"accept": "text/html"},
                follow_redirects=True,
                timeout=30,
            ) as client:
                look_about(client, person, survey, seen)
        survey.unseen = [route for route, _ in page_routes() if route not in seen]
        return survey


@contextmanager
def stage(base: str | None = None) -> Iterator[Stage]:
    """A stage on the marketplace at `base`, or on a new demo marketplace of its own."""
    if base is not None:
        with _people(base) as made:
            yield made
        return
    market = Marketplace()
    market.cli("demo", seconds=600)
    with market, _people(market.base) as made:
        yield made


@contextmanager
def _people(base: str) -> Iterator[Stage]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        people = {person: browser.new_context(locale="en-GB") for person in PEOPLE}
        for person, email in PEOPLE.items():
            if email is not None:
                _log_in(people[person], base, email)
        extra = [*_on_the_way(people["visitor"], base), *_import(people["seller"], base)]
        yield Stage(base, browser, people, extra)
        browser.close()


def _log_in(context: BrowserContext, base: str, email: str) -> None:
    page = context.new_page()
    page.goto(f"{base}/login")
    page.locator("main input[name=email]").fill(email)
    page.locator("main input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.close()


def _on_the_way(context: BrowserContext, base: str) -> list[Kind]:
    """Fill a guest's cart from two sellers and open a checkout; leaves the cart for the survey."""
    page = context.new_page()
    for query in ("kind=physical", "kind=digital"):
        page.goto(f"{base}/search?{query}")
        page.locator("main a[href*='/listing/']").first.click()
        page.get_by_role("button", name="Put into the cart").click()
        page.wait_for_url("**/cart")
    page.get_by_role("button", name="Go to checkout").click()
    page.wait_for_url("**/checkout/**")
    checkout = urlsplit(page.url).path
    page.close()
    return [Kind("checkout", checkout, "visitor", "/checkout/{checkout_id:uuid}")]


def _import(context: BrowserContext, base: str) -> list[Kind]:
    """Import a file to its end, and leave two others on their way."""
    page = context.new_page()
    # Finished first: what was chosen for its columns is then offered for those that follow.
    _send_goods(page, base)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import now").click()
    page.get_by_role("link", name="Take it back").click()
    page.wait_for_url("**/undo")
    paths = {"undo": urlsplit(page.url).path}
    _send_goods(page, base)
    paths["columns"] = urlsplit(page.url).path
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import now").wait_for()
    paths[""] = urlsplit(page.url).path
    page.close()
    return [
        Kind(f"sell-import-run-id{'-' * bool(name)}{name}", path, "seller",
             f"/sell/import/{{run_id:uuid}}{'/' * bool(name)}{name}")
        for name, path in paths.items()
    ]  # fmt: skip


def _send_goods(page: Page, base: str) -> None:
    page.goto(f"{base}/sell/import")
    page.get_by_label("Product file").set_input_files(
        {"name": "goods.csv", "mimeType": "text/csv", "buffer": GOODS.encode()}
    )
    page.get_by_role("button", name="Send the file").click()
    page.wait_for_url("**/columns")
