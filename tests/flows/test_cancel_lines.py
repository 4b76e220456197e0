"""Cancelling single pieces of an order: stock, escrow, tax, commission and the refund."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from souk.contexts.fulfilment import api as fulfilment
from souk.flows.checkout import flow
from souk.flows.checkout import jobs as checkout_jobs
from souk.kernel.ids import fingerprint, uuid7
from souk.platform.http.holder import Holder
from tests.factories.market import FLAT_DELIVERY, HOME, Buyer, Market, Shop
from tests.flows.test_fulfil_order import confirm, part_of, ship

WHY = "It froze last night"


@pytest.fixture(autouse=True)
async def sound(market: Market):
    yield
    await market.sound()


async def cancel(shop: Shop, part: dict[str, Any], lines: dict[str, int]) -> Any:
    return await shop.post(f"{part['id']}/cancel-lines", {"reason": WHY, "lines": lines})


async def test_one_piece_of_three(market: Market) -> None:
    shop = await market.shop()
    fern, moss = await shop.goods(price=1_500), await shop.goods(price=700)
    buyer = market.guest()
    order = await buyer.buy((fern, 3), (moss, 1))
    part = part_of(order, shop)
    a, b = (line["id"] for line in part["lines"])
    commission = await market.balance("commission")
    answer = await cancel(shop, part, {a: 1})
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert (view["state"], view["refunded"]) == ("confirmed", 1_500)
    assert [line["cancelled"] for line in view["lines"]] == [1, 0]
    assert view["timeline"][-1]["reason"].endswith(f"cancelled: {WHY}")
    assert await market.on_hand(fern) == (8, 0)
    escrow = 3_000 + 700 + FLAT_DELIVERY
    assert await market.balance(f"escrow:{part['id']}") == -escrow
    await checkout_jobs.send_refunds(market.services)
    intents = await market.intents(reference=order["payment_id"])
    assert [back for _, _, back in intents] == [1_500]
    too_many = await cancel(shop, part, {a: 3})
    assert (too_many.status_code, too_many.json()["code"]) == (409, "cancel_too_late")
    await ship(shop, part)
    late = await cancel(shop, part, {b: 1})
    assert (late.status_code, late.json()["code"]) == (409, "illegal_transition")
    await confirm(buyer, order, part)
    assert await market.balance(f"escrow:{part['id']}") == 0
    assert await market.balance("commission") == commission - 370
    assert await market.balance(f"seller:{shop.seller_id}:pending") == -(escrow - 370)


async def test_the_buyer_is_told(market: Market) -> None:
    shop = await market.shop()
    buyer = market.guest()
    order = await buyer.buy((await shop.goods(), 2), email="told@buyers.test")
    part = part_of(order, shop)
    await cancel(shop, part, {part["lines"][0]["id"]: 1})
    await market.drain()
    async with market.db.read() as conn:
        kinds = await conn.fetch(
            "SELECT kind FROM notifications.message WHERE address = 'told@buyers.test' ORDER BY id"
        )
    assert "lines_cancelled" in {row["kind"] for row in kinds}


async def test_everything_piece_by_piece_is_a_cancelled_order(market: Market) -> None:
    shop = await market.shop()
    fern = await shop.goods(price=333)
    buyer = market.guest()
    order = await buyer.buy((fern, 3))
    part = part_of(order, shop)
    [line] = (each["id"] for each in part["lines"])
    states = [(await cancel(shop, part, {line: 1})).json()["state"] for _ in range(3)]
    assert states == ["confirmed", "confirmed", "cancelled"]
    assert (await buyer.order(order["id"]))["refunded"] == order["total"]
    assert await market.on_hand(fern) == (10, 0)
    assert await market.balance(f"escrow:{part['id']}") == 0


async def test_pieces_then_the_rest_at_once(market: Market) -> None:
    shop = await market.shop()
    fern = await shop.goods(price=333)
    buyer = market.guest()
    order = await buyer.buy((fern, 4))
    part = part_of(order, shop)
    await cancel(shop, part, {part["lines"][0]["id"]: 1})
    url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/cancel"
    answer = await buyer.http.post(url, json={"reason": WHY})
    assert answer.status_code == 200, answer.text
    assert answer.json()["refunded"] == order["total"]
    assert await market.on_hand(fern) == (10, 0)


async def test_the_rest_of_what_was_sent_in_part(market: Market) -> None:
    shop = await market.shop()
    fern = await shop.goods(price=1_000)
    buyer = market.guest()
    order = await buyer.buy((fern, 3))
    part = part_of(order, shop)
    [line] = (each["id"] for each in part["lines"])
    await ship(shop, part, **{line: 1})
    answer = await cancel(shop, part, {line: 2})
    assert answer.json()["state"] == "shipped"
    assert await market.on_hand(fern) == (9, 0)
    await confirm(buyer, order, part)
    earned = 1_000 + FLAT_DELIVERY - 100
    assert await market.balance(f"seller:{shop.seller_id}:pending") == -earned


async def test_a_return_after_a_part_was_cancelled(market: Market) -> None:
    from tests.flows.test_fulfil_order import as_buyer, deliver

    shop = await market.shop()
    fern = await shop.goods(price=1_000)
    buyer = market.guest()
    order = await buyer.buy((fern, 3))
    part = part_of(order, shop)
    await cancel(shop, part, {part["lines"][0]["id"]: 1})
    await ship(shop, part)
    await deliver(market, shop, part)
    await as_buyer(buyer, order, part, "request-return")
    await shop.post(f"{part['id']}/returned", {"reason": WHY})
    assert (await buyer.order(order["id"]))["refunded"] == order["total"]
    assert await market.on_hand(fern) == (10, 0)
    assert await market.balance(f"escrow:{part['id']}") == 0


async def taxed(market: Market, buyer: Buyer, *items: tuple[Any, int]) -> dict[str, Any]:
    settings = msgspec.structs.replace(market.services.settings, tax_rates=("DE:1900",))
    holder = Holder(guest=fingerprint(buyer.http.headers["souk-guest"]))
    view = await market.db.transact(
        lambda tx: flow.open_checkout(
            tx,
            holder,
            items=[flow.Item(listing.variants[0].id, units) for listing, units in items],
            parts=flow.Parts(
                email="a@b.test", shipping_address=msgspec.convert(HOME, fulfilment.Address)
            ),
            settings=settings,
        )
    )
    paid = (await buyer.pay({"id": str(view.id)})).json()
    return await buyer.order(paid["order_id"])


@pytest.mark.parametrize("seed", range(4))
async def test_random_cancellations_leave_books_and_shelf_right(market: Market, seed: int) -> None:
    """Any row of cancellations and parcels, with tax: `sound` compares books, orders and shelf."""
    chance = random.Random(seed)
    shop = await market.shop()
    goods = [await shop.goods(price=chance.randint(1, 3_333)) for _ in range(3)]
    bought = [(listing, chance.randint(1, 5)) for listing in goods]
    before = await market.balance("tax:DE")
    buyer = market.guest()
    order = await taxed(market, buyer, *bought)
    part = part_of(order, shop)
    left = {line["id"]: line["quantity"] for line in part["lines"]}
    while any(left.values()):
        line = chance.choice([one for one, units in left.items() if units])
        units = chance.randint(1, left[line])
        if chance.random() < 0.3:
            await ship(shop, part, **{line: units})
        else:
            answer = await cancel(shop, part, {line: units})
            assert answer.status_code == 200, answer.text
        left[line] -= units
        await market.sound()
    now = part_of(await buyer.order(order["id"]), shop)
    assert now["state"] in {"shipped", "cancelled"}
    sent = {line["variant_id"]: line["fulfilled"] for line in now["lines"]}
    for listing, _ in bought:
        assert await market.on_hand(listing) == (10 - sent[str(listing.variants[0].id)], 0)
    if now["state"] == "shipped":
        await confirm(buyer, order, part)
    else:
        assert await market.balance("tax:DE") == before
    assert await market.balance(f"escrow:{part['id']}") == 0


async def test_at_once(market: Market) -> None:
    """Many cancellations of the last pieces at the same moment: no piece comes back twice."""
    shop = await market.shop()
    fern = await shop.goods(price=1_000)
    buyer = market.guest()
    order = await buyer.buy((fern, 2), (await shop.goods(), 1))
    part = part_of(order, shop)
    line = part["lines"][0]["id"]
    url = f"/api/v1/orders/{order['id']}/parts/{part['id']}/cancel"
    tries = [cancel(shop, part, {line: 1}) for _ in range(5)]
    answers = await asyncio.gather(*tries, buyer.http.post(url, json={"reason": WHY}))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await market.on_hand(fern))[0] in {9, 10}
    refunded = (await buyer.order(order["id"]))["refunded"]
    assert refunded in {1_000, 2_000, order["total"]}
    assert 0 < refunded <= order["total"]


async def test_another_seller_cancels_nothing(market: Market) -> None:
    shop, stranger = await market.shop(), await market.shop()
    fern = await shop.goods()
    order = await market.guest().buy((fern, 1))
    part = part_of(order, shop)
    for target in (part["id"], str(uuid7())):
        answer = await stranger.post(
            f"{target}/cancel-lines", {"reason": WHY, "lines": {part["lines"][0]["id"]: 1}}
        )
        assert answer.status_code == 404
    wrong = await cancel(shop, part, {str(UUID(int=7)): 1})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "line_not_found")
    assert await market.on_hand(fern) == (9, 0)


async def test_the_page_says_the_refund_before_anything_happens(market: Market) -> None:
    shop = await market.shop()
    fern = await shop.goods(price=1_500)
    order = await market.guest().buy((fern, 3))
    part = part_of(order, shop)
    line = part["lines"][0]["id"]
    own = f"/sell/orders/{part['id']}"
    asked = await shop.http.get(f"{own}/cancel-lines", params={"line": line})
    assert "3 of 3: €45.00 goes back" in asked.text
    form = {f"units.{line}": "2", "reason": WHY}
    said = await shop.http.post(f"{own}/cancel-lines", data=form)
    assert "Cancel and refund €30.00" in said.text and "€3.00 less commission" in said.text
    assert await market.on_hand(fern) == (7, 0), "nothing happens before it is confirmed"
    for wrong in ({"reason": WHY}, form | {"reason": ""}, form | {f"units.{line}": "4"}):
        refused = await shop.http.post(f"{own}/cancel-lines", data=wrong | {"sure": "1"})
        assert refused.status_code in {409, 422}, refused.text
    done = await shop.http.post(f"{own}/cancel-lines", data=form | {"sure": "1"})
    assert done.status_code == 303, done.text
    assert await market.on_hand(fern) == (9, 0)
    page = (await shop.http.get(own)).text
    assert "2 cancelled" in page and "€30.00 refunded" in page
    whole = await shop.http.post(f"{own}/cancel-lines", data={f"units.{line}": "1", "reason": WHY})
    assert "nothing is left to send" in whole.text and "€19.90" in whole.text


async def test_the_buyer_sees_what_changed(market: Market) -> None:
    shop = await market.shop()
    buyer, _ = await market.member()
    order = await buyer.buy((await shop.goods(price=1_500), 2))
    part = part_of(order, shop)
    await cancel(shop, part, {part["lines"][0]["id"]: 1})
    page = (await buyer.http.get(f"/account/orders/{order['id']}")).text
    assert "Changed" in page and f"cancelled: {WHY}" in page
