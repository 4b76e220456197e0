"""The stock routes as a seller's program sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from souk.contexts.inventory import http
from souk.kernel.actor import Actor, Role
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from tests.conftest import Client
from tests.inventory.factories import Shop, consume, reserve

BASE = "/api/v1/inventory/stock"


@pytest.fixture
def client(make_client: Callable[[Sequence[Any]], Client]) -> Client:
    return make_client(http.routes)


def seller(shop: Shop) -> Actor:
    return Actor(
        kind="user", user_id=uuid7(), seller_id=shop.seller_id, roles=frozenset({Role.SELLER})
    )


async def test_a_seller_reads_and_changes_stock(client: Client, db: Database) -> None:
    shop = await Shop(db, 5, None).open()
    client.act_as.actor = seller(shop)
    listed = (await client.get(BASE)).json()
    assert [item["variant_id"] for item in listed["items"]] == [str(v) for v in shop.variants]
    path = f"{BASE}/{shop.variants[0]}"
    answer = await client.post(f"{path}/adjustments", json={"delta": 4, "reason": "restock"})
    assert answer.status_code == 201
    assert answer.json() == {
        "variant_id": str(shop.variants[0]),
        "listing_id": str(shop.listing_id),
        "on_hand": 9,
        "reserved": 0,
        "available": 9,
        "tracked": True,
        "low_stock_at": 3,
    }
    checkout = uuid7()
    await reserve(db, checkout, (shop.variants[0], 2))
    await consume(db, checkout, "ORDER-1")
    moved = (await client.get(f"{path}/movements", params={"limit": 2})).json()
    assert [(m["delta"], m["reason"]) for m in moved["items"]] == [(-2, "sale"), (4, "restock")]
    rest = (await client.get(f"{path}/movements", params={"cursor": moved["next_cursor"]})).json()
    assert [m["reason"] for m in rest["items"]] == ["initial"]


async def test_low_stock_is_filtered_by_the_sellers_threshold(client: Client, db: Database) -> None:
    shop = await Shop(db, 5, 5, None).open()
    client.act_as.actor = seller(shop)
    assert (await client.get(BASE, params={"low_only": True})).json()["items"] == []
    answer = await client.patch(f"{BASE}/{shop.variants[1]}", json={"low_stock_at": 5})
    assert answer.json()["low_stock_at"] == 5
    low = (await client.get(BASE, params={"low_only": True})).json()["items"]
    assert [item["variant_id"] for item in low] == [str(shop.variants[1])]
    assert (await shop.told())[-1] == (True, 10, True)


async def test_pages_follow_each_other(client: Client, db: Database) -> None:
    shop = await Shop(db, 1, 2, 3).open()
    client.act_as.actor = seller(shop)
    first = (await client.get(BASE, params={"limit": 2})).json()
    second = (await client.get(BASE, params={"cursor": first["next_cursor"]})).json()
    assert [item["on_hand"] for item in first["items"] + second["items"]] == [1, 2, 3]
    assert second["next_cursor"] is None
    assert (await client.get(BASE, params={"cursor": "Wzdd"})).status_code == 422
    assert (await client.get(BASE, params={"limit": -5})).status_code == 422


async def test_refusals_are_problems(client: Client, db: Database) -> None:
    mine, theirs = await Shop(db, 5).open(), await Shop(db, 5).open()
    client.act_as.actor = seller(mine)
    own, other = f"{BASE}/{mine.variants[0]}", f"{BASE}/{theirs.variants[0]}"
    body = {"delta": 1, "reason": "restock"}
    for answer in (
        await client.get(other),
        await client.get(f"{other}/movements"),
        await client.post(f"{other}/adjustments", json=body),
        await client.patch(other, json={"low_stock_at": 1}),
        await client.get(f"{BASE}/{uuid7()}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for wrong in (
        {"reason": "restock"},
        {"delta": 1, "on_hand": 1, "reason": "restock"},
        {"delta": 1, "reason": "sale"},
        {"delta": 1, "reason": "restock", "note": "a\u0000b"},
        {"delta": 10**12, "reason": "restock"},
    ):
        answer = await client.post(f"{own}/adjustments", json=wrong)
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"].startswith("application/problem+json")
    too_low = await client.post(f"{own}/adjustments", json={"delta": -6, "reason": "loss"})
    assert (too_low.status_code, too_low.json()["code"]) == (409, "stock_too_low")
    assert await mine.numbers() == (5, 0, 5)


async def test_only_sellers(client: Client) -> None:
    assert (await client.get(BASE)).status_code == 401
    client.act_as.actor = Actor(kind="user", user_id=uuid7())
    assert (await client.get(BASE)).status_code == 403
