"""Methods, rates and quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.fulfilment import api
from souk.contexts.fulfilment.domain.shipping import MAX_METHODS, checked, options, price
from souk.contexts.fulfilment.errors import TooManyMethods
from souk.contexts.fulfilment.http import routes
from souk.kernel.actor import Actor
from souk.kernel.errors import Forbidden, InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from souk.platform.database import Database, count_statements
from tests.conftest import Client


def a_seller() -> Actor:
    return Actor(kind="user", user_id=uuid7(), seller_id=uuid7())


def method(*rates: api.Rate, **changes: Any) -> api.Method:
    fields = {"id": uuid7(), "name": "Parcel", "kind": "delivery", "currency": "EUR"}
    return api.Method(**(fields | {"rates": list(rates)} | changes))


def group(
    seller: Actor, subtotal: int = 2_000, *, weight_g: int = 800, ships: bool = True
) -> api.GroupToShip:
    assert seller.seller_id is not None
    return api.GroupToShip(seller.seller_id, Money(subtotal, "EUR"), weight_g, ships)


async def offer(db: Database, seller: Actor, *methods: api.Method) -> None:
    for one in methods:
        await db.transact(lambda tx, one=one: api.add_method(tx, seller, method=one))


async def quote(
    db: Database, country: str, *groups: api.GroupToShip
) -> dict[UUID, list[api.DeliveryOption]]:
    async with db.read() as conn:
        return await api.quote(conn, country=country, groups=list(groups))


async def test_a_quote_for_many_sellers_is_one_statement(db: Database) -> None:
    plain, rich, digital = a_seller(), a_seller(), a_seller()
    await offer(
        db,
        rich,
        method(
            api.Rate(countries=["DE"], amount=390, free_over=5_000, min_days=1, max_days=2),
            api.Rate(amount=1_490, min_days=4, max_days=9),
        ),
        method(
            api.Rate(countries=["DE"], amount=0, min_days=0, max_days=1),
            name="Collect it",
            kind="pickup",
            pickup_note="Weekdays from 9 to 17, Hauptstr. 1",
        ),
    )
    async with count_statements() as count:
        found = await quote(db, "de", group(plain), group(rich), group(digital, ships=False))
    assert count.total == 1
    assert found[digital.seller_id or uuid7()] == []
    assert [o.method_id for o in found[plain.seller_id or uuid7()]] == [api.DEFAULT_METHOD]
    assert [(o.label, o.amount.amount, o.kind) for o in found[rich.seller_id or uuid7()]] == [
        ("Parcel", 390, "delivery"),
        ("Collect it", 0, "pickup"),
    ]
    abroad = await quote(db, "FR", group(rich))
    assert [(o.amount.amount, o.max_days) for o in abroad[rich.seller_id or uuid7()]] == [
        (1_490, 9)
    ]
    free = await quote(db, "DE", group(rich, 5_000))
    assert free[rich.seller_id or uuid7()][0].amount == Money(0, "EUR")


async def test_nothing_goes_where_no_rate_does(db: Database) -> None:
    seller = a_seller()
    await offer(db, seller, method(api.Rate(countries=["DE", "AT"], amount=500)))
    assert (await quote(db, "US", group(seller)))[seller.seller_id or uuid7()] == []


async def test_methods_in_another_currency_or_switched_off_are_not_offered(db: Database) -> None:
    seller = a_seller()
    await offer(db, seller, method(api.Rate(amount=500), currency="USD"))
    assert (await quote(db, "DE", group(seller)))[seller.seller_id or uuid7()] == []
    other = a_seller()
    off = method(api.Rate(amount=500), active=False)
    await offer(db, other, off)
    assert [
        o.method_id for o in (await quote(db, "DE", group(other)))[other.seller_id or uuid7()]
    ] == [api.DEFAULT_METHOD]


BY_WEIGHT = api.Rate(
    brackets=[api.Bracket(1_000, 300), api.Bracket(5_000, 700), api.Bracket(20_000, 1_500)]
)


@pytest.mark.parametrize(
    ("weight_g", "amount"), [(0, 300), (1_000, 300), (1_001, 700), (20_000, 1_500), (20_001, None)]
)
def test_brackets_include_their_upper_end(weight_g: int, amount: int | None) -> None:
    cost = price(BY_WEIGHT, currency="EUR", subtotal=Money(1, "EUR"), weight_g=weight_g)
    assert (cost.amount if cost else None) == amount


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_a_heavier_parcel_never_costs_less(one: int, other: int) -> None:
    light, heavy = sorted((one, other))
    costs = [
        price(BY_WEIGHT, currency="EUR", subtotal=Money(1, "EUR"), weight_g=weight)
        for weight in (light, heavy)
    ]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[0] <= costs[1]


def test_the_default_fits_the_currency() -> None:
    for currency, minor in (("EUR", 490), ("JPY", 490), ("KWD", 4_900)):
        seller = a_seller()
        one = api.GroupToShip(seller.seller_id or uuid7(), Money(1, currency), 1, True)
        assert options(one, [])[0].amount == Money(minor, currency)


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (method(), "rates"),
        (method(api.Rate(), api.Rate()), "rates"),
        (method(api.Rate(countries=["DE"]), api.Rate(countries=["de"])), "rates[1].countries"),
        (method(api.Rate(min_days=3, max_days=2)), "rates[0].max_days"),
        (
            method(api.Rate(brackets=[api.Bracket(5, 1), api.Bracket(5, 2)])),
            "rates[0].brackets",
        ),
        (method(api.Rate(), kind="pickup"), "pickup_note"),
    ],
)
def test_contradictions_are_named(bad: api.Method, path: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked(bad)
    assert [problem.path for problem in refusal.value.problems] == [path]


async def test_only_its_seller_changes_a_method(db: Database) -> None:
    mine, other = a_seller(), a_seller()
    made = method(api.Rate(amount=500))
    await offer(db, mine, made)
    with pytest.raises(NotFound):
        await db.transact(lambda tx: api.change_method(tx, other, method=made))
    with pytest.raises(NotFound):
        await db.transact(lambda tx: api.remove_method(tx, other, method_id=made.id))
    with pytest.raises(Forbidden):
        await db.transact(
            lambda tx: api.add_method(tx, Actor(kind="user", user_id=uuid7()), method=made)
        )


async def test_a_seller_has_so_many_methods(db: Database) -> None:
    seller = a_seller()
    await offer(db, seller, *(method(api.Rate(amount=1)) for _ in range(MAX_METHODS)))
    with pytest.raises(TooManyMethods):
        await offer(db, seller, method(api.Rate(amount=1)))


async def test_the_routes(make_client: Callable[..., Client]) -> None:
    client = make_client(routes)
    client.act_as.actor = a_seller()
    body = {
        "name": "Parcel",
        "currency": "EUR",
        "rates": [
            {"countries": ["de"], "amount": 450, "brackets": [{"up_to_g": 2000, "amount": 450}]},
            {"amount": 990},
        ],
    }
    made = await client.post("/api/v1/shipping-methods", json=body)
    assert made.status_code == 201, made.text
    url = f"/api/v1/shipping-methods/{made.json()['id']}"
    changed = await client.put(url, json=body | {"rates": [{"amount": 700}], "position": 3})
    assert changed.status_code == 200
    listed = (await client.get("/api/v1/shipping-methods")).json()["items"]
    assert [(item["position"], item["rates"][0]["amount"]) for item in listed] == [(3, 700)]
    assert (
        await client.post("/api/v1/shipping-methods", json=body | {"rates": []})
    ).status_code == 422
    assert (await client.post("/api/v1/shipping-methods", json=body | {"x": 1})).status_code in {
        400,
        422,
    }
    assert (await client.delete(url)).status_code == 204
    assert (await client.delete(url)).status_code == 404
    client.act_as.actor = Actor(kind="user", user_id=uuid7())
    assert (await client.get("/api/v1/shipping-methods")).status_code == 403
