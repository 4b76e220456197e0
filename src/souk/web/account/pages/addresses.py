"""A member's saved addresses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.fulfilment import api as fulfilment
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web.addresses import address_context, read_address, without_prefix
from souk.web.forms import check, summary
from souk.web.page import Flash, Req, field_errors, form_of, language_of, page, redirect, translate

_LIST = "/account/addresses"


async def _saved(db: Database, actor: Actor) -> list[fulfilment.SavedAddress]:
    assert actor.user_id is not None
    async with db.read() as conn:
        return await fulfilment.saved_addresses(conn, actor.user_id)


@get(_LIST, access=access.SIGNED_IN, include_in_schema=False)
async def addresses_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """The addresses that checkout offers."""
    saved = await _saved(db, actor)
    written = [{"kept": one, "lines": fulfilment.address_lines(one.address)} for one in saved]
    return await page(request, "account/addresses.html", addresses=written)


@get(f"{_LIST}/new", access=access.SIGNED_IN, include_in_schema=False)
async def new_address_page(request: Req, settings: Settings) -> Response[bytes]:
    """An empty form, for the marketplace's country."""
    return await _form(request, _LIST, {"country": settings.country})


@get(_LIST + "/{address_id:uuid}", access=access.SIGNED_IN, include_in_schema=False)
async def address_page(
    request: Req, db: Database, actor: Actor, address_id: FromPath[UUID]
) -> Response[bytes]:
    """One address to change."""
    for one in await _saved(db, actor):
        if one.id == address_id:
            form = msgspec.structs.asdict(one.address)
            form |= {"label": one.label, "default": "1" if one.is_default else ""}
            return await _form(request, f"{_LIST}/{address_id}", form)
    raise NotFound("There is no such address. Look at your list of addresses.")


async def _form(
    request: Req, action: str, form: dict[str, str], error: DomainError | None = None
) -> Response[bytes]:
    errors = without_prefix(field_errors(error), "address") if error else {}
    return await page(
        request,
        "account/address.html",
        status=STATUS[error.kind] if error else 200,
        action=action,
        form=form,
        errors=errors,
        problems=summary(errors),
        **address_context(form, language=language_of(request)),
    )


@post(_LIST, access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def add_address(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Keep a new address."""
    form = await form_of(request)
    if form.get("act") == "country":
        return await _form(request, _LIST, form)
    try:
        check(form, {"label": (0, 60)})
        await db.transact(
            lambda tx: fulfilment.save_address(
                tx,
                actor,
                address=read_address(form),
                label=form.get("label", ""),
                default=form.get("default") == "1",
            )
        )
    except DomainError as error:
        return await _form(request, _LIST, form, error)
    return _back(request, settings, "The address is saved.")


@post(_LIST + "/{address_id:uuid}", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def change_address(
    request: Req, db: Database, actor: Actor, settings: Settings, address_id: FromPath[UUID]
) -> Response[bytes]:
    """Replace a kept address."""
    form = await form_of(request)
    action = f"{_LIST}/{address_id}"
    if form.get("act") == "country":
        return await _form(request, action, form)
    try:
        check(form, {"label": (0, 60)})
        await db.transact(
            lambda tx: fulfilment.change_address(
                tx,
                actor,
                address_id=address_id,
                address=read_address(form),
                label=form.get("label", ""),
                default=form.get("default") == "1",
            )
        )
    except NotFound:
        raise
    except DomainError as error:
        return await _form(request, action, form, error)
    return _back(request, settings, "The address is saved.")


@post(
    _LIST + "/{address_id:uuid}/remove",
    access=access.SIGNED_IN,
    rate="write",
    include_in_schema=False,
)
async def remove_address(
    request: Req, db: Database, actor: Actor, settings: Settings, address_id: FromPath[UUID]
) -> Response[bytes]:
    """Forget it; orders keep their copy."""
    await db.transact(lambda tx: fulfilment.forget_address(tx, actor, address_id=address_id))
    return _back(request, settings, "The address is removed. Orders keep their copy.")


def _back(request: Req, settings: Settings, text: str) -> Response[bytes]:
    flash = Flash("success", translate(request, text))
    return redirect(_LIST, flash=flash, settings=settings)


routes: list[Any] = [
    addresses_page,
    new_address_page,
    address_page,
    add_address,
    change_address,
    remove_address,
]
