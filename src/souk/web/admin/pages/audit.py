"""The audit log: who did what, and whether nobody changed it since."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Stream

from souk.contexts.identity import api as identity
from souk.kernel.actor import Permission
from souk.kernel.errors import DomainError
from souk.kernel.ids import parse_uuid
from souk.kernel.page import Page
from souk.platform import audit
from souk.platform.database import Database, ReadConn
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Day, plain_time
from souk.web.desk import address, back_to, problem_context, read_date, status_of
from souk.web.page import Req, page, translate

_PATH = "/admin/audit"
_MAY = access.operator(Permission.AUDIT_VIEW)
_LIMIT = 50
_Word = Annotated[str, QueryParameter(max_length=254)]


async def _label(conn: ReadConn, who: str) -> str | None:
    """The label that is looked for: of the person with this address, else the words themselves."""
    words = clean_text(who, path="who").strip()
    if not words:
        return None
    if "@" in words:
        found = await identity.user_id_of(conn, email=words)
        return f"user:{found}" if found else words
    return words


@get(_PATH, access=_MAY, include_in_schema=False)
async def audit_page(
    request: Req,
    db: Database,
    action: _Word = "",
    subject: _Word = "",
    who: _Word = "",
    since: Day = "",
    until: Day = "",
    before: _Word = "",
) -> Response[bytes]:
    """Who did what, newest first, by the start of the action, by subject, person and days."""
    error: DomainError | None = None
    times = {}
    try:
        times = {
            "since": read_date(since, path="since"),
            "until": read_date(until, path="until", end=True),
        }
    except DomainError as refused:
        error = refused
    async with db.read() as conn:
        found = await audit.recent(
            conn,
            action_prefix=clean_text(action, path="action"),
            subject=clean_text(subject, path="subject") or None,
            actor=await _label(conn, who),
            before=parse_uuid(before),
            limit=_LIMIT + 1,
            **times,
        )
        rows = found[:_LIMIT]
        people = await people_of(
            conn, [label for row in rows for label in (row.actor, row.subject)]
        )
    said = {"action": action, "subject": subject, "who": who, "since": since, "until": until}
    more = len(found) > _LIMIT
    return await page(
        request,
        "admin/audit.html",
        status=status_of(error),
        rows=rows,
        people=people,
        filters=said,
        clear_url=_PATH if any(said.values()) else None,
        csv_url=address(f"{_PATH}.csv", **said),
        next_url=address(_PATH, **said, before=rows[-1].id) if more else None,
        **problem_context(error),
    )


@get(f"{_PATH}.csv", access=_MAY, include_in_schema=False)
async def audit_csv(
    db: Database,
    action: _Word = "",
    subject: _Word = "",
    who: _Word = "",
    since: Day = "",
    until: Day = "",
) -> Stream:
    """The same rows as a table."""
    begin, end = read_date(since, path="since"), read_date(until, path="until", end=True)
    async with db.read() as conn:
        label = await _label(conn, who)

    async def load(cursor: str | None) -> Page[audit.AuditRow]:
        async with db.read() as conn:
            rows = await audit.recent(
                conn,
                action_prefix=clean_text(action, path="action"),
                subject=clean_text(subject, path="subject") or None,
                actor=label,
                since=begin,
                until=end,
                before=parse_uuid(cursor) if cursor else None,
                limit=csv.BATCH,
            )
        return Page(rows, str(rows[-1].id) if len(rows) == csv.BATCH else None)

    def cells(row: audit.AuditRow) -> list[object]:
        detail = "; ".join(f"{name}: {value}" for name, value in row.detail.items())
        sealed = "yes" if row.sealed else "no"
        at = plain_time(row.at)
        return [row.id, at, row.actor, row.action, row.subject, detail, row.ip, sealed]

    columns = ["row", "at_utc", "by", "act", "about", "detail", "ip", "sealed"]
    return csv.table("audit-log", columns, csv.batches(load), cells)


@post(_PATH + "/check", access=_MAY, rate="write", include_in_schema=False)
async def check_chain(request: Req, db: Database) -> Response[bytes]:
    """Compute every seal again and say whether a row was changed or removed."""
    async with db.read() as conn:
        state = await audit.check(conn)
    if state.broken_at is not None:
        text = translate(
            request,
            "The chain is broken at seal %(n)s: this row, or one before it, was changed or"
            " removed. Compare the database with its last backup.",
        ) % {"n": state.broken_at}
        return back_to(request, _PATH, text, tone="error")
    text = translate(
        request, "All %(n)s sealed rows are as they were written; %(m)s wait for their seal."
    ) % {"n": state.sealed, "m": state.waiting}
    return back_to(request, _PATH, text)


routes: list[Any] = [audit_page, audit_csv, check_chain]
