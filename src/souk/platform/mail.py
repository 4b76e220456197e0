"""Sending mail: SMTP in production, a page of this program in development."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import aiosmtplib
import msgspec

from souk.kernel.ids import uuid7
from souk.platform.database import Database, ReadConn, WriteTx
from souk.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one address, with both bodies."""

    to: str
    subject: str
    html: str
    plain: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Mailer(Protocol):
    """Raises when the message was not handed over, so that the job tries again."""

    async def send(self, mail: Mail) -> None: ...


def compose(mail: Mail, *, sender: str) -> EmailMessage:
    """The RFC 5322 message. EmailMessage refuses line breaks in headers (header injection)."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rsplit("@", 1)[-1].rstrip(">"))
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.plain)
    message.add_alternative(mail.html, subtype="html")
    return message


class SmtpMailer:
    """`smtp://user:password@host:port?starttls=1` or `smtps://…` for TLS from the start."""

    def __init__(self, url: str, *, sender: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        assert parts.hostname, "the settings were checked at start"
        self._sender = sender
        self._host = parts.hostname
        self._port = parts.port or (465 if parts.scheme == "smtps" else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        self._starttls = query.get("starttls", ["1" if self._user else ""])[0] == "1"

    async def send(self, mail: Mail) -> None:
        await aiosmtplib.send(
            compose(mail, sender=self._sender),
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            start_tls=None if self._tls else self._starttls,
            timeout=20,
        )


class LocalMail(msgspec.Struct, frozen=True):
    """A message as the development mailbox shows it."""

    id: UUID
    sent_at: datetime
    sender: str
    recipient: str
    subject: str
    html: str
    plain: str


class LocalMailer:
    """Keeps messages in the database; /dev/mail shows them."""

    def __init__(self, db: Database, *, sender: str) -> None:
        self._db = db
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        compose(mail, sender=self._sender)

        async def keep(tx: WriteTx) -> None:
            await tx.execute(
                "INSERT INTO platform.local_mail"
                " (id, sent_at, sender, recipient, subject, html, plain)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                uuid7(),
                tx.clock.now(),
                self._sender,
                mail.to,
                mail.subject,
                mail.html,
                mail.plain,
            )

        await self._db.transact(keep)


async def local_mails(
    conn: ReadConn, *, recipient: str | None = None, limit: int = 100
) -> list[LocalMail]:
    """The development mailbox, newest first."""
    rows = await conn.fetch(
        "SELECT id, sent_at, sender, recipient, subject, html, plain FROM platform.local_mail"
        " WHERE $1::text IS NULL OR recipient = $1 ORDER BY id DESC LIMIT $2",
        recipient,
        limit,
    )
    return [LocalMail(*row.values()) for row in rows]


def make_mailer(settings: Settings, db: Database) -> Mailer:
    """The mailer that `SOUK_MAIL_URL` names."""
    if urlsplit(settings.mail_url).scheme == "local":
        return LocalMailer(db, sender=settings.mail_from)
    return SmtpMailer(settings.mail_url, sender=settings.mail_from)
