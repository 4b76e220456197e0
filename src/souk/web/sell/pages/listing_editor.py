"""The listing editor: the page, saving as a whole, saving while the seller types, the table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.flows.publish_listing import flow
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, IllegalTransition, InvalidInput, NotFound
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.web.desk import (
    back_to,
    category_choices,
    problem_context,
    refusal,
    seller_of,
    status_of,
)
from souk.web.forms import summary
from souk.web.page import CSRF_FIELD, Req, field_errors, fragment, page, tree_of
from souk.web.sell import editor, variants
from souk.web.storefront.pages.listing import preview

_ONE = "/sell/listings/{listing_id:uuid}"
_ON_SALE = "The listing is on sale now."
_LOOKED_AT_FIRST = "Sent. We look at it, usually within a day; then it is on sale by itself."


async def _form(request: Req) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The last value of every text field, and all values of each."""
    form: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for key, value in (await request.form()).multi_items():
        if isinstance(value, str) and key != CSRF_FIELD:
            form[key] = value.strip()
            many.setdefault(key, []).append(value.strip())
    return form, many


async def _parts(request: Req, db: Database, actor: Actor, listing_id: UUID) -> dict[str, Any]:
    """What the page, and a fragment of it, say of the listing as it is stored."""
    seller_id = seller_of(actor)
    tree = await tree_of(request)
    async with db.read() as conn:
        listing = await listings.own(conn, listing_id, seller_id=seller_id)
        missing = await editor.missing_of(conn, listing)
        stock = await editor.stock_by_variant(conn, listing)
        known = await catalog.species_by_ids(conn, [listing.species_id or listing_id])
        plans = await listings.scheduling.planned(conn, [listing_id])
    species = next((each.scientific_name for each in known.values()), "")
    rows = variants.rows_of_listing(listing, stock)
    return {
        "listing": listing,
        "view": listings.own_view(listing),
        "form": editor.form_of_listing(listing, species) | variants.values_of_rows(rows),
        "many": {},
        "rows": rows,
        "seen": editor.fingerprint(listing),
        "attributes": tree.attributes_for(listing.category_id) if listing.category_id else [],
        "categories": category_choices(tree),
        "steps": editor.checklist(listing, missing),
        "plan": plans.get(listing_id),
        "summary": editor.summary_of(listing),
        "errors": {},
        "problems": [],
    }


async def _editor(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: UUID,
    *,
    form: dict[str, str] | None = None,
    many: dict[str, list[str]] | None = None,
    rows: list[variants.Row] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    parts = await _parts(request, db, actor, listing_id)
    if form is not None:
        shown = variants.rows_of_form(form) if rows is None else rows
        parts |= {"form": form, "many": many or {}, "rows": shown or [variants.empty_row()]}
    parts |= problem_context(error)
    return await page(request, "sell/listing.html", status=status_of(error), **parts)


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def editor_page(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """One listing with everything that can be changed."""
    return await _editor(request, db, actor, listing_id)


async def _change(
    tx: WriteTx, actor: Actor, listing_id: UUID, form: editor.Form, many: editor.Many
) -> None:
    """Everything but the variants, unless the stored listing is not the one of the form."""
    seller_id = seller_of(actor)
    listing = await listings.own(tx, listing_id, seller_id=seller_id)
    if form.get("seen", "") not in {"", editor.fingerprint(listing)}:
        raise listings.StaleListing(current=listing.version)
    changes = await editor.changes_of(tx, form, many, listing)
    await flow.change(tx, actor, seller_id=seller_id, listing_id=listing_id, changes=changes)


async def _set_variants(tx: WriteTx, actor: Actor, listing_id: UUID, form: editor.Form) -> None:
    seller_id = seller_of(actor)
    listing = await listings.own(tx, listing_id, seller_id=seller_id)
    wanted = variants.variants_of(form, currency=listing.currency)
    recounted = variants.stock_changes(form)
    await flow.set_variants(tx, actor, seller_id=seller_id, listing_id=listing_id, variants=wanted)
    await flow.recount(tx, actor, seller_id=seller_id, changes=recounted)


def _in_place(error: DomainError) -> DomainError:
    """An unknown species is a field's mistake; the listing itself was found before it."""
    if not isinstance(error, NotFound):
        return error
    return InvalidInput(error.message, problems=refusal("species", error.message).problems)


async def _require_own(db: Database, actor: Actor, listing_id: UUID) -> listings.Listing:
    async with db.read() as conn:
        return await listings.own(conn, listing_id, seller_id=seller_of(actor))


@post(_ONE, access=access.SELLER, rate="write", include_in_schema=False)
async def save(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Save everything; with `act` publish, publish as well. `matrix` and `fill` only redraw."""
    form, many = await _form(request)
    await _require_own(db, actor, listing_id)
    wanted = form.get("act", "")
    if wanted in {"matrix", "fill"}:
        return await _redraw(request, db, actor, listing_id, form, many)

    async def work(tx: WriteTx) -> None:
        await _change(tx, actor, listing_id, form, many)
        await _set_variants(tx, actor, listing_id, form)

    try:
        await db.transact(work)
    except DomainError as error:
        wrong = _in_place(error)
        return await _editor(request, db, actor, listing_id, form=form, many=many, error=wrong)
    own = f"/sell/listings/{listing_id}"
    if wanted != "publish":
        return back_to(request, own, "Saved.")
    try:
        listing = await db.transact(
            lambda tx: flow.submit(tx, actor, seller_id=seller_of(actor), listing_id=listing_id)
        )
    except DomainError as error:
        return await _editor(request, db, actor, listing_id, error=error)
    done = _ON_SALE if listing.visible else _LOOKED_AT_FIRST
    return back_to(request, own, done)


async def _redraw(
    request: Req,
    db: Database,
    actor: Actor,
    listing_id: UUID,
    form: dict[str, str],
    many: dict[str, list[str]],
) -> Response[bytes]:
    """The form with another variant table; nothing is stored."""
    try:
        made = form.get("act") == "matrix"
        rows = variants.table_of_options(form) if made else variants.filled(form)
    except DomainError as error:
        return await _editor(request, db, actor, listing_id, form=form, many=many, error=error)
    return await _editor(request, db, actor, listing_id, form=form, many=many, rows=rows)


@post(_ONE + "/autosave", access=access.SELLER, rate="write", include_in_schema=False)
async def autosave(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """Save what buyers do not see yet, as far as it can be: a wrong price keeps no text back.

    Answers the parts of the page that follow from what is stored now, or 409 when another window
    saved meanwhile.
    """
    form, many = await _form(request)
    before = await _require_own(db, actor, listing_id)
    if before.visible:
        raise IllegalTransition(subject="listing", current=before.state, wanted="autosave")
    errors: dict[str, str] = {}
    kept = False
    try:
        await db.transact(lambda tx: _change(tx, actor, listing_id, form, many))
        kept = True
    except listings.StaleListing as error:
        answer = fragment(request, "sell/listing_stale.html", text=error.message)
        answer.status_code = 409
        return answer
    except DomainError as error:
        errors |= field_errors(_in_place(error))
    try:
        await db.transact(lambda tx: _set_variants(tx, actor, listing_id, form))
        rows_kept = True
    except DomainError as error:
        rows_kept = False
        errors |= field_errors(error)
    parts = await _parts(request, db, actor, listing_id)
    sent = variants.rows_of_form(form)
    placed = [n for n, row in enumerate(sent) if row["path"]] if rows_kept else []
    return fragment(
        request,
        "sell/listing_saved.html",
        **parts
        | {"problems": summary(errors)}
        | {
            "complete": kept and rows_kept,
            "refiled": kept and before.category_id != parts["listing"].category_id,
            "ids": list(zip(placed, parts["rows"], strict=False)),
        },
    )


@get(_ONE + "/preview", access=access.SELLER, include_in_schema=False)
async def preview_page(
    request: Req, db: Database, actor: Actor, listing_id: FromPath[UUID]
) -> Response[bytes]:
    """The listing's page as buyers will see it."""
    async with db.read() as conn:
        document = await listings.own_document(conn, listing_id, seller_id=seller_of(actor))
    return await preview(request, document, "sell/listing_preview.html")


routes: list[Any] = [editor_page, save, autosave, preview_page]
