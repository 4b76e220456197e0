"""`/dev/mail`: what the program has sent, where no mail server is set."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath
from markupsafe import Markup, escape

from souk.kernel.errors import NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.mail import LocalMail, local_mails
from souk.platform.settings import Settings
from souk.web.page import Req, page

_LINK = re.compile(r"https?://[^\s<>\"')]+")
_SHOWN = 200


def _only_here(settings: Settings) -> None:
    if settings.environment != "development" or not settings.mail_url.startswith("local:"):
        raise NotFound("There is nothing at this address.")


@get("/dev/mail", access=access.PUBLIC, include_in_schema=False)
async def mailbox_page(request: Req, db: Database, settings: Settings) -> Response[bytes]:
    """Every message, newest first."""
    _only_here(settings)
    async with db.read() as conn:
        mails = await local_mails(conn, limit=_SHOWN)
    return await page(request, "development/mailbox.html", mails=mails, noindex=True)


@get("/dev/mail/{mail_id:uuid}", access=access.PUBLIC, include_in_schema=False)
async def mail_page(
    request: Req, db: Database, settings: Settings, mail_id: FromPath[UUID]
) -> Response[bytes]:
    """One message as text, its links to be followed."""
    mail = await _mail(db, settings, mail_id)
    return await page(
        request, "development/mail.html", mail=mail, text=_linked(mail.plain), noindex=True
    )


async def _mail(db: Database, settings: Settings, mail_id: UUID) -> LocalMail:
    _only_here(settings)
    async with db.read() as conn:
        for mail in await local_mails(conn, limit=_SHOWN):
            if mail.id == mail_id:
                return mail
    raise NotFound("There is no such message. Go back to the mailbox.")


@get("/dev/mail/{mail_id:uuid}/html", access=access.PUBLIC, include_in_schema=False)
async def mail_html(db: Database, settings: Settings, mail_id: FromPath[UUID]) -> Response[bytes]:
    """The message as a mail program draws it, with its own styles and nothing else."""
    mail = await _mail(db, settings, mail_id)
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox"
    headers = {"Content-Security-Policy": f"{policy} allow-top-navigation-by-user-activation"}
    return Response(mail.html.encode(), media_type="text/html; charset=utf-8", headers=headers)


def _linked(text: str) -> Markup:
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        url = escape(found[0])
        parts += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(url)]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


routes: list[Any] = [mailbox_page, mail_page, mail_html]
