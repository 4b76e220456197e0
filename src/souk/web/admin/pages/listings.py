"""Listings: the queue of those that wait for a look, and all others by state."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.publish_listing import flow
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.kernel.ids import parse_uuid
from souk.kernel.page import Page
from souk.platform import audit
from souk.platform.database import Database, WriteTx
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin.bulk import ids_of, many
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Short, Word, frame_of, plain_money, plain_time
from souk.web.desk import Ask, act, answer, ask, back_to
from souk.web.page import Req, page, tree_of
from souk.web.storefront.finding import attribute_facts

_MAY = access.operator(Permission.LISTINGS_REVIEW)
_LIST = "/admin/listings"
_ONE = _LIST + "/{listing_id:uuid}"
_CHANGED = "changed"
"""The queue of listings on sale whose words or pictures were changed."""
_State = Annotated[str, QueryParameter(name="state", max_length=20)]


def _wanted(q: str, chosen: str, kind: str, seller: str) -> listings.desk.ListingFilter:
    return listings.desk.ListingFilter(
        search=clean_text(q, path="q"),
        states=[chosen] if chosen in set(listings.State) else [],
        kind=kind if kind in set(listings.Kind) else "",
        seller_id=parse_uuid(seller),
        changed=chosen == _CHANGED,
    )


@get(_LIST, access=_MAY, include_in_schema=False)
async def review_page(
    request: Req,
    db: Database,
    chosen: _State = "in_review",
    q: Word = "",
    kind: Short = "",
    seller: Annotated[str, QueryParameter(max_length=40)] = "",
    sort: Short = "updated_at",
    cursor: Cursor = None,
) -> Response[bytes]:
    """The queue, the longest wait first, and every other listing."""
    async with db.read() as conn:
        found = await listings.desk.listed(
            conn, _wanted(q, chosen, kind, seller), sort=sort, cursor=cursor
        )
        counts = await listings.desk.counts(conn)
        shop_id = parse_uuid(seller)
        shops = await sellers.cards(conn, [shop_id] if shop_id else [])
    return await page(
        request,
        "admin/listings.html",
        rows=found.items,
        counts=counts,
        chosen=chosen if chosen in {*listings.State, _CHANGED} else "",
        shop=shops.get(shop_id) if shop_id else None,
        **frame_of(
            _LIST,
            {"state": chosen, "q": q, "kind": kind, "seller": seller},
            sort=sort,
            next_cursor=found.next_cursor,
        ),
    )


@get(f"{_LIST}.csv", access=_MAY, include_in_schema=False)
async def listings_csv(
    db: Database,
    chosen: _State = "",
    q: Word = "",
    kind: Short = "",
    seller: Annotated[str, QueryParameter(max_length=40)] = "",
    sort: Short = "updated_at",
) -> Stream:
    """The same list as a table, as long as it is."""
    wanted = _wanted(q, chosen, kind, seller)

    async def load(cursor: str | None) -> Page[listings.SellerListingRow]:
        async with db.read() as conn:
            return await listings.desk.listed(
                conn, wanted, sort=sort, cursor=cursor, limit=csv.BATCH
            )

    columns = [
        "listing", "title", "shop", "kind", "state", "price_from", "price_to", "currency",
        "variants", "changed_utc",
    ]  # fmt: skip

    def cells(row: listings.SellerListingRow) -> list[object]:
        low, high = row.price_min, row.price_max
        return [
            row.id,
            row.title,
            row.seller_name,
            row.kind,
            row.state,
            plain_money(low, row.currency) if low is not None else "",
            plain_money(high, row.currency) if high is not None else "",
            row.currency,
            row.variant_count,
            plain_time(row.updated_at),
        ]

    return csv.table("listings", columns, csv.batches(load), cells)


@get(_ONE, access=_MAY, include_in_schema=False)
async def listing_page(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Everything that buyers would see, and the neighbours in the queue."""
    tree = await tree_of(request)
    async with db.read() as conn:
        listing = await listings.any_state(conn, listing_id)
        shops = await sellers.cards(conn, [listing.seller_id])
        before, after = await listings.desk.next_waiting(conn, listing_id)
        log: list[audit.AuditRow] = []
        if actor.may(Permission.AUDIT_VIEW):
            log = await audit.recent(conn, subject=f"listing:{listing_id}", limit=30)
        people = await people_of(conn, [row.actor for row in log])
        reports = await listings.reports_of(conn, listing_id)
    return await page(
        request,
        "admin/listing.html",
        listing=listing,
        view=listings.own_view(listing),
        facts=attribute_facts(tree, listing.attributes),
        reports=reports,
        shop=shops.get(listing.seller_id),
        category=" › ".join(each.name for each in tree.ancestors(listing.category_id))
        if listing.category_id is not None and listing.category_id in tree.by_id
        else None,
        before=f"{_LIST}/{before}" if before else None,
        after=f"{_LIST}/{after}" if after else None,
        log=log,
        people=people,
    )


async def _onward(db: Database, listing_id: UUID) -> str:
    """The next of the queue; the queue itself after the last, or for one that did not wait."""
    async with db.read() as conn:
        listing = await listings.any_state(conn, listing_id)
        _, after = await listings.desk.next_waiting(conn, listing_id)
    if listing.state != listings.State.IN_REVIEW:
        return f"{_LIST}/{listing_id}"
    return f"{_LIST}/{after}" if after else _LIST


@post(_ONE + "/approve", access=_MAY, rate="write", include_in_schema=False)
async def approve(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Show it, and go on to the next."""
    return await act(
        request,
        db,
        lambda tx: flow.approve(tx, actor, listing_id=listing_id),
        to=await _onward(db, listing_id),
        done="The listing is on sale and its seller was told.",
    )


_REASONS = [
    "The pictures do not show what is sold.",
    "The description leaves out what a buyer has to know.",
    "It stands in the wrong category.",
    "The content guidelines do not allow this.",
    "Words or pictures belong to somebody else.",
]
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
_REASON = "Why, in a sentence to the seller"


def _question(listing_id: UUID, what: str, *, back: str = "", title: str = "") -> Ask:
    if what not in _QUESTIONS:
        raise NotFound("There is nothing at this address. Look at the list of listings.")
    own = f"{_LIST}/{listing_id}"
    asked = "What came of it, for the record" if what == "close-reports" else _REASON
    return Ask(
        **_QUESTIONS[what],
        action=f"{own}/{what}",
        back=back or own,
        reason=asked,
        reasons=[] if what == "close-reports" else _REASONS,
        subjects=[title] if title else [],
        template="admin/ask.html",
    )


@get(_ONE + "/{what:str}", access=_MAY, include_in_schema=False)
async def question_page(
    request: Req, db: Database, listing_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Ask first."""
    _question(listing_id, what)
    async with db.read() as conn:
        listing = await listings.any_state(conn, listing_id)
    return await ask(request, _question(listing_id, what, title=listing.title))


async def _decide(tx: WriteTx, actor: Actor, listing_id: UUID, what: str, reason: str) -> None:
    if what == "reject":
        await listings.reject(tx, actor, listing_id=listing_id, reason=reason)
    elif what == "close-reports":
        await listings.close_reports(tx, actor, listing_id=listing_id, outcome=reason)
    else:
        await listings.flag(tx, actor, listing_id=listing_id, reason=reason)


@post(_ONE + "/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Send back, take out of sight or close reports, with a reason, and go on to the next."""
    _question(listing_id, what)
    question = _question(listing_id, what, back=await _onward(db, listing_id))
    return await answer(
        request,
        db,
        question,
        lambda tx, reason: _decide(tx, actor, listing_id, what, reason),
    )


@post(f"{_LIST}/bulk", access=_MAY, rate="write", include_in_schema=False)
async def bulk(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Approve several, or send several back with one reason; asks first, naming each."""
    ids, form = await ids_of(request)
    what = "reject" if form.get("act") == "reject" else "approve"
    if not ids:
        return back_to(request, _LIST, "Tick at least one row first.", tone="warn")
    async with db.read() as conn:
        titles = await listings.desk.titles(conn, ids)
    approving = what == "approve"
    question = Ask(
        title="Show these listings?" if approving else "Send these listings back?",
        text="They are on sale at once, and their sellers are told."
        if approving
        else "They become drafts again. Their sellers read your reason and can change them.",
        confirm="Approve all" if approving else "Send all back",
        action=f"{_LIST}/bulk",
        back=_LIST,
        done="The listings are on sale." if approving else "The listings went back.",
        danger=not approving,
        reason=None if approving else _REASON,
        reasons=[] if approving else _REASONS,
        fields={"ids": " ".join(str(each) for each in titles), "act": what, "confirmed": "1"},
        subjects=list(titles.values()),
        template="admin/ask.html",
    )

    async def one(tx: WriteTx, listing_id: UUID, reason: str) -> None:
        if approving:
            await flow.approve(tx, actor, listing_id=listing_id)
        else:
            await _decide(tx, actor, listing_id, what, reason)

    return await many(request, db, question, form, titles, one)


routes: list[Any] = [
    review_page, listings_csv, listing_page, approve, bulk, question_page, decide,
]  # fmt: skip
