"""The audit log."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from souk.kernel.actor import Actor, Permission
from souk.kernel.ids import parse_uuid
from souk.platform import audit
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import queues
from souk.web.desk import address
from souk.web.page import Req, page

_PATH = "/admin/audit"
_LIMIT = 50
_Word = Annotated[str, QueryParameter(max_length=200)]


@get(_PATH, access=access.operator(Permission.AUDIT_VIEW), include_in_schema=False)
async def audit_page(
    request: Req,
    db: Database,
    actor: Actor,
    action: _Word = "",
    subject: _Word = "",
    before: _Word = "",
) -> Response[bytes]:
    """Who did what, newest first, by the start of the action and by subject."""
    async with db.read() as conn:
        found = await audit.recent(
            conn,
            action_prefix=clean_text(action, path="action"),
            subject=clean_text(subject, path="subject") or None,
            before=parse_uuid(before),
            limit=_LIMIT + 1,
        )
        waiting = await queues(conn, actor)
    rows = found[:_LIMIT]
    next_url = address(_PATH, action=action, subject=subject, before=rows[-1].id) if rows else None
    return await page(
        request,
        "admin/audit.html",
        rows=rows,
        action=action,
        subject=subject,
        next_url=next_url if len(found) > _LIMIT else None,
        desk_counts=waiting,
    )


routes: list[Any] = [audit_page]
