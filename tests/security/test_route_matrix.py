"""Every route × every caller × an own, another's and an absent id, from the routing table.

A new route is tried without being named here. The declared rule says what each caller is told, and
nobody can tell another's object from one that does not exist.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from souk.contexts.reviews import api as reviews
from souk.kernel.actor import GUEST, ROLE_PERMISSIONS, Actor, Permission, Role
from souk.kernel.clock import SettableClock
from souk.kernel.ids import fingerprint, uuid7
from souk.platform.http.access import Access
from souk.web.page import FLASH_COOKIE
from tests.factories import market as factory
from tests.factories.market import HOME, Market
from tests.reviews.factories import purchase

Ids = dict[str, str]
ABSENT = str(uuid7())


@dataclass(frozen=True)
class Route:
    """One method of one address, with its declared rule."""

    method: str
    path: str
    rule: Access
    parameters: tuple[str, ...]

    def url(self, ids: Ids, *, absent: bool = False) -> str:
        def value(match: re.Match[str]) -> str:
            name, kind = match.group(1), match.group(2)
            if absent or name not in ids:
                return ABSENT if kind == "uuid" else {"int": "1", "path": "x"}.get(kind, "absent")
            return ids[name]

        return re.sub(r"\{(\w+):(\w+)\}", value, self.path)


@dataclass
class Caller:
    """Somebody with a client, and the ids of what is theirs."""

    name: str
    http: httpx.AsyncClient
    signed_in: bool = True
    seller: bool = False
    permissions: frozenset[Permission] = frozenset()
    ids: Ids = field(default_factory=dict[str, str])

    def may(self, rule: Access) -> bool:
        """Does the rule let this caller reach the handler?"""
        return (
            (self.signed_in or not rule.signed_in)
            and (self.seller or not rule.seller)
            and (rule.permission is None or rule.permission in self.permissions)
        )


@dataclass
class World:
    market: Market
    callers: dict[str, Caller]

    def routes(self) -> list[Route]:
        found: list[Route] = []
        for route in self.market.app.routes:
            for handler in getattr(route, "route_handlers", []):
                methods = handler.http_methods - {"OPTIONS", "HEAD"}
                if not methods:
                    continue
                rule = handler.opt.get("access")
                assert isinstance(rule, Access), f"{methods} {route.path} has no rule"
                names = tuple(re.findall(r"\{(\w+):\w+\}", route.path))
                for method in sorted(methods):
                    found.append(Route(method, route.path, rule, names))
        return found


async def buyer_ids(market: Market, http: httpx.AsyncClient, order: dict[str, Any]) -> Ids:
    """What a buyer owns: an order, its parts, the checkout; an address, a notice, a session."""
    part = order["seller_orders"][0]
    saved = await http.post("/api/v1/addresses", json={"address": HOME})
    ids = {
        "order_id": order["id"],
        "seller_order_id": part["id"],
        "checkout_id": order["checkout_id"],
        "line_id": part["lines"][0]["id"],
    }
    if saved.status_code < 300:
        ids["address_id"] = saved.json()["id"]
    sessions = await http.get("/api/v1/auth/sessions")
    if sessions.status_code == 200 and sessions.json().get("items"):
        ids["session_id"] = sessions.json()["items"][0]["id"]
    return ids


async def held_review(
    market: Market, *, user_id: UUID | None = None, guest: bytes | None = None
) -> str:
    """A review that nobody but its author and the operators may see."""
    bought = purchase(Actor(kind="user", user_id=user_id), guest=guest)
    review = await market.db.transact(
        lambda tx: reviews.write(
            tx, GUEST, purchase=bought, stars=3, text="See www.elsewhere.example"
        )
    )
    assert review.state is reviews.State.HELD
    return str(review.id)


@pytest.fixture(scope="module")
async def market(db_url: str, clock: SettableClock) -> AsyncIterator[Market]:
    async with factory.running(db_url, clock=clock) as made:
        yield made


@pytest.fixture(scope="module")
async def world(market: Market) -> World:
    callers: dict[str, Caller] = {}
    shops = {name: await market.shop(name) for name in ("seller", "other_seller")}
    goods = {name: await shop.goods() for name, shop in shops.items()}
    for name, shop_name in (("customer", "seller"), ("other_customer", "other_seller")):
        buyer, person = await market.member()
        order = await buyer.buy((goods[shop_name], 1))
        ids = await buyer_ids(market, buyer.http, order) | {"user_id": str(person.id)}
        ids["review_id"] = await held_review(market, user_id=person.id)
        callers[name] = Caller(name, buyer.http, ids=ids)
        shop, part = shops[shop_name], order["seller_orders"][0]
        variant = goods[shop_name].variants[0]
        own = {
            "seller_id": str(shop.seller_id),
            "seller_order_id": part["id"],
            "order_id": order["id"],
            "listing_id": str(goods[shop_name].id),
            "variant_id": str(variant.id),
            "image_id": str(goods[shop_name].images[0].id) if goods[shop_name].images else ABSENT,
            "user_id": str(shop.owner.id),
        }
        callers[shop_name] = Caller(shop_name, shop.http, seller=True, ids=own)
    guest = market.guest()
    order = await guest.buy((goods["seller"], 1))
    token = guest.http.headers["souk-guest"]
    ids = await buyer_ids(market, guest.http, order)
    ids["review_id"] = await held_review(market, guest=fingerprint(token))
    callers["guest"] = Caller("guest", guest.http, signed_in=False, ids=ids)
    for role in (Role.MODERATOR, Role.SUPPORT, Role.FINANCE, Role.ADMIN):
        callers[role] = Caller(
            role, await market.operator(role), permissions=ROLE_PERMISSIONS[role]
        )
    await market.drain()
    return World(market, callers)


def told(answer: httpx.Response) -> tuple[int, Any]:
    """Status and body without what differs by itself."""
    kind = answer.headers.get("content-type", "")
    if "json" not in kind or not answer.content:
        text = re.sub(r"[0-9a-f]{32}|[0-9a-f-]{36}|[\w-]{24}\.[0-9a-f]{32}", "", answer.text)
        return answer.status_code, text
    body = answer.json()
    if isinstance(body, dict):
        body.pop("request_id", None)
    return answer.status_code, body


def difference(left: httpx.Response, right: httpx.Response) -> str:
    """The statuses, and the lines in which two answers differ."""
    lines = [str(told(each)[1]).splitlines() for each in (left, right)]
    differing = list(difflib.unified_diff(*lines, lineterm="", n=0))[:12]
    return f"{left.status_code} and {right.status_code}: {differing}"


async def call(caller: Caller, route: Route, url: str) -> httpx.Response:
    body = {} if route.method in {"POST", "PUT", "PATCH"} else None
    # A sentence left over from the call before would be shown by the next page.
    for cookie in [each for each in caller.http.cookies.jar if each.name == FLASH_COOKIE]:
        caller.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
    try:
        return await asyncio.wait_for(caller.http.request(route.method, url, json=body), 15)
    except TimeoutError as error:
        raise AssertionError(f"{route.method} {url} does not answer {caller.name}") from error


SIGN_OUT = ("logout", "log-out", "sessions")
"""These end the caller's own session, so they are only tried with ids that are not the caller's."""

ENDLESS = {"/live"}
"""A stream answers whom it lets in for as long as they listen."""


async def test_every_route_keeps_its_rule(world: World) -> None:
    """A caller whom the rule does not let in is told 401 or 403 before anything else."""
    wrong: list[str] = []
    for route in world.routes():
        for caller in world.callers.values():
            if caller.may(route.rule) and (
                caller.name == Role.ADMIN
                or any(word in route.path for word in SIGN_OUT)
                or route.path in ENDLESS
            ):
                continue
            answer = await call(caller, route, route.url({}, absent=True))
            expected = 401 if route.rule.signed_in and not caller.signed_in else 403
            said = f"{caller.name} {route.method} {route.path} {answer.status_code}"
            if answer.status_code >= 500:
                wrong.append(f"{said}: a failure")
            elif not caller.may(route.rule) and answer.status_code != expected:
                wrong.append(f"{said}: not {expected}, rule {route.rule.name}")
            elif caller.may(route.rule) and answer.status_code == 401 and caller.signed_in:
                wrong.append(f"{said}: sent away in spite of rule {route.rule.name}")
    assert wrong == []


OWNERS = [
    ("customer", "other_customer"),
    ("customer", "guest"),
    ("guest", "customer"),
    ("seller", "other_seller"),
    ("seller", "other_customer"),
    ("customer", "other_seller"),
]
OPEN_TO_ALL = re.compile(r"/api/v1/(listings|sellers|shops|species|categories|search)\b|^/(?!api)")
"""What everybody may read: another's listing and shop are public, not leaked."""


@pytest.mark.parametrize(("owner", "stranger"), OWNERS)
async def test_anothers_id_is_like_an_absent_one(world: World, owner: str, stranger: str) -> None:
    wrong: list[str] = []
    tried = 0
    theirs, caller = world.callers[owner].ids, world.callers[stranger]
    for route in world.routes():
        known = [name for name in route.parameters if name in theirs]
        if not known or (OPEN_TO_ALL.search(route.path) and route.method == "GET"):
            continue
        others = await call(caller, route, route.url(theirs))
        absent = await call(caller, route, route.url({}, absent=True))
        tried += 1
        if told(others) != told(absent) or others.status_code >= 500:
            wrong.append(f"{route.method} {route.path}: {difference(others, absent)}")
    assert wrong == []
    assert tried >= 5


async def test_owners_reach_what_is_theirs(world: World) -> None:
    """Or the comparison with absent ids would prove nothing."""
    reached: dict[str, set[str]] = {}
    for name in ("customer", "guest", "seller"):
        caller = world.callers[name]
        for route in world.routes():
            known = [each for each in route.parameters if each in caller.ids]
            if route.method != "GET" or not known or len(known) != len(route.parameters):
                continue
            if not caller.may(route.rule):
                continue
            answer = await call(caller, route, route.url(caller.ids))
            assert answer.status_code < 500, (route, answer.text)
            if answer.status_code == 200:
                reached.setdefault(name, set()).add(route.path)
    assert {"/api/v1/orders/{order_id:uuid}", "/api/v1/checkouts/{checkout_id:uuid}"} <= (
        reached["customer"] & reached["guest"]
    )
    assert "/account/reviews/{review_id:uuid}" in reached["customer"] & reached["guest"]
    assert "/api/v1/seller/orders/{seller_order_id:uuid}" in reached["seller"]


async def test_options_is_answered_everywhere(world: World) -> None:
    for route in world.routes():
        answer = await world.callers["guest"].http.request("OPTIONS", route.url({}, absent=True))
        assert answer.status_code in {204, 404}, (route, answer.text)
        assert answer.status_code == 204 or "{" in route.path, route


async def test_ids_of_the_wrong_shape_are_refused(world: World) -> None:
    admin = world.callers[Role.ADMIN]
    for route in world.routes():
        for value in ("x", "0", "%00", "%ff", "..%2f", "9" * 400):
            url = re.sub(r"\{(\w+):(\w+)\}", value, route.path)
            if url == route.path or (route.method != "GET" and "session" in route.path):
                continue
            answer = await call(admin, route, url)
            assert answer.status_code < 500, (route, value, answer.text)


def test_the_callers_are_all_there(world: World) -> None:
    assert set(world.callers) == {
        "guest", "customer", "other_customer", "seller", "other_seller", "moderator", "support",
        "finance", "admin",
    }  # fmt: skip
    assert UUID(ABSENT)
