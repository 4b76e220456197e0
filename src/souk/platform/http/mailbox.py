"""The development mailbox as JSON: what would have been mailed, for people and tests at a desk."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from souk.kernel.errors import NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.mail import LocalMail, local_mails
from souk.platform.settings import Settings


@get("/dev/mail.json", access=access.PUBLIC, include_in_schema=False)
async def mailbox(
    db: Database,
    settings: Settings,
    to: Annotated[str | None, QueryParameter(max_length=254)] = None,
) -> list[LocalMail]:
    """The newest mails first. Only there in development, while mail is kept here."""
    if settings.is_production or not settings.mail_url.startswith("local:"):
        raise NotFound("There is nothing at this address.")
    async with db.read() as conn:
        return await local_mails(conn, recipient=to)


routes = [mailbox]
