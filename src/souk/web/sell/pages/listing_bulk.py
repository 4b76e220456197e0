"""Acts on the ticked listings: state, prices, category, weight, and the export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, post

from souk.contexts.listings import api as listings
from souk.flows.publish_listing import bulk, export
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, InvalidInput
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.desk import (
    back_to,
    category_choices,
    problem_context,
    read_int,
    read_uuid,
    refusal,
    seller_of,
    status_of,
)
from souk.web.page import Req, page, tree_of
from souk.web.sell.pages.listings import DONE, one_act

_LIST = "/sell/listings"


class _Done(msgspec.Struct, frozen=True):
    """What became of one of the ticked listings; `refusal` is empty when it is done."""

    listing: listings.Listing
    refusal: str


async def _ticked(request: Req, db: Database, actor: Actor) -> list[listings.Listing]:
    """The seller's own among the ticked ones, at most as many as one change may have."""
    given = [parse_uuid(str(value)) for value in (await request.form()).getall("id", [])]
    ids = list(dict.fromkeys(each for each in given if each is not None))[: bulk.MOST]
    async with db.read() as conn:
        return await listings.own_many(conn, ids, seller_id=seller_of(actor))


@post(_LIST + "/bulk", access=access.SELLER, rate="write", include_in_schema=False)
async def bulk_act(request: Req, db: Database, actor: Actor, settings: Settings) -> Response[bytes]:
    """Publish, pause, show, archive, export or edit what is ticked; each refusal is named."""
    form = await request.form()
    wanted = str(form.get("act", ""))
    chosen = await _ticked(request, db, actor)
    if wanted not in {*DONE, "edit", "export"} or not chosen:
        return back_to(request, _LIST, "Tick the listings first, then choose.", tone="warn")
    if wanted == "export":
        async with db.read() as conn:
            content = await export.export_csv(conn, chosen, base_url=settings.base_url)
        return Response(
            content,
            status_code=200,
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="listings.csv"'},
        )
    if wanted == "edit":
        return await _edit(request, chosen, {})
    if wanted == "archive" and form.get("sure") != "1":
        return await page(request, "sell/archive_many.html", ids=[each.id for each in chosen])
    done = await _each(db, chosen, lambda tx, one: one_act(tx, actor, wanted, one))
    if len(done) == 1 and not done[0].refusal:
        return back_to(request, _LIST, DONE[wanted])
    return await _result(request, db, actor, done)


async def _each(
    db: Database,
    chosen: Sequence[listings.Listing],
    work: Callable[[WriteTx, UUID], Awaitable[Any]],
) -> list[_Done]:
    """Do it to one after the other, each in a transaction of its own."""
    done: list[_Done] = []
    for listing in chosen:
        try:
            await db.transact(lambda tx, one=listing.id: work(tx, one))
            done.append(_Done(listing, ""))
        except DomainError as error:
            words = [error.message]
            if isinstance(error, InvalidInput):
                words += [problem.message for problem in error.problems]
            done.append(_Done(listing, " ".join(dict.fromkeys(words))))
    return done


async def _result(
    request: Req, db: Database, actor: Actor, done: Sequence[_Done]
) -> Response[bytes]:
    async with db.read() as conn:
        ids = [each.listing.id for each in done]
        after = await listings.own_many(conn, ids, seller_id=seller_of(actor))
    now = {listing.id: listing for listing in after}
    return await page(request, "sell/listing_bulk_done.html", rows=done, now=now)


def _change_of(form: dict[str, str], currency: str) -> bulk.BulkChange:
    """What the form says. Raises InvalidInput."""
    percent = amount = None
    how = form.get("price_how", "")
    text = form.get("price_by", "").replace(",", ".").replace("−", "-").strip()
    if how in {"raise_percent", "lower_percent", "raise_amount", "lower_amount"}:
        try:
            value = Decimal(text)
            if not value.is_finite() or value <= 0:
                raise refusal("price_by", "Write by how much, such as 10.")
            sign = 1 if how.startswith("raise") else -1
            if how.endswith("percent"):
                percent = sign * int(min(value, Decimal(10_000)) * 100)
            else:
                amount = sign * Money.parse(text, currency).amount
        except (InvalidOperation, ValueError) as error:
            raise refusal("price_by", "Write by how much, such as 10.") from error
    weight = form.get("weight_g", "")
    change = bulk.BulkChange(
        price_percent=percent,
        price_amount=amount,
        as_sale=form.get("as_sale") == "1",
        category_id=read_uuid(form.get("category_id", ""), path="category_id"),
        weight_g=read_int(weight, path="weight_g", most=1_000_000) if weight else None,
    )
    change.check()
    return change


async def _edit(
    request: Req,
    chosen: Sequence[listings.Listing],
    form: dict[str, str],
    *,
    plans: Sequence[bulk.Planned] = (),
    error: DomainError | None = None,
) -> Response[bytes]:
    return await page(
        request,
        "sell/listing_bulk.html",
        status=status_of(error),
        chosen=chosen,
        form=form,
        plans=plans,
        able=sum(1 for each in plans if not each.refusal),
        categories=category_choices(await tree_of(request)),
        currency=chosen[0].currency if chosen else "",
        **problem_context(error),
    )


@post(_LIST + "/bulk/edit", access=access.SELLER, rate="write", include_in_schema=False)
async def bulk_edit(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Show what the change would do to each listing; with `act` apply, do it."""
    sent = await request.form()
    form = {key: value.strip() for key, value in sent.items() if isinstance(value, str)}
    chosen = await _ticked(request, db, actor)
    if not chosen:
        return back_to(request, _LIST, "Tick the listings first, then choose.", tone="warn")
    try:
        change = _change_of(form, chosen[0].currency)
    except DomainError as error:
        return await _edit(request, chosen, form, error=error)
    plans = [bulk.plan(listing, change) for listing in chosen]
    if form.get("act") != "apply":
        return await _edit(request, chosen, form, plans=plans)
    refused = {each.id: each.refusal for each in plans if each.refusal}
    done = await _each(
        db,
        [listing for listing in chosen if listing.id not in refused],
        lambda tx, one: bulk.apply(
            tx, actor, seller_id=seller_of(actor), listing_id=one, change=change
        ),
    )
    done += [_Done(each, refused[each.id]) for each in chosen if each.id in refused]
    return await _result(request, db, actor, done)


routes: list[Any] = [bulk_act, bulk_edit]
