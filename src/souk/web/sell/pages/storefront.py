"""What visitors read and see of the shop, and when it is closed."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.platform.storage import FileStore
from souk.web.addresses import country_name
from souk.web.desk import (
    Ask,
    answer,
    ask,
    back_to,
    problem_context,
    read_date,
    refusal,
    seller_of,
    status_of,
)
from souk.web.page import Req, form_of, fragment, language_of, page
from souk.web.storefront.cards import card_items

_PATH = "/sell/storefront"
_TEXTS = ("name", "announcement", "bio", "shipping_policy", "returns_policy")
_PICTURES = {"logo": "logo_key", "banner": "banner_key"}
_MAX_IMAGE = 10_000_000
_ROOM = 1_000_000
_PREVIEWED = 12


async def _show(
    request: Req,
    db: Database,
    actor: Actor,
    *,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    seller_id = seller_of(actor)
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
    stored = {name: getattr(shop, name) for name in _TEXTS} | {
        "links": "\n".join(shop.links),
        "start": shop.holiday_from.date().isoformat() if shop.holiday_from else "",
        "end": shop.holiday_until.date().isoformat() if shop.holiday_until else "",
        "message": shop.holiday_message,
    }
    context = problem_context(error)
    wrong = next((text for name, text in context["errors"].items() if name[:5] == "links"), None)
    return await page(
        request,
        "sell/storefront.html",
        status=status_of(error),
        shop=shop,
        form=stored | (form or {}),
        wrong_link=wrong,
        now=db.clock.now(),
        **context,
    )


@get(_PATH, access=access.SELLER, include_in_schema=False)
async def storefront_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Texts, pictures, policies and holiday."""
    return await _show(request, db, actor)


def _texts(form: dict[str, str]) -> sellers.Storefront:
    """What the form says. Raises InvalidInput for invisible characters."""
    links = [line.strip() for line in clean_text(form.get("links", ""), path="links").splitlines()]
    said: dict[str, object] = {
        name: clean_text(form[name], path=name) for name in _TEXTS if name in form
    }
    if "links" in form:
        said["links"] = [link for link in links if link][:20]
    return msgspec.convert(said, sellers.Storefront)


@post(_PATH, access=access.SELLER, rate="write", include_in_schema=False)
async def save_texts(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Change what visitors read."""
    form = await form_of(request)
    try:
        changes = _texts(form)
        await db.transact(
            lambda tx: sellers.update_storefront(
                tx, actor, seller_id=seller_of(actor), changes=changes
            )
        )
    except DomainError as error:
        return await _show(request, db, actor, form=form, error=error)
    return back_to(request, _PATH, "Your storefront is saved.")


@post(f"{_PATH}/preview", access=access.SELLER, rate="write", include_in_schema=False)
async def preview(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """The shop as visitors would see it with what is in the form; nothing is saved."""
    form = await form_of(request)
    seller_id = seller_of(actor)
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
        found = await listings.newest(conn, seller_id=seller_id, limit=_PREVIEWED)
    try:
        changes = _texts(form)
    except DomainError as error:
        return await _show(request, db, actor, form=form, error=error)
    said = {
        name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None
    }
    return await page(
        request,
        "storefront/seller.html",
        shop=msgspec.structs.replace(shop, **said),
        country=country_name(shop.country, language_of(request)),
        words="",
        items=card_items(found.items),
        total=None,
        next_url=None,
        preview=True,
        noindex=True,
    )


def _picture_field(what: str) -> str:
    if what not in _PICTURES:
        raise NotFound("There is no such picture. Go back to your storefront.")
    return _PICTURES[what]


@post(
    _PATH + "/pictures/{what:str}",
    access=access.SELLER,
    rate="upload",
    request_max_body_size=_MAX_IMAGE + _ROOM,
    include_in_schema=False,
)
async def set_picture(
    request: Req, db: Database, files: FileStore, actor: Actor, what: FromPath[str]
) -> Response[bytes]:
    """Put a logo or a banner in place of the one before."""
    field = _picture_field(what)
    by_script = "x-csrftoken" in request.headers
    sent = [one for one in (await request.form()).getall(what, []) if isinstance(one, UploadFile)]
    try:
        if not sent or not sent[0].filename:
            raise refusal(what, "Choose a picture first.")
        image = await listings.store_image(files, await sent[0].read(_MAX_IMAGE + 1))

        async def work(tx: WriteTx) -> None:
            await _replace(tx, actor, field, image.key)
            await listings.make_sizes_of(tx, image)

        await db.transact(work)
    except DomainError as error:
        if by_script:
            raise
        return back_to(request, f"{_PATH}#pictures", error.message, tone="error")
    if by_script:
        return fragment(request, "sell/uploaded.html", names=[sent[0].filename])
    return back_to(request, f"{_PATH}#pictures", "The picture is in your shop.")


async def _replace(tx: WriteTx, actor: Actor, field: str, key: str) -> None:
    """The picture's key, "" for none; what was there before is taken away in a while."""
    seller_id = seller_of(actor)
    shop = await sellers.account(tx, seller_id=seller_id)
    before: str | None = getattr(shop, field)
    await sellers.update_storefront(
        tx, actor, seller_id=seller_id, changes=msgspec.convert({field: key}, sellers.Storefront)
    )
    if before:
        await listings.remove_sizes_of(tx, before)


def _removing(what: str) -> Ask:
    _picture_field(what)
    return Ask(
        title="Take the logo away?" if what == "logo" else "Take the banner away?",
        text="Visitors see your shop without it from now on.",
        confirm="Take it away",
        action=f"{_PATH}/pictures/{what}/remove",
        back=f"{_PATH}#pictures",
        done="The picture is taken away.",
    )


@get(_PATH + "/pictures/{what:str}/remove", access=access.SELLER, include_in_schema=False)
async def removing_page(request: Req, what: FromPath[str]) -> Response[bytes]:
    """Ask first."""
    return await ask(request, _removing(what))


@post(
    _PATH + "/pictures/{what:str}/remove",
    access=access.SELLER,
    rate="write",
    include_in_schema=False,
)
async def remove_picture(
    request: Req, db: Database, actor: Actor, what: FromPath[str]
) -> Response[bytes]:
    """Take the logo or the banner away."""

    async def work(tx: WriteTx, _reason: str) -> None:
        await _replace(tx, actor, _picture_field(what), "")

    return await answer(request, db, _removing(what), work)


@post(f"{_PATH}/holiday", access=access.SELLER, rate="write", include_in_schema=False)
async def save_holiday(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Close the shop for a while, or open it again."""
    form = await form_of(request)
    opens = form.get("act") == "open"
    try:
        start = None if opens else read_date(form.get("start", ""), path="start")
        end = None if opens else read_date(form.get("end", ""), path="end", end=True)
        await db.transact(
            lambda tx: sellers.set_holiday(
                tx,
                actor,
                seller_id=seller_of(actor),
                start=start or (None if opens else db.clock.now()),
                end=end,
                message=clean_text(form.get("message", ""), path="message"),
            )
        )
    except DomainError as error:
        return await _show(request, db, actor, form=form, error=error)
    done = "Your shop is open again." if opens else "The holiday is saved."
    return back_to(request, f"{_PATH}#holiday", done)


routes: list[Any] = [
    storefront_page, save_texts, preview, set_picture, removing_page, remove_picture, save_holiday,
]  # fmt: skip
