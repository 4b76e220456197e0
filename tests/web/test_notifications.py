"""The inbox, the choice of what is told, the links that end mails, and what open pages hear."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

import msgspec
import pytest

from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.contexts.notifications.api import Topic, contents
from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.web.live.hub import LiveHub, TooManyPages
from tests.web import world as worlds
from tests.web.conftest import Member, Visitor, text_of


async def person(db: Database, email: str) -> UUID:
    async with db.read() as conn:
        found = await identity.user_id_of(conn, email=email)
    assert found is not None
    return found


async def tell(db: Database, user_id: UUID, content: contents.AnyContent) -> None:
    await db.transact(
        lambda tx: notifications.in_app(
            tx, user_id=user_id, content=content, dedupe_key=str(uuid7()), locale="en"
        )
    )


def shipped() -> contents.AnyContent:
    return contents.Shipped(
        order_id=uuid7(), number="7KQM-42XD", seller="Fern & Co", carrier="DHL", tracking_number=""
    )


async def test_the_bell_counts_and_the_inbox_is_read(
    world: worlds.World, db: Database, visitor: Visitor, other: Visitor, join: Member
) -> None:
    user_id = await person(db, await join(visitor))
    await join(other)
    assert "Nothing to tell you yet" in await visitor.page("/account/notifications")
    for _ in range(2):
        await tell(db, user_id, shipped())
    home = await visitor.page("/account/orders")
    assert re.search(r"data-unread>2<", home)
    inbox = await visitor.page("/account/notifications")
    assert "Fern &amp; Co sent a parcel" in inbox
    [first, _] = re.findall(r'action="(/account/notifications/[0-9a-f-]+/open)"', inbox)
    # Opening one page does not read it: a GET changes nothing.
    assert re.search(r"data-unread>2<", await visitor.page("/account/orders"))
    answer = await other.submit(first)
    assert answer.status_code == 404
    answer = await visitor.submit(first)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/account/orders/")
    assert re.search(r"data-unread>1<", await visitor.page("/account/orders"))
    await visitor.submit("/account/notifications/read")
    assert re.search(r"data-unread hidden>0<", await visitor.page("/account/orders"))


async def test_what_is_told_is_chosen_on_a_page(
    world: worlds.World, db: Database, visitor: Visitor, join: Member
) -> None:
    user_id = await person(db, await join(visitor))
    page = await visitor.page("/account/notifications/settings")
    assert "Parcels" in page
    # Who has no shop is not asked about one.
    assert "email-sale" not in page
    answer = await visitor.submit(
        "/account/notifications/settings",
        {"email-delivery": "never", "email-review": "weekly", "in_app-review": "1"},
    )
    assert answer.status_code == 303
    async with db.read() as conn:
        chosen = {one.topic: one for one in await notifications.choices(conn, user_id)}
    assert (chosen[Topic.DELIVERY].email, chosen[Topic.DELIVERY].in_app) == ("never", False)
    assert (chosen[Topic.REVIEW].email, chosen[Topic.REVIEW].in_app) == ("weekly", True)
    assert (chosen[Topic.SALE].email, chosen[Topic.SALE].in_app) == ("now", True)
    await tell(db, user_id, shipped())
    assert "Nothing to tell you yet" in await visitor.page("/account/notifications")


async def test_mails_are_ended_by_their_link_alone(
    world: worlds.World, db: Database, visitor: Visitor, settings: Settings
) -> None:
    wish = notifications.Wish(f"mail:{uuid7()}@example.com", "delivery")
    token = notifications.link_token(wish, settings.secret_key)
    page = await visitor.page(f"/unsubscribe?token={token}")
    assert "You will get no more mails about: Parcels." in text_of(page)

    async def email() -> str:
        async with db.read() as conn:
            row = await conn.fetchrow(
                "SELECT email FROM notifications.preference WHERE subject = $1", wish.subject
            )
        return row["email"] if row else "untouched"

    # Looking changed nothing: mail scanners open every link.
    assert await email() == "untouched"
    # As mail programs do it (RFC 8058): without cookies, without a token of ours.
    visitor.cookies.clear()
    answer = await visitor.post(
        f"/unsubscribe?token={token}", data={"List-Unsubscribe": "One-Click"}
    )
    assert answer.status_code == 200
    assert "We no longer write to you about: Parcels." in text_of(answer.text)
    assert await email() == "never"
    answer = await visitor.post(
        f"/unsubscribe?token={token}", data={"act": "resume", "topics": "delivery"}
    )
    assert answer.status_code == 303
    assert await email() == "now"
    await visitor.page(f"/unsubscribe?token={token[:-2]}", status=404)


async def test_pages_come_in_the_language_of_the_visitor(
    world: worlds.World, visitor: Visitor
) -> None:
    answer = await visitor.get("/", headers={"accept-language": "fr-CH, fr;q=0.9, en;q=0.5"})
    assert '<html lang="fr" dir="ltr"' in answer.text
    assert "Fraîchement arrivés" in answer.text
    assert answer.headers["content-language"] == "fr"
    assert "Accept-Language" in answer.headers["vary"]
    await visitor.submit("/preferences", {"language": "ar", "back": "/"})
    arabic = await visitor.page("/")
    assert '<html lang="ar" dir="rtl"' in arabic
    # A page kept for everybody is kept for each language.
    english = await visitor.get("/", headers={"cookie": ""})
    assert "Fresh on the market" in english.text


async def test_refusals_are_said_in_the_language_of_the_visitor(
    world: worlds.World, visitor: Visitor
) -> None:
    await visitor.submit("/preferences", {"language": "de", "back": "/"})
    answer = await visitor.submit("/login", {"email": "ada@example.com", "password": "wrong one"})
    assert "Die Adresse oder das Passwort stimmt nicht." in answer.text
    missing = await visitor.page("/listing/not-there", status=404)
    assert "Dieser Stand ist leer" in missing
    assert "There is no such" not in missing


class Page:
    """An open page, as the hub knows it."""

    def __init__(self, hub: LiveHub, actor: Actor, after: UUID | None = None) -> None:
        self.heard: list[tuple[str, dict[str, object], str]] = []
        self.ended = asyncio.Event()
        self.task = asyncio.create_task(self._read(hub, hub.enter(actor), after))

    async def _read(self, hub: LiveHub, page: object, after: UUID | None) -> None:
        async for raw in hub.stream(page, after=after):  # type: ignore[arg-type]
            lines = dict(
                line.split(": ", 1) for line in raw.decode().splitlines() if ": " in line[1:]
            )
            if "event" in lines:
                self.heard.append(
                    (lines["event"], msgspec.json.decode(lines["data"]), lines.get("id", ""))
                )
        self.ended.set()

    async def wait(self, event: str) -> tuple[str, dict[str, object], str]:
        for _ in range(80):
            for one in self.heard:
                if one[0] == event:
                    return one
            await asyncio.sleep(0.05)
        raise AssertionError(f"{event} was not heard: {self.heard}")


def member() -> Actor:
    return Actor(kind="user", user_id=uuid7())


async def test_open_pages_hear_what_happens_to_their_person_only(services: Services) -> None:
    hub = LiveHub(services)
    anna, ben = member(), member()
    mine, other = Page(hub, anna), Page(hub, ben)
    await mine.wait("here")
    assert anna.user_id is not None
    await tell(services.db, anna.user_id, shipped())
    _, data, _ = await mine.wait("signal")
    assert (data["kind"], data["title"], data["unread"]) == ("orders", "On its way", 1)
    assert [event for event, _, _ in other.heard] == ["here"]
    await hub.close()
    await asyncio.wait_for(asyncio.gather(mine.ended.wait(), other.ended.wait()), 2)
    assert hub.open == 0


async def test_a_page_that_comes_back_hears_what_it_missed_once(services: Services) -> None:
    hub = LiveHub(services)
    anna = member()
    assert anna.user_id is not None
    page = Page(hub, anna)
    _, _, last = await page.wait("here")
    page.task.cancel()
    await asyncio.gather(page.task, return_exceptions=True)
    await tell(services.db, anna.user_id, shipped())
    again = Page(hub, anna, after=UUID(last))
    await again.wait("signal")
    await asyncio.sleep(1.5)
    assert [event for event, _, _ in again.heard] == ["signal"]
    await hub.close()


async def test_open_pages_are_bounded_and_cost_one_statement_together(services: Services) -> None:
    hub = LiveHub(services, most=5, each=2)
    anna = member()
    pages = [Page(hub, anna) for _ in range(3)]
    await asyncio.wait_for(pages[0].ended.wait(), 2)
    assert hub.open == 2
    others = [Page(hub, member()) for _ in range(3)]
    assert hub.open == 5
    with pytest.raises(TooManyPages):
        hub.enter(member())
    await others[0].wait("here")
    await asyncio.sleep(0.3)
    before = await statements(services)
    await asyncio.sleep(3.3)
    # Three or four seconds of one statement, each of which may look into two indexes; one for
    # each of the five pages would be three times as many.
    assert 1 <= await statements(services) - before <= 10
    await hub.close()


async def statements(services: Services) -> int:
    """How often signals were asked for, by the table's own count of index and table scans."""
    async with services.db.read() as conn:
        await conn.fetchval("SELECT pg_stat_clear_snapshot()")
        return await conn.fetchval(
            "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables"
            " WHERE schemaname = 'notifications' AND relname = 'signal'"
        )


async def test_staff_hears_of_longer_queues(services: Services, world: worlds.World) -> None:
    hub = LiveHub(services)
    staff = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.SELLERS_REVIEW}))
    page = Page(hub, staff)
    await page.wait("here")
    await asyncio.sleep(1.5)
    await services.db.transact(_apply)
    for _ in range(3):
        if any(event == "queues" for event, _, _ in page.heard):
            break
        await asyncio.sleep(2.5)
    _, data, _ = await page.wait("queues")
    assert set(data) == {"sellers"}
    await hub.close()


async def _apply(tx: WriteTx) -> None:
    await tx.execute(
        "UPDATE sellers.seller SET state = 'applied'"
        " WHERE id = (SELECT id FROM sellers.seller LIMIT 1)"
    )
