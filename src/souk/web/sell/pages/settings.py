"""Settings: how buyers reach the shop, and where everything else is set."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.desk import back_to, problem_context, seller_of, status_of
from souk.web.page import Req, form_of, page

_PATH = "/sell/settings"
_FIELDS = ("contact_email", "contact_phone")


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
        methods = await fulfilment.methods_of(conn, seller_id)
    return await page(
        request,
        "sell/settings.html",
        status=status_of(error),
        shop=shop,
        methods=[method for method in methods if method.active],
        form=form or {name: getattr(shop, name) for name in _FIELDS},
        **problem_context(error),
    )


@get(_PATH, access=access.SELLER, include_in_schema=False)
async def settings_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Contact, and the way to everything else."""
    return await _show(request, db, actor)


@post(_PATH, access=access.SELLER, rate="write", include_in_schema=False)
async def save_contact(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Change how buyers reach the shop."""
    form = await form_of(request)
    try:
        said = {name: clean_text(form.get(name, ""), path=name) for name in _FIELDS}
        changes = msgspec.convert(said, sellers.Storefront)
        await db.transact(
            lambda tx: sellers.update_storefront(
                tx, actor, seller_id=seller_of(actor), changes=changes
            )
        )
    except DomainError as error:
        return await _show(request, db, actor, form=form, error=error)
    return back_to(request, _PATH, "Saved. Buyers see it on your storefront.")


routes: list[Any] = [settings_page, save_contact]
