"""Queueing once, sending through a real mail server, failing, bouncing; notices."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from souk.contexts.notifications import api
from souk.contexts.notifications.api import contents
from souk.contexts.notifications.commands import SendMail
from souk.contexts.notifications.domain import MAX_ATTEMPTS
from souk.contexts.notifications.http import routes
from souk.contexts.notifications.jobs import forget_old, send_mail
from souk.kernel.actor import Actor
from souk.kernel.clock import SettableClock
from souk.kernel.errors import NotFound, NotSignedIn
from souk.kernel.ids import uuid7
from souk.platform.database import Database, Record
from souk.platform.mail import make_mailer
from souk.platform.services import Services
from tests.conftest import Client


@dataclass
class Inbox:
    """What the mail server does with what it gets."""

    answer: str = "250 OK"
    refuse: str = ""
    mails: list[Envelope] = field(default_factory=list[Envelope])

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            self.mails.append(envelope)
        return self.answer


@pytest.fixture
def inbox(services: Services) -> Iterator[Inbox]:
    """A real SMTP server on the loopback, and a mailer that is set to use it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Inbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    before = services.mailer
    settings = msgspec.structs.replace(services.settings, mail_url=f"smtp://127.0.0.1:{port}")
    services.mailer = make_mailer(settings, services.db)
    yield box
    services.mailer = before
    controller.stop()


def someone(user_id: UUID | None = None) -> api.Recipient:
    return api.Recipient(f"{uuid7()}@example.com", "Ada", "en", user_id)


async def queue(db: Database, to: api.Recipient, key: str | None = None) -> UUID | None:
    content = contents.SellerApproved(shop="Fern & Co")
    return await db.transact(
        lambda tx: api.send(tx, to=to, content=content, dedupe_key=key or str(uuid7()))
    )


async def row_of(db: Database, message_id: UUID | None) -> Record:
    async with db.read() as conn:
        row = await conn.fetchrow(
            "SELECT state, attempts, error, sent_at FROM notifications.message WHERE id = $1",
            message_id,
        )
    assert row is not None
    return row


async def jobs_of(db: Database, message_id: UUID | None) -> int:
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT count(*) FROM jobs.pgqueuer WHERE entrypoint = 'notifications.send_mail'"
            " AND convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'",
            str(message_id),
        )


async def run(services: Services, message_id: UUID | None) -> None:
    assert message_id is not None
    await send_mail(services, SendMail(message_id))


async def test_a_mail_arrives_once(services: Services, inbox: Inbox) -> None:
    to = someone()
    message_id = await queue(services.db, to)
    assert await jobs_of(services.db, message_id) == 1
    for _ in range(2):
        await run(services, message_id)
    assert [envelope.rcpt_tos for envelope in inbox.mails] == [[to.email]]
    raw = inbox.mails[0].original_content or b""
    assert b"Subject: Fern & Co may sell now" in raw
    assert b"multipart/alternative" in raw
    assert b"Auto-Submitted: auto-generated" in raw
    row = await row_of(services.db, message_id)
    assert (row["state"], row["attempts"]) == ("sent", 1)
    assert row["sent_at"] == services.clock.now()


async def test_the_same_key_is_queued_once(db: Database) -> None:
    to, key = someone(), str(uuid7())
    first = await queue(db, to, key)
    assert first is not None
    assert await queue(db, to, key) is None
    assert await jobs_of(db, first) == 1


async def test_a_busy_server_is_tried_again_and_then_given_up(
    services: Services, inbox: Inbox
) -> None:
    inbox.answer = "451 try later"
    message_id = await queue(services.db, someone())
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with pytest.raises(Exception, match="451"):
            await run(services, message_id)
        row = await row_of(services.db, message_id)
        assert row["attempts"] == attempt
        assert row["state"] == ("queued" if attempt < MAX_ATTEMPTS else "failed")
    inbox.answer = "250 OK"
    await run(services, message_id)
    assert inbox.mails == []


async def test_it_recovers(services: Services, inbox: Inbox) -> None:
    inbox.answer = "451 try later"
    message_id = await queue(services.db, someone())
    with pytest.raises(Exception, match="451"):
        await run(services, message_id)
    inbox.answer = "250 OK"
    await run(services, message_id)
    assert len(inbox.mails) == 1
    assert (await row_of(services.db, message_id))["state"] == "sent"


@pytest.mark.parametrize("refusal", ["550 no such user", "553 not allowed"])
async def test_an_address_that_does_not_exist_bounces(
    services: Services, inbox: Inbox, refusal: str
) -> None:
    inbox.refuse = refusal
    message_id = await queue(services.db, someone())
    await run(services, message_id)
    row = await row_of(services.db, message_id)
    assert (row["state"], row["attempts"]) == ("bounced", 1)


async def test_a_greylisted_address_does_not_bounce(services: Services, inbox: Inbox) -> None:
    inbox.refuse = "450 greylisted"
    message_id = await queue(services.db, someone())
    with pytest.raises(Exception, match="450"):
        await run(services, message_id)
    assert (await row_of(services.db, message_id))["state"] == "queued"


async def test_nobody_listens(services: Services, inbox: Inbox) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = msgspec.structs.replace(services.settings, mail_url=f"smtp://127.0.0.1:{port}")
    services.mailer = make_mailer(settings, services.db)
    message_id = await queue(services.db, someone())
    with pytest.raises(Exception, match="connect"):
        await run(services, message_id)
    assert (await row_of(services.db, message_id))["state"] == "queued"


async def test_a_link_is_in_the_mail_and_nowhere_else(services: Services, inbox: Inbox) -> None:
    to = someone()
    content = contents.ResetPassword(name="Ada")
    message_id = await services.db.transact(
        lambda tx: api.send(tx, to=to, content=content, dedupe_key=str(uuid7()), by_job=False)
    )
    assert message_id is not None
    assert await jobs_of(services.db, message_id) == 0
    await api.deliver(services, message_id, link="https://souk.example/reset?token=s3cr3t")
    assert b"s3cr3t" in (inbox.mails[0].original_content or b"")
    async with services.db.read() as conn:
        kept = await conn.fetchval(
            "SELECT count(*) FROM notifications.message m WHERE m::text LIKE '%s3cr3t%'"
        )
    assert kept == 0


async def test_a_dropped_message_is_not_sent(services: Services, inbox: Inbox) -> None:
    message_id = await queue(services.db, someone())
    assert message_id is not None
    await api.drop(services, message_id)
    await run(services, message_id)
    assert inbox.mails == []
    assert (await row_of(services.db, message_id))["state"] == "dropped"


async def add_notice(db: Database, user_id: UUID, key: str | None = None) -> None:
    content = contents.ListingApproved(listing_id=uuid7(), title="Monstera")
    await db.transact(
        lambda tx: api.in_app(
            tx, user_id=user_id, content=content, dedupe_key=key or str(uuid7()), locale="en"
        )
    )


async def test_notices_over_the_routes(db: Database, make_client: Callable[..., Client]) -> None:
    client = make_client(routes)
    assert (await client.get("/api/v1/notifications")).status_code == 401
    user_id, key = uuid7(), str(uuid7())
    for _ in range(2):
        await add_notice(db, user_id, key)
    for _ in range(2):
        await add_notice(db, user_id)
    client.act_as.actor = Actor(kind="user", user_id=user_id)
    page = (await client.get("/api/v1/notifications?limit=2")).json()
    assert (len(page["items"]), page["unread"]) == (2, 3)
    assert page["items"][0]["title"] == "Your listing is live"
    rest = (await client.get(f"/api/v1/notifications?cursor={page['next_cursor']}")).json()
    assert len(rest["items"]) == 1
    assert (await client.get("/api/v1/notifications?cursor=WyJ4Il0")).status_code == 422
    notice = rest["items"][0]["id"]
    for _ in range(2):
        read = await client.post(f"/api/v1/notifications/{notice}/read")
        assert read.status_code == 204
    unread = (await client.get("/api/v1/notifications?unread_only=true")).json()
    assert (len(unread["items"]), unread["unread"]) == (2, 2)
    other = Actor(kind="user", user_id=uuid7())
    client.act_as.actor = other
    assert (await client.post(f"/api/v1/notifications/{notice}/read")).status_code == 404
    assert (await client.post("/api/v1/notifications/read")).status_code == 204
    client.act_as.actor = Actor(kind="user", user_id=user_id)
    assert (await client.get("/api/v1/notifications")).json()["unread"] == 2
    assert (await client.post("/api/v1/notifications/read")).status_code == 204
    assert (await client.get("/api/v1/notifications")).json()["unread"] == 0


async def test_guests_have_no_notices(db: Database) -> None:
    guest = Actor(kind="guest")
    with pytest.raises(NotSignedIn):
        await db.transact(lambda tx: api.mark_all_read(tx, guest))
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: api.mark_read(tx, Actor(kind="user", user_id=uuid7()), notice_id=uuid7())
        )


async def test_records_are_kept_a_year(services: Services, clock: SettableClock) -> None:
    user_id = uuid7()
    message_id = await queue(services.db, someone(user_id))
    await add_notice(services.db, user_id)
    clock.advance(timedelta(days=364))
    await forget_old(services)
    assert (await row_of(services.db, message_id))["state"] == "queued"
    clock.advance(timedelta(days=2))
    await forget_old(services)
    async with services.db.read() as conn:
        assert await api.unread_count(conn, user_id) == 0
        left = await conn.fetchval(
            "SELECT count(*) FROM notifications.message WHERE user_id = $1", user_id
        )
    assert left == 0
