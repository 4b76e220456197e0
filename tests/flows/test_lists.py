"""`/api/v1/wishlist`, `/api/v1/recently-viewed` and the operator's figures over the real routes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from souk.kernel.ids import uuid7
from tests.factories import market as factory
from tests.factories.market import Market


@pytest.fixture(scope="module")
async def market(db_url: str, clock: object) -> AsyncIterator[Market]:
    async with factory.running(db_url, clock=clock) as made:  # type: ignore[arg-type]
        yield made


async def ids(http: httpx.AsyncClient, path: str) -> list[str]:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return [each.get("listing_id") or each["id"] for each in answer.json()["items"]]


async def test_a_members_lists(market: Market) -> None:
    shop = await market.shop("List shop")
    goods = await shop.goods()
    buyer, _ = await market.member()
    listing = str(goods.id)
    for _n in range(2):
        answer = await buyer.http.post("/api/v1/wishlist", json={"listing_id": listing})
        assert answer.status_code == 200, answer.text
    [item] = answer.json()["items"]
    assert item["can_buy"]
    assert item["dropped_from"] is None
    assert item["listing"]["id"] == listing
    assert (await buyer.http.delete(f"/api/v1/wishlist/{listing}")).status_code == 204
    assert await ids(buyer.http, "/api/v1/wishlist") == []
    absent = await buyer.http.post("/api/v1/wishlist", json={"listing_id": str(uuid7())})
    assert absent.status_code == 404

    noted = {"listing_ids": [str(uuid7()), listing]}
    answer = await buyer.http.post("/api/v1/recently-viewed", json=noted)
    assert answer.status_code == 200, answer.text
    assert await ids(buyer.http, "/api/v1/recently-viewed") == [listing]
    assert (await buyer.http.delete("/api/v1/recently-viewed")).status_code == 204
    assert await ids(buyer.http, "/api/v1/recently-viewed") == []
