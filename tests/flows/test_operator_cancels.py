"""Operators cancel in a seller's place: what is shown first is what happens, once, and audited."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from souk.flows.checkout import jobs as checkout_jobs
from souk.kernel.actor import Role
from souk.kernel.ids import uuid7
from souk.platform import audit
from tests.factories.market import FLAT_DELIVERY, Market, Shop
from tests.flows.test_fulfil_order import part_of, ship
from tests.web.conftest import text_of

WHY = "The seller has closed for the winter."


@pytest.fixture(autouse=True)
async def sound(market: Market):
    """Every invariant of `souk verify` holds after each of these tests."""
    yield
    await market.sound()


def address(order: dict[str, Any], part: dict[str, Any]) -> str:
    return f"/admin/orders/{order['id']}/parts/{part['id']}/cancel"


async def post(desk: httpx.AsyncClient, url: str, **form: object) -> httpx.Response:
    return await desk.post(url, data={key: str(value) for key, value in form.items()})


def hidden(html: str) -> dict[str, str]:
    """The fields of a question that is to be confirmed."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    return {name: value for name, value in fields if name != "_csrf"}


async def asked(desk: httpx.AsyncClient, url: str, **form: object) -> httpx.Response:
    answer = await post(desk, url, reason=WHY, **form)
    assert answer.status_code == 200, answer.text[:2_000]
    return answer


async def sold(market: Market, *quantities: int, price: int = 1_500) -> tuple[Any, ...]:
    shop = await market.shop()
    goods = [await shop.goods(price=price) for _ in quantities]
    buyer, person = await market.member()
    email = f"{uuid7().hex}@buyers.test"
    order = await buyer.buy(*zip(goods, quantities, strict=True), email=email)
    return shop, goods, buyer, person, order, part_of(order, shop)


async def test_pieces_are_cancelled_as_shown_and_only_once(market: Market) -> None:
    _, [fern], buyer, _, order, part = await sold(market, 3)
    desk = await market.operator(Role.SUPPORT)
    url = address(order, part)
    [line] = (each["id"] for each in part["lines"])
    assert "1 of 3: €15.00 goes back" in text_of((await desk.get(url)).text)
    sure = await asked(desk, url, **{f"units.{line}": 1})
    words = text_of(sure.text)
    assert "Cancel and refund €15.00" in words and WHY in words
    assert "goes back to the stock" in words
    assert "Commission falls away, with its tax −€1.50" in words
    assert (await buyer.order(order["id"]))["refunded"] == 0
    fields = hidden(sure.text)
    done = [await post(desk, url, **fields) for _ in range(2)]
    assert [each.status_code for each in done] == [303, 303]
    view = (await buyer.order(order["id"]))["seller_orders"][0]
    assert (view["state"], view["refunded"]) == ("confirmed", 1_500)
    assert view["lines"][0]["cancelled"] == 1
    assert view["timeline"][-1]["reason"].endswith(WHY)
    assert await market.on_hand(fern) == (8, 0)
    await checkout_jobs.send_refunds(market.services)
    intents = await market.intents(reference=order["payment_id"])
    assert [back for _, _, back in intents] == [1_500]
    async with market.db.read() as conn:
        log = await audit.recent(conn, subject=f"order:{order['id']}")
    rows = [row for row in log if row.action == "orders.cancelled"]
    assert [row.detail["refund"] for row in rows] == ["15.00 EUR"]
    assert rows[0].detail["reason"] == WHY
    page = text_of((await desk.get(f"/admin/orders/{order['id']}")).text)
    assert "1 cancelled" in page and WHY in page


async def test_all_of_a_part_goes_back_with_its_delivery(market: Market) -> None:
    _, [fern, moss], buyer, _, order, part = await sold(market, 2, 1, price=1_000)
    desk = await market.operator(Role.ADMIN)
    url = address(order, part)
    whole = 3_000 + FLAT_DELIVERY
    sure = await asked(desk, url, what="all")
    assert f"Cancel and refund €{whole / 100:.2f}" in text_of(sure.text)
    fields = hidden(sure.text)
    assert (await post(desk, url, **fields)).status_code == 303
    again = await post(desk, url, **fields)
    assert again.status_code == 303
    view = await buyer.order(order["id"])
    assert (view["state"], view["refunded"]) == ("cancelled", whole)
    assert await market.on_hand(fern) == (10, 0) and await market.on_hand(moss) == (10, 0)
    assert await market.balance(f"escrow:{part['id']}") == 0
    late = await desk.get(url)
    assert late.status_code == 303 and late.headers["location"] == f"/admin/orders/{order['id']}"


async def test_buyer_and_seller_read_why(market: Market) -> None:
    for what in ("all", "pieces"):
        shop, _, _, _, order, part = await sold(market, 2)
        desk = await market.operator(Role.SUPPORT)
        line = part["lines"][0]["id"]
        form = {"what": "all"} if what == "all" else {f"units.{line}": 1}
        sure = await asked(desk, address(order, part), **form)
        assert (await post(desk, address(order, part), **hidden(sure.text))).status_code == 303
        await market.drain()
        kind = "order_cancelled" if what == "all" else "lines_cancelled"
        for address_of, wanted in ((order["email"], kind), (shop.owner.email, "sale_cancelled")):
            async with market.db.read() as conn:
                told = await conn.fetch(
                    "SELECT content::text AS said FROM notifications.message"
                    " WHERE address = $1 AND kind = $2",
                    address_of,
                    wanted,
                )
            assert len(told) == 1 and WHY in told[0]["said"], (what, wanted)


async def test_what_is_sent_stays(market: Market) -> None:
    shop, _, buyer, _, order, part = await sold(market, 3)
    desk = await market.operator(Role.SUPPORT)
    url = address(order, part)
    [line] = (each["id"] for each in part["lines"])
    earlier = hidden((await asked(desk, url, what="all")).text)
    await ship(shop, part, **{line: 1})
    assert "All of it" not in text_of((await desk.get(url)).text)
    assert (await post(desk, url, **earlier)).status_code == 303
    assert (await buyer.order(order["id"]))["refunded"] == 0
    too_many = await post(desk, url, reason=WHY, **{f"units.{line}": 3})
    assert too_many.status_code == 422
    await ship(shop, part)
    late = await desk.get(url)
    assert late.status_code == 303
    page = text_of((await desk.get(late.headers["location"])).text)
    assert "can no longer be cancelled" in page
    refused = await post(desk, url, reason=WHY, sure=1, **{f"units.{line}": 2})
    assert refused.status_code == 303
    assert (await buyer.order(order["id"]))["refunded"] == 0


async def test_the_downloads_of_a_mixed_order_stay(market: Market) -> None:
    shop = await market.shop()
    fern, guide = await shop.goods(price=1_000), await shop.download(price=500)
    buyer, _ = await market.member()
    order = await buyer.buy((fern, 1), (guide, 1))
    await market.drain()
    part = part_of(await buyer.order(order["id"]), shop)
    desk = await market.operator(Role.SUPPORT)
    page = await desk.get(address(order, part))
    assert "All of it" not in text_of(page.text)
    line = next(each["id"] for each in part["lines"] if each["kind"] != "digital")
    sure = await asked(desk, address(order, part), **{f"units.{line}": 1})
    assert (await post(desk, address(order, part), **hidden(sure.text))).status_code == 303
    view = (await buyer.order(order["id"]))["seller_orders"][0]
    assert (view["state"], view["refunded"]) == ("delivered", 1_000 + FLAT_DELIVERY)


async def test_it_needs_a_reason_pieces_and_the_right(market: Market) -> None:
    shop, _, _, _, order, part = await sold(market, 1)
    desk = await market.operator(Role.SUPPORT)
    url = address(order, part)
    [line] = (each["id"] for each in part["lines"])
    silent = await post(desk, url, **{f"units.{line}": 1})
    assert silent.status_code == 422 and "that the buyer and the seller" in text_of(silent.text)
    nothing = await post(desk, url, reason=WHY)
    assert nothing.status_code == 422 and "at least one piece" in text_of(nothing.text)
    elsewhere = f"/admin/orders/{uuid7()}/parts/{part['id']}/cancel"
    assert (await desk.get(elsewhere)).status_code == 404
    assert (await post(desk, elsewhere, reason=WHY, what="all", sure=1)).status_code == 404
    for role in (Role.FINANCE, Role.MODERATOR):
        other = await market.operator(role)
        assert (await post(other, url, reason=WHY, what="all", sure=1)).status_code == 403
    finance = await market.operator(Role.FINANCE)
    assert url not in (await finance.get(f"/admin/orders/{order['id']}")).text
    await _own_form_twice(shop, part, line)


async def _own_form_twice(shop: Shop, part: dict[str, Any], line: str) -> None:
    """The seller's own form, too, cancels once however often it is sent."""
    url = f"/sell/orders/{part['id']}/cancel-lines"
    form = {f"units.{line}": "1", "reason": WHY, "sure": "1", "seen": "0"}
    answers = [await shop.http.post(url, data=form) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]


async def test_the_timeline_is_in_true_order(market: Market) -> None:
    shop, _, _, _, order, part = await sold(market, 2)
    desk = await market.operator(Role.SUPPORT)
    # One moment for several steps: all of them happen before the clock moves on.
    await shop.post(f"{part['id']}/ship", {"carrier": "dhl", "tracking": "1"})
    html = (await desk.get(f"/admin/orders/{order['id']}")).text
    titles = re.findall(r"<li class=\"tone-\w+\"><h3>(\w+): ([^<]+)</h3>", html)
    async with market.db.read() as conn:
        rows = await conn.fetch(
            "SELECT * FROM (SELECT id, at, 'Order' AS what, state FROM orders.transition"
            " WHERE seller_order_id = $1 UNION ALL"
            " SELECT t.id, t.at, 'Payment', t.state FROM payments.transition t"
            " WHERE t.payment_id = $2) s ORDER BY at, id",
            part["id"],
            order["payment_id"],
        )
    assert len({row["at"] for row in rows}) < len(rows)
    assert titles == [(row["what"], row["state"].replace("_", " ")) for row in rows]
    assert titles.index(("Payment", "captured")) < titles.index(("Order", "confirmed"))
    assert [state for what, state in titles if what == "Order"] == [
        "confirmed",
        "processing",
        "shipped",
    ]
