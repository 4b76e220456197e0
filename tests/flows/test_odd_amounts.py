"""Purchases whose amounts divide badly, in currencies with no, two and three decimals: every sum
comes out, whatever is cancelled, sent back or completed, and in whatever portions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from souk.contexts.ledger import api as ledger
from souk.flows.checkout import jobs
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.kernel.money import Money
from tests.conftest import fresh_database
from tests.factories import market as factory
from tests.factories.market import TEST, Buyer, Market, Shop

WHY = {"reason": "It does not fit"}
PARCEL = {"carrier": "dhl", "tracking": "1"}


@pytest.fixture(params=["JPY", "EUR", "KWD"])
async def odd(
    request: pytest.FixtureRequest, server_url: str, template: str, clock: SettableClock
) -> AsyncIterator[Market]:
    """19 % tax; 7.33 % commission and a fixed unit of it, with 20 % tax on both."""
    async with (
        fresh_database(server_url, template) as url,
        factory.running(url, clock=clock, currency=request.param, tax_rates=("DE:1900",)) as market,
    ):
        rule = ledger.CommissionRule(
            uuid7(), ledger.Scope.PLATFORM, 733, clock.now(), currency=request.param, fixed=1,
            tax_bp=2_000,
        )  # fmt: skip
        await market.db.transact(lambda tx: ledger.add_commission_rule(tx, TEST, rule))
        yield market


async def bought(market: Market, shops: list[Shop], *quantities: int) -> tuple[Buyer, Any]:
    buyer = market.guest()
    currency = market.services.settings.currency
    goods = [
        (await shop.goods(price=1_337 + turn, stock=50, currency=currency), quantity)
        for turn, (shop, quantity) in enumerate(zip(shops, quantities, strict=True))
    ]
    order = await buyer.buy(*goods)
    assert order["total"] == sum(part["total"] for part in order["seller_orders"])
    assert order["tax"] == sum(part["tax"] for part in order["seller_orders"])
    return buyer, order


async def cancel(shop: Shop, part: dict[str, Any], pieces: int) -> None:
    body = {"lines": {part["lines"][0]["id"]: pieces}} | WHY
    answer = await shop.post(f"{part['id']}/cancel-lines", body)
    assert answer.status_code == 200, answer.text


async def test_every_way_through_an_order_adds_up(odd: Market) -> None:
    shops = [await odd.shop() for _ in range(3)]
    ids = [str(shop.seller_id) for shop in shops]
    buyer, order = await bought(odd, shops, 7, 5, 3)
    parts = {part["seller_id"]: part for part in order["seller_orders"]}
    first, second, third = (parts[one] for one in ids)
    # One part piece by piece to nothing, one in portions and the rest completed, one returned.
    for _ in range(7):
        await cancel(shops[0], first, 1)
    await cancel(shops[1], second, 2)
    await cancel(shops[1], second, 1)
    await cancel(shops[2], third, 1)
    for shop, part in zip(shops[1:], (second, third), strict=True):
        sent = await shop.post(f"{part['id']}/ship", PARCEL)
        assert sent.status_code == 200, sent.text
    base = f"/api/v1/orders/{order['id']}/parts"
    done = await buyer.http.post(f"{base}/{second['id']}/confirm-delivery")
    assert done.status_code == 200, done.text
    await odd.db.transact(
        lambda tx: tx.execute(
            "UPDATE orders.seller_order SET state = 'delivered', delivered_at = $2"
            " WHERE id = $1::text::uuid",
            third["id"],
            tx.clock.now(),
        )
    )
    await odd.db.transact(
        lambda tx: tx.execute(
            "INSERT INTO orders.transition (id, seller_order_id, at, actor, previous, state,"
            " reason) VALUES ($1, $2::text::uuid, $3, 'test', 'shipped', 'delivered', '')",
            uuid7(),
            third["id"],
            tx.clock.now(),
        )
    )
    asked = await buyer.http.post(f"{base}/{third['id']}/request-return", json=WHY)
    assert asked.status_code == 200, asked.text
    assert (await shops[2].post(f"{third['id']}/returned", WHY)).status_code == 200
    await odd.sound()
    after = await buyer.order(order["id"])
    back = {part["id"]: part["refunded"] for part in after["seller_orders"]}
    assert back[first["id"]] == first["total"]
    assert back[third["id"]] == third["total"]
    assert 0 < back[second["id"]] < second["total"]
    await jobs.send_refunds(odd.services)
    paid = (await buyer.http.get(f"/api/v1/orders/{order['id']}/payment")).json()
    assert paid["payment"]["refunded"] == sum(back.values())
    await odd.sound()
    currency = odd.services.settings.currency
    async with odd.db.read() as conn:
        (earned,) = await ledger.balances(conn, shops[1].seller_id)
        assert await ledger.balances(conn, shops[0].seller_id) == []
        kept = sum(
            [
                -await ledger.balance_of(conn, code, currency)
                for code in ("commission", "tax:operator", "tax:DE")
            ]
        )
        held = await ledger.balance_of(conn, "gateway:sandbox", currency)
    assert earned.pending + kept == held == order["total"] - sum(back.values())
    assert Money(held, currency) > Money.zero(currency)
