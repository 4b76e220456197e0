"""The seller's listings: the list, bulk acts, a new one, and acts on one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.publish_listing import flow
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database, ReadConn, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.platform.settings import Settings
from souk.web.desk import (
    Ask,
    act,
    address,
    answer,
    ask,
    back_to,
    category_choices,
    problem_context,
    read_int,
    read_money,
    read_uuid,
    refusal,
    seller_of,
    status_of,
)
from souk.web.page import Req, form_of, page, pages_of, tree_of
from souk.web.sell import editor

_LIST = "/sell/listings"
_Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
_Word = Annotated[str, QueryParameter(max_length=200)]


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def listings_page(
    request: Req,
    db: Database,
    actor: Actor,
    chosen: Annotated[str, QueryParameter(name="state", max_length=20)] = "",
    q: _Word = "",
    kind: Annotated[str, QueryParameter(max_length=20)] = "",
    category: Annotated[str, QueryParameter(max_length=40)] = "",
    sort: Annotated[str, QueryParameter(max_length=20)] = "",
    cursor: _Cursor = None,
) -> Response[bytes]:
    """All listings of the seller, by state, words, kind and category, in the order wanted."""
    seller_id = seller_of(actor)
    states = [listings.State(chosen)] if chosen in set(listings.State) else []
    kinds = listings.Kind(kind) if kind in set(listings.Kind) else None
    by = sort.removeprefix("-")
    order = listings.Sort(by) if by in set(listings.Sort) else listings.Sort.NEWEST
    descending = sort.startswith("-") or not sort
    category_id = parse_uuid(category)
    async with db.read() as conn:
        found = await listings.of_seller(
            conn, seller_id, states=states, search=clean_text(q, path="q"), kind=kinds,
            category_id=category_id, sort=order, descending=descending, cursor=cursor,
        )  # fmt: skip
        counts = await listings.state_counts(conn, seller_id)
        stock = await _stock(conn, found.items)
        plans = await listings.scheduling.planned(conn, [row.id for row in found.items])
    said = {"state": chosen if states else "", "q": q, "kind": kinds or "", "category": category}
    filters = {name: str(value) for name, value in said.items() if value}
    return await page(
        request,
        "sell/listings.html",
        rows=found.items,
        stock=stock,
        plans=plans,
        by_state=counts,
        filters=filters,
        sort=sort,
        sort_url=f"{_LIST}?{urlencode(filters)}{'&' if filters else ''}",
        categories=category_choices(await tree_of(request)),
        next_url=address(_LIST, **filters, sort=sort, cursor=found.next_cursor)
        if found.next_cursor
        else None,
    )


async def _stock(conn: ReadConn, rows: list[listings.SellerListingRow]) -> dict[UUID, int | None]:
    """What is available of each listing, None where nothing is counted; in one statement."""
    ids = [variant_id for row in rows for variant_id in row.variant_ids]
    levels = await inventory.availability(conn, ids)
    found: dict[UUID, int | None] = {}
    for row in rows:
        of_row = [levels[each] for each in row.variant_ids if each in levels]
        counted = [level.available for level in of_row if level.tracked]
        found[row.id] = sum(counted) if counted and len(counted) == len(of_row) else None
    return found


async def one_act(tx: WriteTx, actor: Actor, wanted: str, listing_id: UUID) -> None:
    seller_id = seller_of(actor)
    match wanted:
        case "publish":
            await flow.submit(tx, actor, seller_id=seller_id, listing_id=listing_id)
        case "pause":
            await listings.pause(tx, actor, seller_id=seller_id, listing_id=listing_id)
        case "resume":
            await flow.resume(tx, actor, seller_id=seller_id, listing_id=listing_id)
        case "archive":
            await listings.archive(tx, actor, seller_id=seller_id, listing_id=listing_id)
        case _:
            raise NotFound("There is no such act. Reload the page.")


DONE = {
    "publish": "The listing is published, or waits for a short look by us if it is your first.",
    "pause": "The listing is paused: nobody sees it until you show it again.",
    "resume": "The listing is on sale again.",
    "archive": "The listing is put away.",
}


@get(_LIST + "/new", access=access.SELLER, include_in_schema=False)
async def new_page(request: Req, kind: _Word = "goods") -> Response[bytes]:
    """The few fields that a draft begins with."""
    return await _new(request, {"kind": kind, "stock": "1"})


async def _new(
    request: Req, form: dict[str, str], error: DomainError | None = None
) -> Response[bytes]:
    return await page(
        request,
        "sell/listing_new.html",
        currency=pages_of(request).settings.currency,
        status=status_of(error),
        form=form,
        categories=category_choices(await tree_of(request)),
        **problem_context(error),
    )


@post(_LIST + "/new", access=access.SELLER, rate="write", include_in_schema=False)
async def create(request: Req, db: Database, actor: Actor, settings: Settings) -> Response[bytes]:
    """Make the draft and go on in the editor."""
    form = await form_of(request)
    try:
        kind = form.get("kind", "")
        if kind not in set(listings.Kind):
            raise refusal("kind", "Choose what it is.")
        if len(form.get("title", "")) < 3:
            raise refusal("title", "Give it a title of at least 3 characters.")
        variants: list[flow.VariantStock] = []
        if form.get("price"):
            price = read_money(form["price"], currency=settings.currency, path="price")
            stock = read_int(form.get("stock") or "0", path="stock")
            variants = [
                flow.VariantStock(variant=listings.VariantInput(price=price), on_hand=stock)
            ]
        new = listings.NewListing(
            kind=listings.Kind(kind),
            title=editor.texts_of(form)["title"],
            currency=settings.currency,
            category_id=read_uuid(form.get("category_id", ""), path="category_id"),
        )
        made = await db.transact(
            lambda tx: flow.create(
                tx, actor, seller_id=seller_of(actor), data=new, variants=variants
            )
        )
    except DomainError as error:
        return await _new(request, form, error)
    return back_to(
        request, f"{_LIST}/{made.id}", "The draft is saved. Add pictures and publish it."
    )


@post(
    _LIST + "/{listing_id:uuid}/pause", access=access.SELLER, rate="write", include_in_schema=False
)
async def pause(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Out of sight until it is shown again."""
    to = f"{_LIST}/{listing_id}"
    return await act(
        request, db, lambda tx: one_act(tx, actor, "pause", listing_id), to=to, done=DONE["pause"]
    )


@post(
    _LIST + "/{listing_id:uuid}/resume", access=access.SELLER, rate="write", include_in_schema=False
)
async def resume(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """On sale again."""
    to = f"{_LIST}/{listing_id}"
    return await act(
        request, db, lambda tx: one_act(tx, actor, "resume", listing_id), to=to, done=DONE["resume"]
    )


@post(
    _LIST + "/{listing_id:uuid}/schedule",
    access=access.SELLER,
    rate="write",
    include_in_schema=False,
)
async def schedule(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Publish the draft at a time, or no longer with `act` cancel."""
    form = await form_of(request)
    seller_id = seller_of(actor)
    plans = listings.scheduling

    async def work(tx: WriteTx) -> None:
        if form.get("act") == "cancel":
            await plans.cancel(tx, actor, seller_id=seller_id, listing_id=listing_id)
            return
        at = _utc(form.get("publish_at", ""))
        await plans.plan(tx, actor, seller_id=seller_id, listing_id=listing_id, at=at)

    done = "It stays a draft." if form.get("act") == "cancel" else "It publishes itself then."
    return await act(request, db, work, to=f"{_LIST}/{listing_id}", done=done)


def _utc(text: str) -> datetime:
    """The time of a field of date and time, which is written in UTC. Raises InvalidInput."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise refusal("publish_at", "Choose a day and a time.") from error


def _archiving(listing_id: UUID) -> Ask:
    return Ask(
        title="Put this listing away?",
        text="It leaves the market for good and cannot be edited or shown again.",
        consequences=["Orders of it stay as they are.", "Buyers keep what they downloaded."],
        confirm="Archive",
        action=f"{_LIST}/{listing_id}/archive",
        back=f"{_LIST}/{listing_id}",
        done=DONE["archive"],
    )


@get(_LIST + "/{listing_id:uuid}/archive", access=access.SELLER, include_in_schema=False)
async def archive_page(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Ask before it goes for good."""
    async with db.read() as conn:
        await listings.own(conn, listing_id, seller_id=seller_of(actor))
    return await ask(request, _archiving(listing_id))


@post(
    _LIST + "/{listing_id:uuid}/archive",
    access=access.SELLER,
    rate="write",
    include_in_schema=False,
)
async def archive(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Put it away for good."""
    return await answer(
        request, db, _archiving(listing_id), lambda tx, _: one_act(tx, actor, "archive", listing_id)
    )


routes: list[Any] = [
    listings_page, new_page, create, schedule, pause, resume, archive_page, archive,
]  # fmt: skip
