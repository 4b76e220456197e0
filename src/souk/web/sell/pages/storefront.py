"""What visitors read about the shop, and when it is closed."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.desk import back_to, problem_context, read_date, seller_of, status_of
from souk.web.page import Req, form_of, page
from souk.web.sell.frame import desk_counts

_PATH = "/sell/storefront"
_TEXTS = ("name", "bio", "shipping_policy", "returns_policy")


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
        frame = await desk_counts(conn, seller_id)
    stored = {name: getattr(shop, name) for name in _TEXTS} | {
        "start": shop.holiday_from.date().isoformat() if shop.holiday_from else "",
        "end": shop.holiday_until.date().isoformat() if shop.holiday_until else "",
        "message": shop.holiday_message,
    }
    return await page(
        request,
        "sell/storefront.html",
        status=status_of(error),
        shop=shop,
        form=stored | (form or {}),
        desk_counts=frame,
        **problem_context(error),
    )


@get(_PATH, access=access.SELLER, include_in_schema=False)
async def storefront_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Texts, policies and holiday."""
    return await _show(request, db, actor)


@post(_PATH, access=access.SELLER, rate="write", include_in_schema=False)
async def save_texts(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Change what visitors read."""
    form = await form_of(request)
    try:
        changes = sellers.Storefront(
            **{name: clean_text(form.get(name, ""), path=name) for name in _TEXTS}
        )
        await db.transact(
            lambda tx: sellers.update_storefront(
                tx, actor, seller_id=seller_of(actor), changes=changes
            )
        )
    except DomainError as error:
        return await _show(request, db, actor, form=form, error=error)
    return back_to(request, _PATH, "Your storefront is saved.")


@post(_PATH + "/holiday", access=access.SELLER, rate="write", include_in_schema=False)
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
    return back_to(request, _PATH, done)


routes: list[Any] = [storefront_page, save_texts, save_holiday]
