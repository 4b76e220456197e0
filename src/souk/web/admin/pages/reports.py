"""Listings that visitors reported: what waits, what came of it, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.listings import api as listings
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.admin.bulk import ids_of, many
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Short, Word, frame_of
from souk.web.desk import Ask, address, answer, ask, back_to
from souk.web.page import Req, page

_MAY = access.operator(Permission.LISTINGS_REVIEW)
_LIST = "/admin/reports"
_ONE = _LIST + "/{listing_id:uuid}"
_CLOSED = "closed"


@get(_LIST, access=_MAY, include_in_schema=False)
async def reports_page(
    request: Req,
    db: Database,
    queue: Annotated[str, QueryParameter(max_length=10)] = "",
    q: Word = "",
    reason: Short = "",
    sort: Short = "since",
    cursor: Cursor = None,
) -> Response[bytes]:
    """Reported listings, the longest wait first; or what was looked into, the last first."""
    wanted = listings.ReportReason(reason) if reason in set(listings.ReportReason) else None
    over = queue == _CLOSED
    async with db.read() as conn:
        if over:
            closed = await listings.reported.closed(conn, cursor=cursor)
            rows, following = closed.items, closed.next_cursor
            reports = [row.report for row in closed.items]
        else:
            found = await listings.reported.queue(
                conn, search=clean_text(q, path="q"), reason=wanted, sort=sort, cursor=cursor
            )
            rows, following = found.items, found.next_cursor
            reports = [report for row in found.items for report in row.newest]
        people = await people_of(
            conn, {label for each in reports for label in (each.reporter, each.closed_by)}
        )
    filters = {"queue": _CLOSED} if over else {"q": q, "reason": wanted or ""}
    return await page(
        request,
        "admin/reports.html",
        rows=rows,
        over=over,
        people=people,
        reasons=[str(each) for each in listings.ReportReason],
        **frame_of(_LIST, filters, sort=sort, next_cursor=following, csv=False),
    )


_DISMISSED = [
    "It does not break the rules of the market.",
    "The seller has put it right.",
    "It was reported by mistake.",
]
_TAKEN_DOWN = [
    "The content guidelines do not allow this.",
    "It must not be sold here.",
    "Words or pictures belong to somebody else.",
    "The description is not true.",
]
_DISMISS = "dismiss"
_TAKE_DOWN = "take-down"
_OUTCOME = "What came of it, for the record"
_REASON = "Why, in a sentence to the seller"


def _question(what: str, titles: Mapping[UUID, str], *, action: str, **more: Any) -> Ask:
    """What is asked before the act. Raises NotFound for an act that is none."""
    several = len(titles) > 1
    more |= {
        "action": action,
        "back": _LIST,
        "subjects": list(titles.values()),
        "template": "admin/ask.html",
    }
    if what == _DISMISS:
        return Ask(
            title="Dismiss these reports?" if several else "Dismiss the reports?",
            text="They count as looked into, and what was reported stays on sale.",
            consequences=[
                "Those who reported are not told, and the sellers are not either.",
                "New reports can come in.",
            ],
            confirm="Dismiss",
            done="The reports are dismissed.",
            danger=False,
            reason=_OUTCOME,
            reasons=_DISMISSED,
            **more,
        )
    if what == _TAKE_DOWN:
        return Ask(
            title="Take these listings out of sight?"
            if several
            else "Take this listing out of sight?",
            text="Nobody can find or buy it any more. The seller is told, and reads your reason.",
            consequences=[
                "Open reports about it are closed.",
                "Its orders go on as usual.",
                "You can show it again, or send it back as a draft, from its page.",
            ],
            confirm="Take out of sight",
            done="It is out of sight and its seller was told.",
            reason=_REASON,
            reasons=_TAKEN_DOWN,
            **more,
        )
    raise NotFound("There is nothing at this address. Look at the list of reports.")


async def _do(tx: WriteTx, actor: Actor, what: str, listing_id: UUID, said: str) -> None:
    if what == _DISMISS:
        await listings.close_reports(tx, actor, listing_id=listing_id, outcome=said)
    else:
        await listings.take_down(tx, actor, listing_id=listing_id, reason=said)


async def _asked(db: Database, listing_id: UUID, what: str) -> Ask:
    """The question about one listing. Raises NotFound."""
    async with db.read() as conn:
        listing = await listings.any_state(conn, listing_id)
    return _question(what, {listing_id: listing.title}, action=f"{_LIST}/{listing_id}/{what}")


@get(_ONE + "/{what:str}", access=_MAY, include_in_schema=False)
async def question_page(
    request: Req, db: Database, listing_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Ask first."""
    return await ask(request, await _asked(db, listing_id, what))


@post(_ONE + "/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Dismiss what was reported about one listing, or take it out of sight."""
    question = await _asked(db, listing_id, what)
    return await answer(
        request, db, question, lambda tx, said: _do(tx, actor, what, listing_id, said)
    )


@post(f"{_LIST}/bulk", access=_MAY, rate="write", include_in_schema=False)
async def bulk(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """The same for the ticked ones, after one question that names each."""
    ids, form = await ids_of(request)
    what = form.get("act", "")
    if not ids or what not in {_DISMISS, _TAKE_DOWN}:
        return back_to(request, _LIST, "Tick at least one row first.", tone="warn")
    async with db.read() as conn:
        titles = await listings.desk.titles(conn, ids)
    kept = {"ids": " ".join(str(each) for each in titles), "act": what, "confirmed": "1"}
    question = _question(what, titles, action=address(f"{_LIST}/bulk"), fields=kept)

    async def one(tx: WriteTx, listing_id: UUID, said: str) -> None:
        await _do(tx, actor, what, listing_id, said)

    return await many(request, db, question, form, titles, one)


routes: list[Any] = [reports_page, bulk, question_page, decide]
