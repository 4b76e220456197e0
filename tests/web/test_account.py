"""Joining, logging in, and a person's own pages."""

from __future__ import annotations

import re

import pytest

from souk.contexts.carts import api as carts
from souk.contexts.identity import api as identity
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.http.holder import Holder
from souk.platform.settings import Settings
from tests.web.conftest import PASSWORD, Member, Visitor, text_of
from tests.web.world import World


async def test_register_asks_for_everything(visitor: Visitor, world: World) -> None:
    answer = await visitor.submit("/register", {"email": "not an address", "password": "x"})
    assert answer.status_code == 422
    words = text_of(answer.text)
    assert "Fill this in." in words
    assert 'value="not an address"' in answer.text


async def test_register_needs_the_terms(visitor: Visitor, world: World) -> None:
    form = {"display_name": "Ada", "email": f"{uuid7()}@example.com", "password": PASSWORD}
    answer = await visitor.submit("/register", form)
    assert answer.status_code == 422
    assert "Accept the terms" in text_of(answer.text)


async def test_register_verify_log_in(
    visitor: Visitor, world: World, db: Database, settings: Settings
) -> None:
    html = await visitor.page("/register")
    versions = dict(re.findall(r'name="(\w+_version)" value="(\d+)"', html))
    assert set(versions) == {"terms_version", "privacy_version"}
    email = f"ada-{uuid7().hex[-10:]}@example.com"
    form = {"display_name": "Ada", "email": email, "password": PASSWORD, "accept_terms": "1"}
    answer = await visitor.submit("/register", {**form, **versions})
    assert answer.status_code == 200
    assert email in answer.text
    token = await _token(db, settings, email)
    html = await visitor.page(f"/verify-email?token={token}")
    assert f'value="{token}"' in html
    answer = await visitor.submit("/verify-email", {"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    again = await visitor.submit("/verify-email", {"token": token})
    assert again.status_code == 422
    assert "already used" in text_of(again.text)
    answer = await visitor.submit("/login", {"email": email, "password": PASSWORD, "next": "/cart"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    assert "Welcome back, Ada." in await visitor.page("/cart")


async def _token(db: Database, settings: Settings, email: str) -> str:
    async with db.read() as conn:
        token_id = await conn.fetchval(
            "SELECT t.id FROM identity.email_token t JOIN identity.account a ON a.id = t.user_id"
            " WHERE a.email = $1 AND t.used_at IS NULL ORDER BY t.id DESC LIMIT 1",
            email,
        )
    return identity.link_token(token_id, settings.secret_key)


async def test_wrong_password(visitor: Visitor, world: World) -> None:
    answer = await visitor.submit("/login", {"email": "nobody@example.com", "password": "wrong"})
    assert answer.status_code == 401
    assert "not right" in text_of(answer.text)


async def test_log_in_leads_nowhere_else(visitor: Visitor, world: World, join: Member) -> None:
    email = await join(visitor)
    form = {"email": email, "password": PASSWORD, "next": "//evil.example"}
    answer = await visitor.submit("/login", form)
    assert answer.headers["location"] == "/"


async def test_log_in_brings_the_cart_along(
    visitor: Visitor, world: World, join: Member, db: Database
) -> None:
    variant = str(world.lavender.variants[0].id)
    await visitor.submit("/cart/items", {"variant_id": variant, "quantity": "2"})
    email = await join(visitor)
    assert "Lavender" in await visitor.page("/cart")
    async with db.read() as conn:
        user_id = await identity.user_id_of(conn, email=email)
        cart = await carts.read(conn, Holder(user_id=user_id))
    assert [line.quantity for line in cart.lines] == [2]


async def test_log_out(visitor: Visitor, world: World, join: Member) -> None:
    await join(visitor)
    await visitor.page("/account/profile")
    answer = await visitor.submit("/logout")
    assert answer.status_code == 303
    answer = await visitor.get("/account/profile")
    assert answer.headers["location"] == "/login?next=/account/profile"


async def test_reset_password(
    visitor: Visitor, other: Visitor, world: World, join: Member, db: Database, settings: Settings
) -> None:
    email = await join(visitor)
    answer = await other.submit("/forgot", {"email": email})
    assert answer.status_code == 200
    token = await _token(db, settings, email)
    answer = await other.submit("/reset", {"token": token, "password": "password1"})
    assert answer.status_code == 422
    assert f'value="{token}"' in answer.text
    fresh = "an unusual set of seven words here"
    answer = await other.submit("/reset", {"token": token, "password": fresh})
    assert answer.headers["location"] == "/login"
    assert (await other.submit("/login", {"email": email, "password": fresh})).status_code == 303


async def test_profile(visitor: Visitor, world: World, join: Member) -> None:
    await join(visitor)
    answer = await visitor.submit("/account/profile", {"display_name": "", "locale": "en"})
    assert answer.status_code == 422
    answer = await visitor.submit("/account/profile", {"display_name": "Ada L.", "locale": "de"})
    assert answer.status_code == 303
    assert 'value="Ada L."' in await visitor.page("/account/profile")


async def test_sessions(visitor: Visitor, other: Visitor, world: World, join: Member) -> None:
    email = await join(visitor)
    await other.submit("/login", {"email": email, "password": PASSWORD})
    html = await visitor.page("/account/security")
    [end] = re.findall(r'action="(/account/sessions/[^"/]+/end)"', html)
    assert (await visitor.submit(end)).status_code == 303
    assert (await other.get("/account/security")).status_code == 303


async def test_addresses(visitor: Visitor, other: Visitor, world: World, join: Member) -> None:
    await join(visitor)
    wrong = {"country": "DE", "name": "Ada", "line1": "Weg 1", "city": "Jena", "postal_code": "1"}
    answer = await visitor.submit("/account/addresses", wrong)
    assert answer.status_code == 422
    assert "postal code" in text_of(answer.text)
    answer = await visitor.submit("/account/addresses", {"country": "US", "act": "country"})
    assert answer.status_code == 200
    assert "Alabama" in answer.text
    answer = await visitor.submit("/account/addresses", {**wrong, "postal_code": "07743"})
    assert answer.status_code == 303
    html = await visitor.page("/account/addresses")
    assert "07743 jena" in text_of(html).lower()
    [path] = re.findall(r'href="(/account/addresses/[0-9a-f-]+)"', html)
    assert 'value="Weg 1"' in await visitor.page(path)
    await join(other)
    assert (await other.get(path)).status_code == 404
    assert (await other.submit(f"{path}/remove")).status_code == 404
    assert (await visitor.submit(f"{path}/remove")).status_code == 303
    assert "No address yet" in await visitor.page("/account/addresses")


async def test_privacy(visitor: Visitor, world: World, join: Member) -> None:
    await join(visitor)
    assert (await visitor.submit("/account/privacy", {"analytics": "1"})).status_code == 303
    html = await visitor.page("/account/privacy")
    assert re.search(r'name="analytics" value="1" checked', html)
    assert not re.search(r'name="marketing_mail" value="1" checked', html)


_OWN = ["/account", "/account/orders", "/account/profile", "/account/security",
        "/account/privacy", "/account/downloads", "/account/addresses"]  # fmt: skip


@pytest.mark.parametrize("path", _OWN)
async def test_own_pages_ask_guests_to_log_in(visitor: Visitor, world: World, path: str) -> None:
    answer = await visitor.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


@pytest.mark.parametrize("path", _OWN[1:])
async def test_own_pages_open_for_members(
    visitor: Visitor, world: World, join: Member, path: str
) -> None:
    await join(visitor)
    html = await visitor.page(path)
    forms = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    assert forms
    assert all('name="_csrf"' in form for form in forms)


async def test_preferences(visitor: Visitor, world: World) -> None:
    answer = await visitor.submit("/preferences", {"theme": "dark", "back": "/sellers"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sellers")
    assert 'data-theme="dark"' in await visitor.page("/sellers")


async def test_form_without_token_is_refused(visitor: Visitor, world: World) -> None:
    await visitor.page("/login")
    answer = await visitor.post("/login", data={"email": "a@example.com", "password": "x"})
    assert answer.status_code == 403


async def test_mailbox_only_in_development(visitor: Visitor, world: World) -> None:
    assert "No mail yet" in text_of(await visitor.page("/dev/mail"))
