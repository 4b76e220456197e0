"""Listings that wait for a look."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.publish_listing import flow
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.web.admin.frame import queues
from souk.web.desk import Ask, act, address, answer, ask
from souk.web.page import Req, page, tree_of

_MAY = access.operator(Permission.LISTINGS_REVIEW)
_LIST = "/admin/listings"
_ONE = _LIST + "/{listing_id:uuid}"


@get(_LIST, access=_MAY, include_in_schema=False)
async def review_page(
    request: Req,
    db: Database,
    actor: Actor,
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """The queue, the longest wait first."""
    async with db.read() as conn:
        found = await listings.for_review(conn, cursor=cursor)
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/listings.html",
        rows=found.items,
        next_url=address(_LIST, cursor=found.next_cursor) if found.next_cursor else None,
        desk_counts=waiting,
    )


@get(_ONE, access=_MAY, include_in_schema=False)
async def listing_page(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Everything that buyers would see."""
    tree = await tree_of(request)
    async with db.read() as conn:
        listing = await listings.any_state(conn, listing_id)
        shops = await sellers.cards(conn, [listing.seller_id])
        reports = await listings.reports_of(conn, listing_id)
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/listing.html",
        listing=listing,
        view=listings.own_view(listing),
        reports=reports,
        shop=shops.get(listing.seller_id),
        category=" › ".join(each.name for each in tree.ancestors(listing.category_id))
        if listing.category_id is not None and listing.category_id in tree.by_id
        else None,
        desk_counts=waiting,
    )


@post(_ONE + "/approve", access=_MAY, rate="write", include_in_schema=False)
async def approve(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Show it."""
    return await act(
        request,
        db,
        lambda tx: flow.approve(tx, actor, listing_id=listing_id),
        to=_LIST,
        done="The listing is on sale and its seller was told.",
    )


_QUESTIONS: dict[str, dict[str, Any]] = {
    "reject": {
        "title": "Send this listing back?",
        "text": "It becomes a draft again. The seller reads your reason and can change it.",
        "confirm": "Send back",
        "done": "The listing went back to its seller.",
    },
    "flag": {
        "title": "Take this listing out of sight?",
        "text": "Nobody can see or buy it until it is looked into. The seller reads your reason.",
        "confirm": "Take it out of sight",
        "done": "The listing is out of sight.",
    },
    "close-reports": {
        "title": "Close the reports?",
        "text": "Everything that visitors reported about this listing counts as looked into.",
        "consequences": ["The listing itself stays as it is.", "New reports can come in."],
        "confirm": "Close the reports",
        "done": "The reports are closed.",
        "danger": False,
    },
}


def _question(listing_id: UUID, what: str) -> Ask:
    if what not in _QUESTIONS:
        raise NotFound("There is nothing at this address. Look at the list of listings.")
    own = f"{_LIST}/{listing_id}"
    reason = "Why, in a sentence to the seller"
    if what == "close-reports":
        reason = "What came of it, for the record"
    return Ask(**_QUESTIONS[what], action=f"{own}/{what}", back=own, reason=reason)


@get(_ONE + "/{what:str}", access=_MAY, include_in_schema=False)
async def question_page(
    request: Req, db: Database, listing_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Ask first."""
    question = _question(listing_id, what)
    async with db.read() as conn:
        await listings.any_state(conn, listing_id)
    return await ask(request, question)


@post(_ONE + "/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Send back or take out of sight, with the reason."""

    async def work(tx: WriteTx, reason: str) -> None:
        if what == "reject":
            await listings.reject(tx, actor, listing_id=listing_id, reason=reason)
        elif what == "close-reports":
            await listings.close_reports(tx, actor, listing_id=listing_id, outcome=reason)
        else:
            await listings.flag(tx, actor, listing_id=listing_id, reason=reason)

    return await answer(request, db, _question(listing_id, what), work)


routes: list[Any] = [review_page, listing_page, approve, question_page, decide]
