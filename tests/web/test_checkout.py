"""From the cart over the gateway's page to the order, by forms alone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.kernel.actor import Actor, system
from souk.kernel.ids import uuid7
from souk.platform.database import Database, count_statements
from tests.web.conftest import Member, Visitor, text_of
from tests.web.world import World

VISA, CHALLENGE, DECLINED = "4242424242424242", "4000002760003184", "4000000000000002"
ADDRESS = {
    "email": "anna@example.com",
    "country": "DE",
    "name": "Anna Buyer",
    "line1": "Weg 1",
    "city": "Jena",
    "postal_code": "07743",
}


async def put(visitor: Visitor, *listings: object) -> None:
    for listing in listings:
        variant = str(listing.variants[0].id)  # type: ignore[attr-defined]
        answer = await visitor.submit("/cart/items", {"variant_id": variant})
        assert answer.headers["location"] == "/cart"


async def begin(visitor: Visitor, *listings: object) -> str:
    """A checkout of these; answers its address."""
    await put(visitor, *listings)
    answer = await visitor.submit("/checkout")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/checkout/")
    return answer.headers["location"]


async def place(visitor: Visitor, url: str, **fields: str) -> httpx.Response:
    html = await visitor.page(url)
    [shown] = re.findall(r'name="shown_total" value="(\d+)"', html)
    return await visitor.submit(url, {**ADDRESS, "act": "place", "shown_total": shown, **fields})


async def pay(gateway: httpx.AsyncClient, location: str, card: str) -> str:
    """Press a test card's button on the gateway's page; answers where the buyer is sent."""
    answer = await gateway.post(urlsplit(location).path, data={"test_card": card})
    while answer.status_code == 303:
        location = answer.headers["location"]
        if "/checkout/" in location:
            return location
        answer = await gateway.get(urlsplit(location).path)
        if "/3ds/" in str(answer.url):
            answer = await gateway.post(answer.url.path, data={"answer": "approve"})
    raise AssertionError(text_of(answer.text))


async def test_guest_buys_from_two_sellers(
    visitor: Visitor, other: Visitor, world: World, gateway: httpx.AsyncClient
) -> None:
    url = await begin(visitor, world.olive, world.guide)
    html = await visitor.page(url)
    words = text_of(html)
    assert world.nursery.name in words
    assert world.press.name in words
    assert "Delivery is reckoned for Germany" in words
    assert "€38.80" in words, "goods and the standard delivery"
    answer = await place(visitor, url)
    assert answer.status_code == 303, text_of(answer.text)
    assert answer.headers["location"].startswith(str(gateway.base_url).rstrip("/"))
    back = await pay(gateway, answer.headers["location"], CHALLENGE)
    answer = await visitor.get(back)
    assert answer.status_code == 303
    order = answer.headers["location"]
    assert order.startswith("/account/orders/")
    words = text_of(await visitor.page(order))
    assert "Thank you. Your order is placed." in words
    assert "Paid and confirmed" in words
    assert "The payment was captured" not in words, "that is the books' way to say it"
    assert "Delivery expected by" in words, "before the seller has sent anything"
    assert "Your files are being made ready" in words
    assert "€38.80" in words
    assert "07743" in words
    assert (await visitor.get(url)).headers["location"] == order, "the page after the fact"
    assert (await visitor.get(f"{url}/return")).headers["location"] == order
    assert "Your cart is empty" in await visitor.page("/cart")
    assert (await other.get(order)).status_code == 404
    assert (await other.get(url)).status_code == 404


async def test_member_finds_the_order_in_the_list(
    visitor: Visitor, world: World, join: Member, gateway: httpx.AsyncClient
) -> None:
    email = await join(visitor)
    url = await begin(visitor, world.lavender)
    assert email in await visitor.page(url)
    answer = await place(visitor, url)
    answer = await visitor.get(await pay(gateway, answer.headers["location"], VISA))
    assert answer.headers["location"] in await visitor.page("/account/orders")


async def test_address_is_checked(visitor: Visitor, world: World) -> None:
    url = await begin(visitor, world.lavender)
    answer = await place(visitor, url, postal_code="1", email="nowhere")
    assert answer.status_code == 422
    assert 'value="1"' in answer.text
    assert 'value="nowhere"' in answer.text
    answer = await place(visitor, url, postal_code="1")
    assert answer.status_code == 422
    assert "not a postal code" in text_of(answer.text)


async def test_everything_that_is_wrong_is_said_at_once(visitor: Visitor, world: World) -> None:
    url = await begin(visitor, world.lavender)
    answer = await place(visitor, url, email="", name="", line1="", postal_code="1", phone="abc")
    assert answer.status_code == 422
    words = text_of(answer.text)
    for sentence in (
        "Enter the e-mail address",
        "Give the name of who receives it",
        "Fill in the street and number",
        "not a postal code",
        "not a telephone number",
    ):
        assert sentence in words


async def test_a_country_to_which_a_seller_does_not_send(
    visitor: Visitor, world: World, db: Database
) -> None:
    seller = Actor(kind="user", user_id=uuid7(), seller_id=world.press.id)
    rate = fulfilment.Rate(countries=["DE"], amount=490, min_days=1, max_days=3)
    method = fulfilment.Method(
        id=uuid7(), name="Parcel", kind="delivery", currency="EUR", position=1, rates=[rate]
    )
    await db.transact(lambda tx: fulfilment.add_method(tx, seller, method=method))
    url = await begin(visitor, world.lamp)
    assert "Place the order" in await visitor.page(url)
    answer = await visitor.submit(url, {"act": "country", "country": "US", "name": "Anna"})
    words = text_of(answer.text)
    assert "This seller does not send to United States" in words
    assert "Place the order" not in words, "nobody is asked to pay for what cannot be sent"
    back = await visitor.submit(url, {"act": "country", "country": "DE"})
    assert "Place the order" in text_of(back.text)
    await db.transact(lambda tx: fulfilment.remove_method(tx, seller, method_id=method.id))


async def test_country_changes_the_fields(visitor: Visitor, world: World) -> None:
    url = await begin(visitor, world.lavender)
    answer = await visitor.submit(url, {"act": "country", "country": "US", "name": "Anna"})
    assert answer.status_code == 200
    assert "Alabama" in answer.text
    assert "ZIP code" in answer.text
    assert 'value="Anna"' in answer.text


async def test_another_total_than_shown_is_not_charged(visitor: Visitor, world: World) -> None:
    url = await begin(visitor, world.lavender)
    answer = await place(visitor, url, shown_total="1")
    assert answer.status_code == 409
    assert "the total is another one" in text_of(answer.text)
    assert 'value="Weg 1"' in await visitor.page(url), "what was filled in is kept"


async def test_giving_up_at_the_gateway(
    visitor: Visitor, world: World, gateway: httpx.AsyncClient
) -> None:
    url = await begin(visitor, world.lavender)
    location = (await place(visitor, url)).headers["location"]
    assert "Your payment waits for you" in await visitor.page(url), "the buyer went back"
    answer = await gateway.post(urlsplit(location).path + "/cancel")
    answer = await visitor.get(answer.headers["location"])
    assert answer.headers["location"] == url
    words = text_of(await visitor.page(url))
    assert "nothing was charged" in words
    assert (await place(visitor, url)).status_code == 303, "the next try"


async def test_payment_is_called_off_to_change_something(
    visitor: Visitor, world: World, gateway: httpx.AsyncClient
) -> None:
    url = await begin(visitor, world.lavender)
    await place(visitor, url)
    answer = await visitor.submit(f"{url}/reopen")
    assert answer.headers["location"] == url
    assert "Place the order" in await visitor.page(url)


async def test_declined_card_can_be_tried_again(
    visitor: Visitor, world: World, gateway: httpx.AsyncClient
) -> None:
    url = await begin(visitor, world.lavender)
    location = (await place(visitor, url)).headers["location"]
    answer = await gateway.post(urlsplit(location).path, data={"test_card": DECLINED})
    if answer.status_code == 303:
        answer = await gateway.get(answer.headers["location"])
    assert "declined" in answer.text
    back = await pay(gateway, location, VISA)
    assert (await visitor.get(back)).headers["location"].startswith("/account/orders/")


async def test_sold_out_meanwhile(
    visitor: Visitor, world: World, db: Database, gateway: httpx.AsyncClient
) -> None:
    url = await begin(visitor, world.lamp)
    actor = system("tests")
    variant = world.lamp.variants[0].id

    async def change(delta: int) -> None:
        await db.transact(
            lambda tx: inventory.adjust(
                tx, actor, seller_id=world.press.id, variant_id=variant, delta=delta,
                reason=inventory.Reason.CORRECTION,
            )
        )  # fmt: skip

    html = await visitor.page(url)
    [shown] = re.findall(r'name="shown_total" value="(\d+)"', html)
    await change(-1)
    try:
        answer = await visitor.submit(url, {**ADDRESS, "act": "place", "shown_total": shown})
        assert answer.status_code == 409
        assert "sold out" in text_of(answer.text)
    finally:
        await change(1)


async def test_empty_cart_has_no_checkout(visitor: Visitor, world: World) -> None:
    answer = await visitor.submit("/checkout")
    assert answer.headers["location"] == "/cart"
    assert "nothing to buy" in await visitor.page("/cart")


async def test_cart_changes(visitor: Visitor, world: World) -> None:
    await put(visitor, world.lavender)
    item = f"/cart/items/{world.lavender.variants[0].id}"
    assert (await visitor.submit(item, {"quantity": "3"})).status_code == 303
    assert "€20.70" in text_of(await visitor.page("/cart"))
    answer = await visitor.submit(item, {"quantity": "50"})
    assert answer.status_code == 409
    assert "left" in text_of(answer.text)
    answer = await visitor.submit(item, {"quantity": "no number"})
    assert answer.status_code == 422
    assert (await visitor.submit(f"{item}/remove")).status_code == 303
    assert "Your cart is empty" in await visitor.page("/cart")


@pytest.mark.parametrize("form", [{}, {"variant_id": "x"}, {"variant_id": str(uuid7())}])
async def test_nothing_strange_gets_into_the_cart(
    visitor: Visitor, world: World, form: dict[str, str]
) -> None:
    back = f"/listing/{world.olive.slug}"
    answer = await visitor.submit("/cart/items", {**form, "back": back})
    assert answer.headers["location"] == back
    html = await visitor.page(back)
    assert "tone-bad" in html
    assert "Your cart is empty" in await visitor.page("/cart")


async def test_buyer_cancels_and_another_cannot(
    visitor: Visitor, other: Visitor, world: World, gateway: httpx.AsyncClient, db: Database
) -> None:
    url = await begin(visitor, world.lavender)
    location = (await place(visitor, url)).headers["location"]
    order = (await visitor.get(await pay(gateway, location, VISA))).headers["location"]
    html = await visitor.page(order)
    [cancel] = re.findall(r'href="(/account/orders/[^"]+/cancel)"', html)
    assert (await other.get(cancel)).status_code == 404
    assert (await other.submit(cancel, {"reason": "not mine"})).status_code == 404
    assert "goes back to your card" in text_of(await visitor.page(cancel))
    assert (await visitor.submit(cancel, {"reason": ""})).status_code == 422
    assert (await visitor.submit(cancel, {"reason": "Found one at home"})).status_code == 303
    words = text_of(await visitor.page(order))
    assert "It is cancelled." in words
    assert "Found one at home" in words
    again = await visitor.submit(cancel, {"reason": "once more"})
    assert again.status_code == 409


async def test_orders_take_as_many_statements_for_one_as_for_three(
    visitor: Visitor, world: World, join: Member, gateway: httpx.AsyncClient
) -> None:
    await join(visitor)

    async def buy() -> None:
        location = (await place(visitor, await begin(visitor, world.lavender))).headers["location"]
        await visitor.get(await pay(gateway, location, VISA))

    async def statements() -> int:
        await visitor.page("/account/orders")
        async with count_statements() as count:
            await visitor.page("/account/orders")
        return count.total

    await buy()
    few = await statements()
    await buy()
    await buy()
    assert await statements() == few
