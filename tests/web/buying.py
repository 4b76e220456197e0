"""What buyers do on their way to an order, in the language of the visit."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Locator, expect

from souk.kernel.ids import token
from tests.factories.market import HOME
from tests.web.live import Market
from tests.web.visits import Visit

ADDRESS = {
    "Full name": "Anna Buyer",
    "Street and number": "Johannisplatz 3",
    "Postal code": "07743",
    "Town or city": "Jena",
}
SUCCEEDS, ASKS = "^Succeeds 4242", "^Asks for 3-D Secure, then succeeds"


def put_into_cart(visit: Visit, slug: str) -> None:
    visit.go(f"/listing/{slug}")
    visit.button("Put into the cart").click()
    visit.title("Cart")


def fill_address(visit: Visit) -> None:
    for label, value in ADDRESS.items():
        visit.field(label).fill(value)


def to_checkout(visit: Visit, slug: str, *, email: str = "") -> None:
    """From a listing to the checkout; a guest fills in the address of mail and parcel."""
    put_into_cart(visit, slug)
    visit.button("Go to checkout").click()
    visit.title("Checkout")
    if email:
        visit.field("E-mail").fill(email)


def place(visit: Visit) -> None:
    """Order, and come to the gateway's own page, which speaks English."""
    visit.starting("button", "Place the order and pay %(total)s").click()
    visit.page.wait_for_url("**/pay/**")


def pay(visit: Visit, card: str = SUCCEEDS) -> str:
    """Pay with a test card; answers the order's id."""
    visit.page.get_by_role("button", name=re.compile(card)).click()
    if card == ASKS:
        visit.page.get_by_role("button", name="Yes, it is mine").click()
    visit.page.wait_for_url("**/account/orders/**")
    visit.sees("Thank you. Your order is placed.")
    return visit.page.url.split("/orders/")[1].split("?")[0]


def order(visit: Visit, slug: str, *, email: str = "", ships: bool = True) -> str:
    """The whole way from a listing to the order; answers its id."""
    to_checkout(visit, slug, email=email)
    if ships:
        fill_address(visit)
    place(visit)
    return pay(visit)


def order_by_api(market: Market, variant_id: str, pieces: int) -> None:
    """A guest buys over the API and pays at the sandbox."""
    with httpx.Client(base_url=market.url, headers={"souk-guest": token()}, timeout=30) as guest:
        items = [{"variant_id": variant_id, "quantity": pieces}]
        body = {"email": "ada@buyers.test", "shipping_address": HOME, "items": items}
        checkout = guest.post("/api/v1/checkouts", json=body)
        assert checkout.status_code == 201, checkout.text
        url = f"/api/v1/checkouts/{checkout.json()['id']}/payment"
        paid = guest.post(url, json={"method": "pm_card_visa"})
        assert paid.status_code == 200 and paid.json()["order_id"], paid.text


def mailed(visit: Visit, email: str, address: str) -> Locator:
    """The link to `address` in a mail to `email`, which may come after others, and later."""
    rows = visit.page.get_by_role("row").filter(has_text=email)
    link = visit.page.locator(f'a[href*="{address}"]').first
    for _ in range(60):
        visit.go("/dev/mail")
        mails = [row.get_attribute("href") for row in rows.get_by_role("link").all()]
        for mail in filter(None, mails):
            visit.go(mail)
            if link.count():
                return link
        visit.page.wait_for_timeout(200)
    raise AssertionError(f"no mail to {email} has a link to {address}")


def until_there(visit: Visit, path: str, text: str) -> None:
    """Come again until the worker has done its part."""
    found = visit.page.get_by_text(text)
    for _ in range(60):
        visit.go(path)
        if found.count():
            break
        visit.page.wait_for_timeout(200)
    expect(found.first).to_be_visible()
