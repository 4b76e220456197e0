"""What shoppers do, as steps of load: putting things into a cart, searching, buying."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from bench.load import CONNECTIONS, Connection, Step, request
from bench.seed import Market

CARD = "pm_card_visa"
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "Torstr. 1",
    "city": "Berlin",
    "postal_code": "10119",
    "country": "DE",
}


class Refused(Exception):
    """A request of the load was not answered as it should be."""


async def _asked(connection: Connection, request_: bytes, *, status: int) -> dict[str, Any]:
    answer = await connection.ask(request_)
    if answer.status != status:
        first = request_.split(b"\r\n", 1)[0].decode()
        raise Refused(f"{first}: {answer.status} {answer.body[:300]!r}")
    return answer.json()


def _guest(number: int, *, salt: str) -> dict[str, str]:
    return {"souk-guest": f"bench-{salt}-{number:016d}"}


def adding(market: Market, *, salt: str = "add") -> Step:
    """Put one more of a thing into a guest's cart; a cart takes ten different ones.

    Every connection is another shopper: nobody puts eight things into one cart at once.
    """
    chance = random.Random(11)
    order = chance.sample(range(len(market.variants)), len(market.variants))

    async def step(connection: Connection, number: int) -> None:
        shopper = number // (10 * CONNECTIONS) * CONNECTIONS + number % CONNECTIONS
        variant, _ = market.variants[order[number % len(order)]]
        await _asked(
            connection,
            request(
                "POST",
                "/api/v1/cart/items",
                body={"variant_id": str(variant), "quantity": 1},
                headers=_guest(shopper, salt=salt),
            ),
            status=200,
        )

    return step


def basket(shops: list[list[UUID]], number: int) -> list[str]:
    """Two variants of one seller and one of another, another choice for each number."""
    chance = random.Random(number)
    first = chance.choice([shop for shop in shops if len(shop) > 1])
    second = chance.choice(shops)
    while second is first:
        second = chance.choice(shops)
    return [str(variant) for variant in (*chance.sample(first, 2), chance.choice(second))]


def separate_baskets(market: Market, count: int) -> list[list[str]]:
    """Baskets that share nothing, so that what one purchase writes does not depend on others."""
    taken: set[str] = set()
    shops = market.by_seller()
    found: list[list[str]] = []
    for number in range(100 * count):
        chosen = basket(shops, number)
        if taken.isdisjoint(chosen):
            taken.update(chosen)
            found.append(chosen)
        if len(found) == count:
            break
    return found


def opening(variants: list[str] | None) -> dict[str, object]:
    """The body that opens a checkout with all that a payment needs; None means the cart's goods."""
    body: dict[str, object] = {
        "email": "ada@example.org",
        "shipping_address": ADDRESS,
        "billing_address": ADDRESS,
    }
    if variants is not None:
        body["items"] = [{"variant_id": one, "quantity": 1} for one in variants]
    return body


def buying(market: Market, *, with_cart: bool, salt: str = "buy") -> Step:
    """Three lines of two sellers, a checkout of them, a card that is accepted: an order."""

    shops = market.by_seller()

    async def step(connection: Connection, number: int) -> None:
        guest = _guest(number, salt=f"{salt}{int(with_cart)}")
        variants = basket(shops, number)
        for one in variants if with_cart else []:
            body = {"variant_id": one, "quantity": 1}
            putting = request("POST", "/api/v1/cart/items", body=body, headers=guest)
            await _asked(connection, putting, status=200)
        body = opening(None if with_cart else variants)
        opened = request("POST", "/api/v1/checkouts", body=body, headers=guest)
        checkout = await _asked(connection, opened, status=201)
        path = f"/api/v1/checkouts/{checkout['id']}/payment"
        paying = request("POST", path, body={"method": CARD}, headers=guest)
        settled = await _asked(connection, paying, status=200)
        if settled.get("state") != "completed":
            raise Refused(f"a purchase ended as {settled!r}")

    return step


def searching(market: Market) -> Step:
    """A page of 20 with facets; a price limit of its own makes each search new to the engine."""
    chance = random.Random(5)

    async def step(connection: Connection, number: int) -> None:
        word = chance.choice(market.words)
        path = f"/api/v1/listings/search?q={word}&price_max={20_000 + number}"
        answer = await connection.ask(request("GET", path))
        if answer.status != 200:
            raise Refused(f"{path}: {answer.status} {answer.body[:300]!r}")

    return step
