"""A member's own pages, and payments that do not go straight: in a real browser.

At two widths, without scripts, and in Arabic.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.web.buying import ASKS, fill_address, mailed, pay, place, put_into_cart, to_checkout
from tests.web.conftest import Visits
from tests.web.live import Market
from tests.web.visits import PASSWORD, SHOP_WAYS, Way, logged_in, member, prepare, row_of

pytestmark = pytest.mark.browser
NEW_PASSWORD = "four quiet stalls at noon in the rain"
ORDERS = "SELECT count(*) AS n FROM orders.purchase WHERE email = $1"


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_saved_address_fills_the_checkout(market: Market, visit: Visits, way: Way) -> None:
    person = member(market.db_url, way)
    v = visit(way, person)
    v.go("/account/addresses")
    v.sees("No address yet")
    for label, street in (("Home", "Johannisplatz 3"), ("Allotment", "Am Steiger 9")):
        v.link("New address").first.click()
        v.title("Address")
        v.field("Your name for it").fill(label)
        fill_address(v)
        v.field("Street and number").fill(street)
        v.button("Save the address").last.click()
        v.sees("The address is saved.")
    v.title("Addresses")
    # The fields are those of the country.
    v.link("Change", exact=True).last.click()
    v.page.locator("#f-country").select_option("US")
    if not way.scripts:
        v.button("Show the fields of this country").click()
    expect(v.page.locator('select[name="region"]')).to_be_visible()
    v.fits()
    v.link("Go back").click()
    put_into_cart(v, market.lavender)
    v.button("Go to checkout").click()
    v.title("Checkout")
    expect(v.field("E-mail")).to_have_value(person.email)
    v.page.get_by_role("radio", name="Allotment").check()
    if not way.scripts:
        v.button("Fill it in").click()
    expect(v.field("Street and number")).to_have_value("Am Steiger 9")
    place(v)
    order_id = pay(v)
    expect(v.page.locator("address")).to_contain_text("Am Steiger 9")
    # Somebody else does not find it.
    stranger = visit(way).page.goto(f"{market.url}/account/orders/{order_id}")
    assert stranger is not None and stranger.status == 404
    v.go("/account/addresses")
    v.button("Remove").last.click()
    v.sees("The address is removed. Orders keep their copy.")
    expect(v.button("Remove")).to_have_count(1)


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_an_interrupted_payment_is_gone_on_with(market: Market, visit: Visits, way: Way) -> None:
    v = visit(way)
    email = f"guest-{way.name}@example.com"
    to_checkout(v, market.olive, email=email)
    fill_address(v)
    place(v)
    # The page is closed; the cart knows of the payment and leads back to it.
    v.go("/cart")
    v.sees("A payment is under way")
    v.link("Go on with the payment").click()
    v.title("Your payment waits for you")
    v.link("Go on to payment").click()
    v.page.wait_for_url("**/pay/**")
    # The bank is told no; the buyer goes back, is charged nothing, and changes something.
    v.page.get_by_role("button", name=re.compile(ASKS)).click()
    v.page.get_by_role("button", name="No, refuse it").click()
    expect(v.page.get_by_role("alert")).to_contain_text("You can try another card.")
    v.page.get_by_role("button", name="Go back without paying").click()
    v.title("Checkout")
    v.sees("Your bank did not confirm the payment. Try again, or use another card.")
    expect(v.field("Street and number")).to_have_value("Johannisplatz 3")
    place(v)
    v.go("/cart")
    v.link("Go on with the payment").click()
    v.button("Change something first").click()
    v.sees("The payment was called off. Change what you like, then pay again.")
    v.field("Full name").fill("Anna Maria Buyer")
    place(v)
    assert row_of(market.db_url, ORDERS, email)["n"] == 0
    pay(v, ASKS)
    expect(v.page.locator("address")).to_contain_text("Anna Maria Buyer")
    assert row_of(market.db_url, ORDERS, email)["n"] == 1
    v.go("/cart")
    v.sees("Your cart is empty")


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_profile_wishes_and_consents_are_kept(market: Market, visit: Visits, way: Way) -> None:
    person = member(market.db_url, way)
    v = visit(way, person)
    v.go("/account/profile")
    v.title("Profile")
    v.field("Your name").fill("Olga Ortega")
    v.button("Save", exact=True).click()
    v.sees("Your profile is saved.")
    found = row_of(market.db_url, "SELECT * FROM identity.account WHERE email = $1", person.email)
    assert (found["display_name"], found["locale"]) == ("Olga Ortega", way.language)
    v.field("New address").fill("not an address at all@")
    v.field("Your password").fill(PASSWORD)
    v.page.locator("form[action='/account/email']").evaluate("form => { form.noValidate = true; }")
    v.button("Change the address").click()
    expect(v.page.locator("#f-new_email")).to_have_attribute("aria-invalid", "true")
    v.fits()
    v.go("/account/notifications")
    v.title("Notifications")
    v.link("What you are told").click()
    first = v.page.locator("fieldset.wish").first
    first.locator("select").select_option("never")
    first.get_by_role("checkbox").uncheck()
    v.button("Keep my choice").click()
    v.sees("Your choice is kept.")
    expect(first.locator("select")).to_have_value("never")
    expect(first.get_by_role("checkbox")).not_to_be_checked()
    v.fits()
    v.go("/account/privacy")
    v.title("Privacy")
    v.field("Write to me about new things").check()
    v.button("Keep my choice").click()
    v.sees("Your choice is kept.")
    expect(v.field("Write to me about new things")).to_be_checked()
    expect(v.field("Count my visits")).not_to_be_checked()


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_devices_are_logged_out_and_the_password_is_changed(
    market: Market, visit: Visits, way: Way
) -> None:
    person = member(market.db_url, way)
    second = prepare(market.db_url, lambda db: logged_in(db, person.email, locale=way.language))
    v, other = visit(way, person), visit(way, second)
    other.go("/account/orders")
    other.sees("No orders yet")
    v.go("/account/security")
    v.title("Security")
    v.page.locator("main").get_by_role("button", name=v.say("Log out"), exact=True).click()
    v.sees("That device is logged out.")
    other.page.goto(f"{market.url}/account/orders")
    expect(other.page).to_have_url(re.compile("/login"))
    v.field("Your present password").fill("not my password at all")
    v.field("New password").fill(NEW_PASSWORD)
    v.button("Set the password").click()
    expect(v.page.locator("#f-password")).to_have_attribute("aria-invalid", "true")
    v.fits()
    v.field("Your present password").fill(PASSWORD)
    v.field("New password").fill(NEW_PASSWORD)
    v.button("Set the password").click()
    v.sees("Your new password is set, and you are logged out everywhere else.")
    v.page.locator("details.menu summary").first.click()
    v.page.locator(".menu-panel").get_by_role("button", name=v.say("Log out")).click()
    v.sees("You are logged out.")
    v.go("/login?next=/account/profile")
    v.field("E-mail").fill(person.email)
    v.field("Password").fill(NEW_PASSWORD)
    v.page.locator("main").get_by_role("button", name=v.say("Log in")).click()
    v.title("Profile")


@pytest.mark.parametrize("way", SHOP_WAYS)
def test_a_forgotten_password_is_set_anew_by_mail(market: Market, visit: Visits, way: Way) -> None:
    person = member(market.db_url, way)
    v = visit(way)
    v.go("/login")
    v.link("Forgot your password?").click()
    v.title("Set a new password")
    v.field("E-mail").fill(person.email)
    v.button("Send the link").click()
    v.title("Look into your mailbox")
    mailed(v, person.email, "/reset").click()
    v.field("New password").fill(NEW_PASSWORD)
    v.button("Set the password").click()
    v.page.wait_for_url("**/login**")
    v.field("E-mail").fill(person.email)
    v.field("Password").fill(NEW_PASSWORD)
    v.page.locator("main").get_by_role("button", name=v.say("Log in")).click()
    v.sees("Welcome back, %(name)s.", name="Olga Seller")
