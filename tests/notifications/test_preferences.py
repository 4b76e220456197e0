"""What people wish to be told is what they are told: at once, in summaries, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from souk.contexts.notifications import api, contents, digests
from souk.contexts.notifications.domain import Say
from souk.contexts.notifications.http import routes
from souk.contexts.notifications.jobs import send_digests
from souk.contexts.notifications.rendering import mail_of
from souk.contexts.notifications.topics import TOPICS, Cadence, Choice, Topic, fitting
from souk.contexts.notifications.wishes import (
    Wish,
    link_token,
    read_link,
    subject_of,
    unsubscribe_link,
)
from souk.kernel.actor import Actor
from souk.kernel.clock import SettableClock
from souk.kernel.errors import NotFound
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from souk.platform.mail import compose
from souk.platform.services import Services
from tests.conftest import Client

SECRET = "a-test-secret-key-of-more-than-32-characters"


def somebody() -> tuple[Actor, api.Recipient]:
    user_id = uuid7()
    actor = Actor(kind="user", user_id=user_id)
    return actor, api.Recipient(f"{user_id}@example.com", "Ada", "en", user_id)


def sale(number: str = "7KQM-42XD") -> contents.AnyContent:
    return contents.Sale(
        seller_order_id=uuid7(), number=number, currency="EUR", lines=[], total=1_900,
        earning=1_672, to_ship=False,
    )  # fmt: skip


async def choose(db: Database, actor: Actor, *wanted: Choice) -> list[Choice]:
    return await db.transact(lambda tx: api.choose(tx, actor, wanted=list(wanted)))


async def tell(db: Database, to: api.Recipient, content: contents.AnyContent) -> UUID | None:
    key = str(uuid7())

    async def work(tx: WriteTx) -> UUID | None:
        message = await api.send(tx, to=to, content=content, dedupe_key=key)
        if to.user_id:
            await api.in_app(tx, user_id=to.user_id, content=content, dedupe_key=key, locale="en")
        return message

    return await db.transact(work)


async def inbox(db: Database, user_id: UUID | None) -> list[str]:
    assert user_id is not None
    async with db.read() as conn:
        return [notice.kind for notice in (await api.notices(conn, user_id)).items]


async def heard(db: Database, user_id: UUID | None) -> list[tuple[str, str]]:
    assert user_id is not None
    since = datetime(2000, 1, 1, tzinfo=UTC)
    async with db.read() as conn:
        found = await api.signals(conn, [user_id], since=since)
    return [(one.kind, one.title) for one in found]


def test_every_kind_of_message_has_its_topic() -> None:
    kinds = {str(each.__struct_config__.tag) for each in get_args(contents.AnyContent)}
    assert kinds <= set(TOPICS)


async def test_everything_is_told_at_once_unless_it_is_wished_otherwise(db: Database) -> None:
    actor, to = somebody()
    assert await tell(db, to, sale()) is not None
    assert await inbox(db, actor.user_id) == ["sale"]
    assert await heard(db, actor.user_id) == [("sales", "You made a sale")]


async def test_a_topic_that_is_switched_off_is_neither_mailed_nor_shown(db: Database) -> None:
    actor, to = somebody()
    await choose(db, actor, Choice(Topic.SALE, Cadence.NEVER, in_app=False))
    assert await tell(db, to, sale()) is None
    assert await inbox(db, actor.user_id) == []
    # An open page still refreshes, and says nothing aloud.
    assert await heard(db, actor.user_id) == [("sales", "")]
    assert await tell(db, to, contents.SellerApproved(shop="Fern")) is not None


async def test_security_and_money_are_told_in_any_case(db: Database) -> None:
    actor, to = somebody()
    chosen = await choose(
        db, actor, *[Choice(topic, Cadence.NEVER, in_app=False) for topic in Topic]
    )
    assert {one.topic for one in chosen} == set(Topic) - {Topic.ACCOUNT}
    assert await tell(db, to, contents.PasswordChanged(name="Ada")) is not None
    refund = contents.Refunded(order_id=None, number="7KQM", amount=100, currency="EUR")
    assert await tell(db, to, refund) is not None
    assert sorted(await inbox(db, actor.user_id)) == ["password_changed", "refunded"]


async def test_what_cannot_wait_is_never_gathered() -> None:
    assert fitting(Choice(Topic.DELIVERY, Cadence.WEEKLY)).email is Cadence.NOW
    assert fitting(Choice(Topic.SALE, Cadence.WEEKLY)).email is Cadence.WEEKLY
    assert fitting(Choice(Topic.ACCOUNT, Cadence.NEVER, in_app=False)) == Choice(Topic.ACCOUNT)


async def test_a_summary_gathers_what_waited_once(services: Services, clock: SettableClock) -> None:
    db = services.db
    actor, to = somebody()
    await choose(db, actor, Choice(Topic.SALE, Cadence.DAILY))
    for number in ("AAAA-1111", "BBBB-2222"):
        assert await tell(db, to, sale(number)) is None
    await send_digests(services)
    await send_digests(services)
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT kind, content FROM notifications.message WHERE user_id = $1", actor.user_id
        )
    assert [row["kind"] for row in rows] == ["digest"]
    assert [told["heading"] for told in rows[0]["content"]["told"]] == ["You made a sale"] * 2


async def test_the_week_is_told_on_monday(services: Services, clock: SettableClock) -> None:
    db = services.db
    actor, to = somebody()
    await choose(db, actor, Choice(Topic.SALE, Cadence.WEEKLY))
    assert await tell(db, to, sale()) is None
    monday = datetime(2027, 3, 1, 6, 10, tzinfo=UTC)
    assert monday.weekday() == 0
    clock.set(monday + timedelta(days=2))
    await send_digests(services)
    assert await digests_of(db, actor) == 0
    clock.set(monday + timedelta(days=7))
    await send_digests(services)
    assert await digests_of(db, actor) == 1


async def digests_of(db: Database, actor: Actor) -> int:
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT count(*) FROM notifications.message WHERE user_id = $1 AND kind = 'digest'",
            actor.user_id,
        )


async def test_what_waited_follows_a_changed_wish(services: Services) -> None:
    db = services.db
    actor, to = somebody()
    await choose(db, actor, Choice(Topic.SALE, Cadence.WEEKLY))
    await tell(db, to, sale())
    await choose(db, actor, Choice(Topic.SALE, Cadence.NEVER))
    assert await db.transact(
        lambda tx: digests.make(tx, user_id=to.user_id or uuid7(), cadence=Cadence.WEEKLY)
    ) is None  # fmt: skip
    await choose(db, actor, Choice(Topic.SALE, Cadence.WEEKLY))
    await tell(db, to, sale())
    await choose(db, actor, Choice(Topic.SALE, Cadence.NOW))
    assert await db.transact(
        lambda tx: digests.make(tx, user_id=to.user_id or uuid7(), cadence=Cadence.DAILY)
    )


def test_a_link_that_was_changed_is_refused() -> None:
    wish = Wish("mail:ada@example.com", "delivery")
    token = link_token(wish, SECRET)
    assert read_link(token, SECRET) == wish
    other = link_token(Wish("mail:eve@example.com", "delivery"), SECRET)
    for bad in (
        "",
        token[:-1],
        token.replace(".", ""),
        f"{other.split('.')[0]}.{token.split('.')[1]}",
    ):
        with pytest.raises(NotFound):
            read_link(bad, SECRET)
    with pytest.raises(NotFound):
        read_link(token, SECRET + "x")


def test_mails_say_how_they_end_and_security_mails_do_not() -> None:
    to = api.Recipient("ada@example.com", "Ada", "en")
    content = contents.Delivered(order_id=uuid7(), number="7KQM", seller="Fern")
    say = Say("en", marketplace="Green Souk")
    path = unsubscribe_link(to, content, secret=SECRET)
    mail = mail_of(
        content.letter(say), say, to=to.email, base_url="https://souk.example/",
        message_id=uuid7(), unsubscribe=path,
    )  # fmt: skip
    message = compose(mail, sender="souk@souk.example")
    assert message["List-Unsubscribe"] == f"<https://souk.example{path}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"https://souk.example{path}" in mail.plain
    assert path.split("=", 1)[1] in mail.html
    assert unsubscribe_link(to, contents.PasswordChanged(name="Ada"), secret=SECRET) == ""


async def test_a_link_ends_the_mails_of_a_guest_and_only_those(db: Database) -> None:
    to = api.Recipient(f"{uuid7()}@example.com")
    arrived = contents.Delivered(order_id=uuid7(), number="7KQM", seller="Fern")
    assert await tell(db, to, arrived) is not None
    wish = Wish(subject_of(to), "delivery")
    ended = await db.transact(lambda tx: api.end_mails(tx, wish))
    assert ended == [Topic.DELIVERY]
    assert await tell(db, to, arrived) is None
    ready = contents.DownloadReady(order_id=uuid7(), number="7KQM", titles=["Guide"])
    assert await tell(db, to, ready) is not None
    await db.transact(lambda tx: api.resume_mails(tx, wish, ended))
    assert await tell(db, to, arrived) is not None


async def test_the_link_of_a_summary_ends_all_summaries(db: Database) -> None:
    actor, to = somebody()
    await choose(db, actor, Choice(Topic.SALE, Cadence.DAILY), Choice(Topic.REVIEW, Cadence.WEEKLY))
    ended = await db.transact(lambda tx: api.end_mails(tx, Wish(subject_of(to), api.SUMMARY)))
    assert set(ended) == {Topic.SALE, Topic.REVIEW}
    async with db.read() as conn:
        chosen = {one.topic: one.email for one in await api.choices(conn, actor.user_id or uuid7())}
    assert chosen[Topic.SALE] is chosen[Topic.REVIEW] is Cadence.NEVER
    assert chosen[Topic.DELIVERY] is Cadence.NOW


async def test_guests_are_written_to_in_the_language_of_their_purchase(db: Database) -> None:
    address = f"{uuid7()}@Example.com"
    for locale in ("de", "ar"):
        await db.transact(
            lambda tx, locale=locale: api.remember_language(tx, address=address, locale=locale)
        )
    async with db.read() as conn:
        assert await api.language_of(conn, address=address.lower()) == "ar"
        assert await api.language_of(conn, address="nobody@example.com") is None
    assert contents.Delivered(order_id=uuid7(), number="7", seller="F").letter(
        Say("ar")
    ).heading == "وصل"  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/notifications/preferences"])
async def test_preferences_over_the_api(make_client: Callable[..., Client], path: str) -> None:
    client = make_client(routes)
    client.act_as.actor, _ = somebody()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert {"topic": "sale", "email": "now", "in_app": True} in answer.json()["items"]
    change = {"items": [{"topic": "sale", "email": "weekly", "in_app": False}]}
    answer = await client.put(path, json=change)
    assert {"topic": "sale", "email": "weekly", "in_app": False} in answer.json()["items"]
    bad = await client.put(path, json={"items": [{"topic": "spam", "email": "now"}]})
    assert bad.status_code == 422
