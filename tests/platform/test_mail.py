"""Mail: handed to a real SMTP server on this machine, or kept for the development mailbox."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy

import msgspec
import pytest
from aiosmtpd.controller import Controller

from souk.kernel.ids import uuid7
from souk.platform.http import mailbox
from souk.platform.mail import LocalMailer, Mail, SmtpMailer, local_mails, make_mailer
from souk.platform.settings import Settings
from tests.payments.conftest import free_port

SENDER = "Souk <no-reply@souk.test>"


class Inbox:
    def __init__(self):
        self.received = []
        self.refuse = False

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            return "451 try again later"
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.received.append((envelope, message))
        return "250 OK"


@pytest.fixture
def server():
    inbox = Inbox()
    inbox.controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    inbox.controller.start()
    yield inbox
    inbox.controller.stop()


@pytest.fixture
def mailer(server):
    return SmtpMailer(f"smtp://127.0.0.1:{server.controller.port}", sender=SENDER)


def letter(**fields):
    base = {"to": "ada@people.test", "subject": "Größe", "html": "<p>Ä</p>", "plain": "Ä"}
    return Mail(**base | fields)


async def test_a_letter_arrives_with_both_bodies(server, mailer):
    await mailer.send(letter(headers={"List-Unsubscribe": "<https://souk.test/u>"}))
    ((envelope, message),) = server.received
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@souk.test", ["ada@people.test"])
    assert (message["From"], message["To"], message["Subject"]) == (
        SENDER,
        "ada@people.test",
        "Größe",
    )
    assert message["List-Unsubscribe"] == "<https://souk.test/u>"
    assert message["Message-ID"].endswith("@souk.test>")
    assert message.get_body(("plain",)).get_content().strip() == "Ä"
    assert message.get_body(("html",)).get_content().strip() == "<p>Ä</p>"


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "Hello\r\nBcc: eve@people.test"},
        {"to": "ada@people.test\nBcc: eve@people.test"},
        {"headers": {"X-Order": "1\r\nBcc: eve@people.test"}},
    ],
)
async def test_headers_cannot_be_injected(db, server, mailer, fields):
    for each in (mailer, LocalMailer(db, sender=SENDER)):
        with pytest.raises(ValueError):
            await each.send(letter(**fields))
    assert server.received == []


async def test_a_refusal_of_the_server_is_raised(server, mailer):
    server.refuse = True
    with pytest.raises(Exception, match="try again later"):
        await mailer.send(letter())


async def test_kept_letters_are_read_newest_first(db, clock):
    local, to = LocalMailer(db, sender=SENDER), f"u{uuid7().hex}@people.test"
    await local.send(letter(to=to, subject="first"))
    await asyncio.sleep(0.002)
    await local.send(letter(to=to, subject="second"))
    async with db.read() as conn:
        kept = await local_mails(conn, recipient=to)
        assert await local_mails(conn, recipient="nobody@people.test") == []
    assert [mail.subject for mail in kept] == ["second", "first"]
    assert (kept[0].sender, kept[0].sent_at) == (SENDER, clock.now())


async def test_the_mailbox_is_there_only_while_mail_is_kept(make_client, services):
    to = f"u{uuid7().hex}@people.test"
    await LocalMailer(services.db, sender=SENDER).send(letter(to=to))
    answer = await make_client(mailbox.routes).get("/dev/mail.json", params={"to": to})
    assert [mail["recipient"] for mail in answer.json()] == [to]
    usual = services.settings
    try:
        for change in ({"environment": "production"}, {"mail_url": "smtp://127.0.0.1:25"}):
            services.settings = msgspec.structs.replace(usual, **change)
            client = make_client(mailbox.routes)
            assert (await client.get("/dev/mail.json")).status_code == 404
    finally:
        services.settings = usual


def test_the_address_chooses_the_mailer(db):
    assert isinstance(make_mailer(Settings(), db), LocalMailer)
    for url in ("smtp://mail.test:25", "smtps://u:p%40ss@mail.test"):
        assert isinstance(make_mailer(Settings(mail_url=url), db), SmtpMailer)
