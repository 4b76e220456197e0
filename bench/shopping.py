"""What shoppers do, as steps of load: putting things into a cart, searching, buying."""

from __future__ import annotations

import random

from bench.load import Connection, Step, request
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


async def _asked(connection: Connection, request_: bytes, *, status: int) -> object:
    answer = await connection.ask(request_)
    if answer.status != status:
        first = request_.split(b"\r\n", 1)[0].decode()
        raise Refused(f"{first}: {answer.status} {answer.body[:300]!r}")
    return answer.json()


def _guest(number: int, *, salt: str) -> dict[str, str]:
    return {"souk-guest": f"bench-{salt}-{number:016d}"}


def adding(market: Market, *, salt: str = "add") -> Step:
    """Put one more of a thing into a guest's cart; a cart takes ten different ones."""
    chance = random.Random(11)
    order = chance.sample(range(len(market.variants)), len(market.variants))

    async def step(connection: Connection, number: int) -> None:
        variant, _ = market.variants[order[number % len(order)]]
        await _asked(
            connection,
            request(
                "POST",
                "/api/v1/cart/items",
                body={"variant_id": str(variant), "quantity": 1},
                headers=_guest(number // 10, salt=salt),
            ),
            status=200,
        )

    return step


def basket(market: Market, number: int) -> list[str]:
    """Three variants of exactly two sellers, another choice for each number."""
    chance = random.Random(number)
    first, seller = chance.choice(market.variants)
    chosen, sellers = [first], {seller}
    while len(chosen) < 3:
        variant, seller = chance.choice(market.variants)
        fits = len(sellers | {seller}) <= 2 if len(chosen) == 1 else len(sellers | {seller}) == 2
        if variant not in chosen and fits:
            chosen.append(variant)
            sellers.add(seller)
    return [str(variant) for variant in chosen]


def purchase_requests(variants: list[str], guest: dict[str, str]) -> list[bytes]:
    """Filling the cart and opening the checkout; the payment needs the checkout's id."""
    puts = [
        request("POST", "/api/v1/cart/items", body={"variant_id": one, "quantity": 1}, headers=guest)
        for one in variants
    ]
    opening = {
        "email": "ada@example.org",
        "shipping_address": ADDRESS,
        "billing_address": ADDRESS,
    }
    return [*puts, request("POST", "/api/v1/checkouts", body=opening, headers=guest)]


def buying(market: Market, *, salt: str = "buy") -> Step:
    """A whole purchase: three lines of two sellers, a checkout, a card that is accepted."""

    async def step(connection: Connection, number: int) -> None:
        guest = _guest(number, salt=salt)
        *puts, opening = purchase_requests(basket(market, number), guest)
        for put in puts:
            await _asked(connection, put, status=200)
        checkout = await _asked(connection, opening, status=201)
        assert isinstance(checkout, dict)
        path = f"/api/v1/checkouts/{checkout['id']}/payment"
        paying = request("POST", path, body={"method": CARD}, headers=guest)
        settled = await _asked(connection, paying, status=200)
        assert isinstance(settled, dict)
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
