"""The link in a guest's mail opens that one order, for a while, and nothing else."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from souk.contexts.orders import api as orders
from souk.flows.notify.jobs import send_order_mail
from souk.flows.notify.orders import SendOrderMail
from souk.flows.review_purchase.jobs import ask_for_reviews
from souk.kernel.ids import uuid7
from souk.platform.mail import local_mails
from tests.factories.market import Market

LINK = re.compile(r"http://127\.0\.0\.1:8000(/account/orders/[0-9a-f-]+/open\?key=[\w-]+)")


async def mailed_links(market: Market, email: str) -> list[str]:
    """Deliver every event, run the jobs of guests' mails, and read the links in the mails."""
    await market.drain()
    async with market.db.read() as conn:
        rows = await conn.fetch(
            "SELECT payload FROM jobs.pgqueuer WHERE entrypoint = 'notify.send_order_mail'"
        )
    for row in rows:
        payload = msgspec.json.decode(row["payload"], type=SendOrderMail)
        await send_order_mail(market.services, payload)
    async with market.db.read() as conn:
        mails = await local_mails(conn, recipient=email)
    return [path for mail in mails for path in LINK.findall(mail.plain)]


async def submit(browser: httpx.AsyncClient, path: str, form: dict[str, str]) -> httpx.Response:
    await browser.get("/login")
    return await browser.post(path, data={"_csrf": browser.cookies["souk_csrf"], **form})


@pytest.fixture
async def order(market: Market) -> dict:
    shop = await market.shop()
    items = (await shop.goods(), 1), (await shop.download(), 1)
    return await market.guest().buy(*items, email=f"{uuid7().hex}@buyers.test")


async def test_the_link_opens_the_order_in_any_browser(market: Market, order: dict) -> None:
    links = await mailed_links(market, order["email"])
    assert links
    browser = market.client({"accept": "text/html"})
    page = f"/account/orders/{order['id']}"
    assert (await browser.get(page)).status_code == 404
    opened = await browser.get(links[0])
    assert (opened.status_code, opened.headers["location"]) == (303, page)
    cookie = opened.headers["set-cookie"]
    assert f"Path={page};" in cookie
    assert "HttpOnly" in cookie
    shown = await browser.get(page)
    assert shown.status_code == 200
    assert order["number"] in shown.text
    download = re.search(r'href="(?:http://127\.0\.0\.1:8000)?(/[^"]*download[^"]*)"', shown.text)
    assert download is not None
    assert (await browser.get(download.group(1))).status_code == 200


async def test_the_guest_may_cancel_through_the_link(market: Market) -> None:
    shop = await market.shop()
    listing = await shop.goods()
    order = await market.guest().buy((listing, 2), email=f"{uuid7().hex}@buyers.test")
    browser = market.client({"accept": "text/html"})
    await browser.get((await mailed_links(market, order["email"]))[0])
    part = order["seller_orders"][0]["id"]
    path = f"/account/orders/{order['id']}/parts/{part}/cancel"
    done = await submit(browser, path, {"reason": "I ordered the wrong size."})
    assert done.status_code == 303
    assert await market.on_hand(listing) == (10, 0)
    await market.sound()


async def test_the_link_opens_nothing_else(market: Market, order: dict) -> None:
    shop = await market.shop()
    other = await market.guest().buy((await shop.goods(), 1), email=order["email"])
    browser = market.client({"accept": "text/html"})
    links = await mailed_links(market, order["email"])
    mine = next(link for link in links if order["id"] in link)
    await browser.get(mine)
    key = mine.partition("key=")[2]
    for path in (
        f"/account/orders/{other['id']}",
        f"/account/orders/{other['id']}/open?key={key}",
        f"/api/v1/orders/{order['id']}",
        f"/api/v1/orders/{other['id']}",
    ):
        # Even a caller who copies the cookie elsewhere gets no further.
        answer = await browser.get(path, headers={"cookie": f"souk_order={key}"})
        assert answer.status_code == 404, path
    mine_too = await browser.get("/account/orders", headers={"cookie": f"souk_order={key}"})
    assert mine_too.headers["location"].startswith("/login")


@pytest.mark.parametrize("change", ["", "x", "A" * 60, "é", "%00", "=" * 8, "A" * 101])
async def test_a_forged_link_opens_nothing(market: Market, order: dict, change: str) -> None:
    browser = market.client({"accept": "application/json"})
    link = (await mailed_links(market, order["email"]))[0]
    forged = link.partition("key=")[0] + "key=" + change
    assert (await browser.get(forged)).status_code in {400, 404, 422}
    flipped = link[:-1] + ("A" if link[-1] != "A" else "Q")
    assert (await browser.get(flipped)).status_code == 404


async def test_the_link_runs_out(market: Market, order: dict) -> None:
    browser = market.client({"accept": "application/json"})
    link = (await mailed_links(market, order["email"]))[0]
    await browser.get(link)
    market.clock.advance(orders.LINK_LIFE + timedelta(seconds=1))
    late = await market.client({"accept": "application/json"}).get(link)
    assert (late.status_code, late.json()["code"]) == (404, "order_link_over")
    assert "newest mail" in late.json()["detail"]
    assert (await browser.get(f"/account/orders/{order['id']}")).status_code == 404


async def test_a_member_gets_the_plain_address(market: Market) -> None:
    buyer, person = await market.member()
    shop = await market.shop()
    await buyer.buy((await shop.goods(), 1), email=person.email)
    assert await mailed_links(market, person.email) == []


async def test_no_key_is_stored_or_logged(market: Market, order: dict) -> None:
    with capture_logs() as logs:
        links = await mailed_links(market, order["email"])
        await market.client({"accept": "text/html"}).get(links[0])
    keys = [link.partition("key=")[2] for link in links]
    async with market.db.read() as conn:
        kept = [
            await conn.fetchval(f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} t")
            for table in ("jobs.pgqueuer", "notifications.message", "platform.event")
        ]
    for key in keys:
        assert key not in json.dumps(logs, default=str)
        assert not any(key in text for text in kept)


async def received(market: Market) -> tuple[dict, str]:
    """An order of a guest that arrived six days ago, and the link of the mail that asks for words
    about it."""
    shop = await market.shop()
    buyer = market.guest()
    order = await buyer.buy((await shop.goods(), 1), email=f"{uuid7().hex}@buyers.test")
    part = order["seller_orders"][0]["id"]
    parcel = {"carrier": "dhl", "tracking": "00340434161094042557"}
    assert (await shop.post(f"{part}/ship", parcel)).status_code == 200
    url = f"/api/v1/orders/{order['id']}/parts/{part}/confirm-delivery"
    assert (await buyer.http.post(url)).status_code == 200
    await mailed_links(market, order["email"])
    market.clock.advance(timedelta(days=6))
    assert await ask_for_reviews(market.services) == 1
    await mailed_links(market, order["email"])
    async with market.db.read() as conn:
        mails = await local_mails(conn, recipient=order["email"])
    [asking] = [mail for mail in mails if mail.subject.startswith("How is ")]
    link = LINK.search(asking.plain)
    assert link is not None
    assert f"{link[1]}#reviews" in asking.plain
    assert "/unsubscribe" in asking.plain
    return order, link[1]


async def test_a_guest_is_asked_once_and_reviews_through_the_link(market: Market) -> None:
    order, link = await received(market)
    assert await ask_for_reviews(market.services) == 0
    browser = market.client({"accept": "text/html"})
    line = order["seller_orders"][0]["lines"][0]["id"]
    path = f"/account/orders/{order['id']}/lines/{line}/review"
    assert (await browser.get(path)).status_code == 404
    await browser.get(link)
    shown = (await browser.get(f"/account/orders/{order['id']}")).text
    assert path in shown
    assert "Just right" not in shown
    assert (await browser.get(path)).status_code == 200
    refused = await submit(browser, path, {"text": "No stars."})
    assert refused.status_code == 422
    done = await submit(browser, path, {"stars": "5", "text": "Just right, and in time."})
    assert done.status_code == 303, done.text
    async with market.db.read() as conn:
        row = await conn.fetchrow(
            "SELECT r.stars, r.author_id, r.guest = p.guest AS same FROM reviews.review r"
            " JOIN orders.purchase p ON p.id = r.order_id WHERE p.id = $1",
            UUID(order["id"]),
        )
    assert row is not None
    assert tuple(row.values()) == (5, None, True)
    # What was written is changed where it was ordered: the link's cookie is not sent elsewhere.
    after = (await browser.get(f"/account/orders/{order['id']}")).text
    assert "You have reviewed it" in after
    assert "/account/reviews/" not in after
    again = await browser.get(path)
    assert (again.status_code, again.headers["location"]) == (
        303, f"/account/orders/{order['id']}#reviews",
    )  # fmt: skip
    await market.sound()


async def test_a_link_reviews_no_other_order(market: Market) -> None:
    order, link = await received(market)
    other, _ = await received(market)
    browser = market.client({"accept": "text/html"})
    await browser.get(link)
    key = link.partition("key=")[2]
    line = other["seller_orders"][0]["lines"][0]["id"]
    path = f"/account/orders/{other['id']}/lines/{line}/review"
    for crossed in (path, path.replace(other["id"], order["id"])):
        answer = await browser.get(crossed, headers={"cookie": f"souk_order={key}"})
        assert answer.status_code == 404, crossed


async def test_a_guest_who_wants_no_such_mails_gets_none(market: Market) -> None:
    order, _ = await received(market)
    async with market.db.read() as conn:
        mails = await local_mails(conn, recipient=order["email"])
    [asking] = [mail for mail in mails if mail.subject.startswith("How is ")]
    url = re.search(r"http://127\.0\.0\.1:8000(/\S*unsubscribe\S*)", asking.plain)
    assert url is not None
    browser = market.client({})
    assert (await browser.post(url[1], data={"List-Unsubscribe": "One-Click"})).status_code in {
        200,
        303,
    }
    shop = await market.shop()
    buyer = market.guest()
    second = await buyer.buy((await shop.goods(), 1), email=order["email"])
    part = second["seller_orders"][0]["id"]
    await shop.post(f"{part}/ship", {"carrier": "dhl", "tracking": "00340434161094042557"})
    await buyer.http.post(f"/api/v1/orders/{second['id']}/parts/{part}/confirm-delivery")
    market.clock.advance(timedelta(days=6))
    assert await ask_for_reviews(market.services) == 0
