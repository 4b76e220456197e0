"""Settings and flags on their pages, in the API, and where they count."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.flows.publish_listing import flow
from souk.kernel.actor import Actor, Role
from souk.kernel.ids import uuid7
from souk.platform import audit
from souk.platform.database import Database
from souk.platform.services import Services
from tests.web import desks
from tests.web.conftest import Member, Visitor, text_of
from tests.web.world import World


@pytest.fixture(autouse=True)
async def defaults(db: Database, services: Services) -> AsyncIterator[None]:
    """Every setting as it was."""
    yield
    await db.transact(lambda tx: tx.execute("DELETE FROM platform.option"))
    await services.options.load(db)


async def test_the_banner_stands_on_every_page(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    assert "Delivery is late" not in await other.page("/")
    long = await visitor.submit("/admin/settings/banner.text", {"value": "x" * 301})
    assert long.status_code == 422 and "0 to 300 characters" in text_of(long.text)
    answer = await visitor.submit("/admin/settings/banner.text", {"value": "Delivery is late."})
    assert answer.status_code == 303
    await visitor.submit("/admin/settings/banner.tone", {"value": "warn"})
    for page in ("/", "/help", "/login", f"/listing/{world.olive.slug}"):
        html = await other.page(page)
        assert "Delivery is late." in html and "site-banner tone-warn" in html, page
    html = await visitor.page("/admin/settings")
    assert "Administrator" in text_of(html) or "History" in text_of(html)
    answer = await visitor.submit("/admin/settings/banner.text", {"act": "reset"})
    assert answer.status_code == 303
    assert "Delivery is late" not in await other.page("/")
    async with db.read() as conn:
        log = await audit.recent(conn, subject="setting:banner.text")
    assert [row.detail["after"] for row in log] == ["", "Delivery is late."]


async def test_name_and_address_for_help(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    await visitor.submit("/admin/settings/house.name", {"value": "Green Bazaar"})
    wrong = await visitor.submit("/admin/settings/house.support_email", {"value": "nobody"})
    assert wrong.status_code == 422 and 'value="nobody"' in wrong.text
    await visitor.submit("/admin/settings/house.support_email", {"value": "help@bazaar.example"})
    html = await other.page("/help")
    assert "Green Bazaar" in html and "mailto:help@bazaar.example" in html
    installed = (await other.get("/manifest.webmanifest")).json()
    assert (installed["name"], installed["short_name"]) == ("Green Bazaar", "Green Bazaar")
    assert "<title>Green Bazaar</title>" in (await other.get("/feeds/google.xml")).text


async def test_guests_are_asked_to_log_in(
    visitor: Visitor, other: Visitor, join: Member, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    cart = {"variant_id": str(world.olive.variants[0].id), "quantity": "1"}
    assert (await other.submit("/cart/items", cart)).status_code == 303
    answer = await other.submit("/checkout")
    assert answer.headers["location"].startswith("/checkout/")
    assert (
        await visitor.submit("/admin/flags/checkout.guests", {"mode": "off"})
    ).status_code == 303
    answer = await other.submit("/checkout")
    assert answer.headers["location"] == "/login?next=/cart"
    assert "Log in or open an account" in text_of(await other.page("/login"))
    api = await other.post("/api/v1/checkouts", json={}, headers={"idempotency-key": str(uuid7())})
    assert api.status_code == 403, api.text
    await join(other)
    assert (await other.submit("/checkout")).headers["location"].startswith("/checkout/")


async def test_no_new_sellers(visitor: Visitor, other: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    email, actor = await desks.member(db)
    await desks.log_in(other, email)
    assert 'name="bio"' in await other.page("/sell/apply")
    await visitor.submit("/admin/flags/sellers.applications", {"mode": "off"})
    html = await other.page("/sell/apply")
    assert "We take no new sellers" in text_of(html) and 'name="bio"' not in html
    application = sellers.Application(name=f"Late {uuid7().hex[-6:]}", country="DE")
    with pytest.raises(sellers.ApplicationsClosed):
        await db.transact(lambda tx: sellers.apply(tx, actor, application=application))
    # On for one role only: still not for a customer, then for half the people by their hash.
    roles = {"mode": "roles", "role-seller": "1"}
    assert (await visitor.submit("/admin/flags/sellers.applications", roles)).status_code == 303
    with pytest.raises(sellers.ApplicationsClosed):
        await db.transact(lambda tx: sellers.apply(tx, actor, application=application))
    everybody = {"mode": "percent", "percent": "100"}
    await visitor.submit("/admin/flags/sellers.applications", everybody)
    made = await db.transact(lambda tx: sellers.apply(tx, actor, application=application))
    assert made.state == "applied"


async def test_flags_are_checked_and_shown(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    url = "/admin/flags/checkout.guests"
    for form in (
        {"mode": "percent", "percent": "101"}, {"mode": "percent", "percent": ""},
        {"mode": "sellers", "sellers": "no-id"}, {"mode": "sellers", "sellers": ""},
        {"mode": "roles"}, {"mode": "sometimes"},
    ):  # fmt: skip
        assert (await visitor.submit(url, form)).status_code == 422, form
    shops = {"mode": "sellers", "sellers": str(world.nursery.id)}
    assert (await visitor.submit(url, shops)).status_code == 303
    assert world.nursery.name in text_of(await visitor.page("/admin/flags"))
    assert (await visitor.submit("/admin/flags/no.such", {"mode": "on"})).status_code == 404
    assert (await visitor.submit("/admin/settings/no.such", {"value": ""})).status_code == 404


async def test_review_policy_decides_what_waits(
    visitor: Visitor, other: Visitor, world: World, db: Database
) -> None:
    await desks.admin(db, visitor)
    shop = await desks.seller(db, other)
    actor = Actor(kind="user", user_id=shop.user_id, seller_id=shop.id)

    async def publish(policy: str) -> str:
        await visitor.submit("/admin/settings/listings.review", {"value": policy})
        made = await desks.draft(db, shop, title=f"Fig {policy}")
        await db.transact(
            lambda tx: tx.execute(
                "UPDATE listings.listing SET category_id = $2, category_path = $3,"
                " image_key = 'x', description_html = '<p>A fig.</p>' WHERE id = $1",
                made.id, world.trees.id, world.trees.path,
            )
        )  # fmt: skip
        await db.transact(
            lambda tx: tx.execute(
                "INSERT INTO listings.image (id, listing_id, key, width, height, alt, position,"
                " size) VALUES ($1, $2, 'images/x', 900, 900, 'A fig', 0, 99)", uuid7(), made.id,
            )
        )  # fmt: skip
        done = await db.transact(
            lambda tx: flow.submit(tx, actor, seller_id=shop.id, listing_id=made.id)
        )
        return str(done.state)

    assert await publish("all") == "in_review"
    assert await publish("standard") == "in_review"
    assert await publish("none") == "active"


async def test_return_window(visitor: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    async with db.read() as conn:
        assert (await orders.return_window(conn)).days == 7
    assert (
        await visitor.submit("/admin/settings/orders.return_days", {"value": "0"})
    ).status_code == 422
    await visitor.submit("/admin/settings/orders.return_days", {"value": "30"})
    async with db.read() as conn:
        assert (await orders.return_window(conn)).days == 30


async def test_api(visitor: Visitor, other: Visitor, world: World, db: Database) -> None:
    await desks.admin(db, visitor)
    token = {"x-csrftoken": visitor.cookies["souk_csrf"]}
    settings = (await visitor.get("/api/v1/admin/settings")).json()
    assert {"banner.text", "orders.return_days"} <= {each["key"] for each in settings}
    url = "/api/v1/admin/settings/orders.return_days"
    answer = await visitor.put(url, json={"value": 21}, headers=token)
    assert answer.status_code == 200 and answer.json()["value"] == 21, answer.text
    assert answer.json()["changed_by"].startswith("user:")
    assert (await visitor.put(url, json={"value": "many"}, headers=token)).status_code == 422
    assert (await visitor.delete(url, headers=token)).json()["value"] == 7
    flag = "/api/v1/admin/flags/checkout.guests"
    rule = {"mode": "percent", "percent": 25}
    assert (await visitor.put(flag, json=rule, headers=token)).json()["rule"]["percent"] == 25
    assert (await visitor.put(flag, json={"mode": "x"}, headers=token)).status_code in {400, 422}
    assert (await visitor.put(f"{flag}x", json=rule, headers=token)).status_code == 404
    assert (await other.get("/api/v1/admin/flags")).status_code in {303, 401}


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.SUPPORT, Role.FINANCE])
async def test_only_administrators_change_settings(
    visitor: Visitor, world: World, db: Database, role: Role
) -> None:
    await desks.staff(db, visitor, role)
    assert (await visitor.get("/admin/settings")).status_code == 403
    assert (
        await visitor.submit("/admin/flags/checkout.guests", {"mode": "off"})
    ).status_code == 403
