"""Attacks on sessions, forms and kept pages, as a stranger or a thief would try them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import structlog

from souk.contexts.identity import queries
from souk.platform.database import Database
from souk.platform.http import edge
from souk.platform.services import Services
from souk.web.live import hub as hub_module
from souk.web.live.hub import LiveHub
from tests.web.conftest import PASSWORD, Member, Visitor
from tests.web.world import World

NEW_PASSWORD = "an even quieter market at six in the evening"


@pytest.fixture
async def thief(app: edge.Edge) -> AsyncIterator[Visitor]:
    transport = httpx.ASGITransport(cast("Any", app))
    async with Visitor(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made


def _steal(thief: Visitor, victim: Visitor) -> None:
    thief.cookies.set("souk_session", victim.cookies["souk_session"])


async def _is_in(visitor: Visitor) -> bool:
    answer = await visitor.get("/api/v1/auth/profile")
    return answer.status_code == 200


async def test_a_stolen_session_ends_when_its_owner_changes_the_password(
    visitor: Visitor, thief: Visitor, join: Member
) -> None:
    await join(visitor)
    _steal(thief, visitor)
    assert await _is_in(thief)
    answer = await visitor.submit(
        "/account/password", {"password": PASSWORD, "new_password": NEW_PASSWORD}
    )
    assert answer.status_code == 303, answer.text[:500]
    assert not await _is_in(thief)
    assert await _is_in(visitor)


async def test_a_password_changed_over_the_api_renews_the_browsers_session(
    visitor: Visitor, thief: Visitor, join: Member
) -> None:
    await join(visitor)
    _steal(thief, visitor)
    answer = await visitor.post(
        "/api/v1/auth/change-password",
        json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        headers={"x-csrftoken": visitor.cookies["souk_csrf"]},
    )
    assert answer.status_code == 204, answer.text
    assert not await _is_in(thief)
    assert await _is_in(visitor)


async def test_logging_in_again_ends_the_session_that_the_browser_had(
    visitor: Visitor, thief: Visitor, join: Member
) -> None:
    email = await join(visitor)
    _steal(thief, visitor)
    before = visitor.cookies["souk_session"]
    answer = await visitor.submit("/login", {"email": email, "password": PASSWORD})
    assert answer.status_code == 303
    assert visitor.cookies["souk_session"] != before
    assert not await _is_in(thief)
    assert await _is_in(visitor)


async def test_a_session_that_was_planted_is_not_taken_over(
    visitor: Visitor, thief: Visitor, join: Member
) -> None:
    planted = "p" * 43
    visitor.cookies.set("souk_session", planted)
    await join(visitor)
    thief.cookies.set("souk_session", planted)
    assert not await _is_in(thief)


@pytest.mark.parametrize(
    ("name", "value"),
    [("souk_flash", "caf\xe9.\xe9"), ("souk_csrf", "\xe9.\xe9"), ("souk_session", "\xe9" * 43),
     ("souk_guest", "\xe9" * 20), ("souk_language", "\xe9"), ("theme", "\xe9"),
     ("souk_order", "\xe9" * 40), ("souk_seen", "\xe9"), ("souk_consent", "\xe9"),
     ("souk_flash", "W10=."), ("souk_flash", ".")],
)  # fmt: skip
async def test_no_cookie_makes_a_page_fail(
    visitor: Visitor, world: World, name: str, value: str
) -> None:
    headers = {"cookie": f"{name}={value}".encode("latin-1")}
    for path in ("/", "/login", "/cart", f"/listing/{world.olive.slug}", "/recently-viewed"):
        answer = await visitor.get(path, headers=cast("Any", headers))
        assert answer.status_code == 200, path


@pytest.mark.parametrize("token", ["é.é", "\u2603", "x.\udce9", "", "a" * 10_000])
async def test_a_form_token_of_any_characters_is_refused(visitor: Visitor, token: str) -> None:
    await visitor.get("/login")
    body = b"_csrf=" + b"".join(
        b"%%%02x" % byte for byte in token.encode("utf-8", "surrogateescape")
    )
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await visitor.post("/login", content=body, headers=kind)
    assert answer.status_code in {403, 422}, answer.text[:300]


@pytest.mark.parametrize("origin", ["http://[", "null", "http://127.0.0.1:8000.evil.test", "", "é"])
async def test_forms_from_elsewhere_are_refused(visitor: Visitor, origin: str) -> None:
    await visitor.get("/login")
    answer = await visitor.post(
        "/logout",
        data={"_csrf": visitor.cookies["souk_csrf"]},
        headers=cast("Any", {"origin": origin.encode("latin-1")}),
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "to",
    ["//evil.test", "/\\evil.test", "\\/evil.test", "https://evil.test", "/\t/evil.test",
     "/\n/evil.test", "javascript:alert(1)", " //evil.test", "/%0d%0aSet-Cookie:a=b",
     "///evil.test",
     "/\x7f/evil.test", "http:evil.test", "/.//evil.test", "%2f%2fevil.test", "/＼evil.test",
     "//evil.test/%2e%2e", "/olive/漢", "/é\r\nSet-Cookie: a=b", "/\u2028x"],
)  # fmt: skip
async def test_the_way_back_leads_nowhere_else(visitor: Visitor, to: str) -> None:
    answer = await visitor.submit("/preferences", {"theme": "dark", "back": to})
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("/") and not location.startswith(("//", "/\\"))
    assert location.isascii() and location.isprintable()
    assert httpx.URL("https://souk.test").join(location).host == "souk.test"
    assert "a" not in answer.cookies


async def test_pages_of_guests_and_answers_about_people_are_kept_nowhere(
    visitor: Visitor, other: Visitor, world: World, join: Member
) -> None:
    variant = str(world.olive.variants[0].id)
    await visitor.submit("/cart/items", {"variant_id": variant, "quantity": "1"})
    opened = await visitor.submit("/checkout")
    await join(other)
    seen = [await visitor.get(path) for path in ("/cart", opened.headers["location"], "/wishlist")]
    paths = ("cart", "orders", "wishlist", "auth/profile", "auth/sessions", "addresses",
             "notifications", "downloads", "reviews/mine", "recently-viewed",
             f"orders/{world.olive.id}")  # fmt: skip
    seen += [await other.get(f"/api/v1/{path}") for path in paths]
    seen += [await other.get(path) for path in ("/account/orders", "/account/profile", "/")]
    for answer in seen:
        assert "no-store" in answer.headers["cache-control"], answer.url
    public = await visitor.get("/api/v1/categories")
    assert "no-store" not in public.headers.get("cache-control", "")


async def test_other_sites_may_show_pictures_and_nothing_else(
    visitor: Visitor, world: World
) -> None:
    rule = "cross-origin-resource-policy"
    image = world.olive.images[0].key
    assert (await visitor.get(f"/media/{image}/640.webp")).headers[rule] == "cross-origin"
    for path in ("/", "/cart", "/api/v1/cart", "/api/v1/categories"):
        assert (await visitor.get(path)).headers[rule] == "same-origin"


async def test_a_password_is_what_was_typed(visitor: Visitor, other: Visitor, join: Member) -> None:
    """Spaces around it are part of it, on every way in, and so is all of its length."""
    email, present = await join(visitor), PASSWORD
    for new in (f"  {NEW_PASSWORD} ", "plum-orbit-" * 23 + "ab "):
        form = {"password": present, "new_password": new}
        answer = await visitor.submit("/account/password", form)
        assert answer.status_code == 303, len(new)
        wrong = await other.submit("/login", {"email": email, "password": new.strip()})
        right = await other.submit("/login", {"email": email, "password": new})
        assert (wrong.status_code, right.status_code) == (401, 303)
        other.cookies.clear()
        api = await other.post("/api/v1/auth/login", json={"email": email, "password": new})
        assert api.status_code == 200, api.text
        present = new


async def test_a_nul_in_any_part_of_a_form_is_refused(visitor: Visitor, join: Member) -> None:
    """A form of several parts is not looked at before it is taken apart."""
    await join(visitor)
    token = visitor.cookies["souk_csrf"]
    files = {"display_name": (None, "A\x00da"), "locale": (None, "en"), "_csrf": (None, token)}
    for path in ("/account/profile", "/account/addresses/new", "/account/privacy", "/cookies",
                 "/sell/apply", "/preferences", "/register", "/logout"):  # fmt: skip
        answer = await visitor.post(path, files=cast("Any", files))
        assert answer.status_code in {303, 404, 405, 422}, (path, answer.status_code)


async def test_tries_of_closed_doors_are_logged(visitor: Visitor, join: Member) -> None:
    await join(visitor)
    with structlog.testing.capture_logs() as logs:
        assert (await visitor.get("/admin/users?q=a-word")).status_code == 403
    [entry] = [each for each in logs if each["event"] == "refused"]
    assert entry["route"] == "/admin/users" and entry["actor"].startswith("user:")
    assert "a-word" not in str(entry)


async def test_an_open_page_hears_nothing_after_the_log_out(
    visitor: Visitor,
    db: Database,
    services: Services,
    join: Member,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stream lasts a quarter of an hour: it would go on telling whoever took the cookie."""
    monkeypatch.setattr(hub_module, "_TICK", 0.05)
    monkeypatch.setattr(hub_module, "_QUEUES_EVERY", 2)
    await join(visitor)
    secret = visitor.cookies["souk_session"]
    async with db.read() as conn:
        found = await queries.session_actor(conn, secret)
    assert found is not None
    hub = LiveHub(services)
    page = hub.stream(hub.enter(found.actor), after=None)
    assert await anext(page) == b"retry: 3000\n\n"
    assert b"event: here" in await anext(page)
    assert (await visitor.submit("/logout")).status_code == 303
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(page), 5)
    assert hub.open == 0
    await hub.close()


@pytest.mark.parametrize("planted", ['x"><b id="planted">', "x.y", "<script>alert(1)</script>"])
async def test_a_planted_form_token_never_stands_in_a_page(
    visitor: Visitor, world: World, planted: str
) -> None:
    """Pages that are drawn once for all get the visitor's token afterwards."""
    for path in ("/", f"/listing/{world.olive.slug}", "/login", "/cart", "/sellers"):
        answer = await visitor.get(path, headers={"cookie": f"souk_csrf={planted}"})
        assert answer.status_code == 200
        assert planted not in answer.text and "planted" not in answer.text, path
        # Whoever has a token that is none, as after a change of the key, gets one that is.
        assert f'value="{answer.cookies["souk_csrf"]}"' in answer.text, path
