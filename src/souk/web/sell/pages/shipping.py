"""Ways of delivery and what they cost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.fulfilment import api as fulfilment
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, NotFound
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.platform.settings import Settings
from souk.web.desk import (
    Ask,
    answer,
    ask,
    back_to,
    decimal_text,
    problem_context,
    read_int,
    read_money,
    refusal,
    seller_of,
    status_of,
)
from souk.web.page import Req, form_of, page

_LIST = "/sell/shipping"
_ONE = _LIST + "/{method_id:uuid}"
_BLANK = 2
_RATE = ("countries", "amount", "free_over", "min_days", "max_days")


async def _methods(db: Database, actor: Actor) -> list[fulfilment.Method]:
    async with db.read() as conn:
        return await fulfilment.methods_of(conn, seller_of(actor))


async def _own(db: Database, actor: Actor, method_id: UUID) -> fulfilment.Method:
    for method in await _methods(db, actor):
        if method.id == method_id:
            return method
    raise NotFound("There is no such way of delivery. Look at your list.")


@get(_LIST, access=access.SELLER, include_in_schema=False)
async def methods_page(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Every way of delivery with its rates."""
    return await page(
        request,
        "sell/shipping.html",
        methods=await _methods(db, actor),
        currency=settings.currency,
    )


async def _show(
    request: Req,
    action: str,
    form: dict[str, str],
    currency: str,
    error: DomainError | None = None,
) -> Response[bytes]:
    rates = sum(1 for n in range(50) if f"r{n}.amount" in form)
    return await page(
        request,
        "sell/shipping_method.html",
        status=status_of(error),
        action=action,
        form=form,
        rates=range(rates if error else rates + (_BLANK if not rates else 1)),
        currency=currency,
        **problem_context(error),
    )


@get(_LIST + "/new", access=access.SELLER, include_in_schema=False)
async def new_method_page(request: Req, settings: Settings) -> Response[bytes]:
    """An empty form."""
    form = {"kind": "delivery", "active": "1"}
    return await _show(request, f"{_LIST}/new", form, settings.currency)


@get(_ONE, access=access.SELLER, include_in_schema=False)
async def method_page(
    request: Req, db: Database, actor: Actor, method_id: FromPath[UUID]
) -> Response[bytes]:
    """One way of delivery to change."""
    method = await _own(db, actor, method_id)
    form = {
        "name": method.name,
        "kind": method.kind,
        "pickup_note": method.pickup_note,
        "active": "1" if method.active else "",
    }
    for n, rate in enumerate(method.rates):
        form |= {
            f"r{n}.countries": ", ".join(rate.countries),
            f"r{n}.amount": decimal_text(rate.amount, method.currency),
            f"r{n}.free_over": decimal_text(rate.free_over, method.currency),
            f"r{n}.min_days": str(rate.min_days),
            f"r{n}.max_days": str(rate.max_days),
        }
    return await _show(request, f"{_LIST}/{method_id}", form, method.currency)


def _rates(
    form: dict[str, str], currency: str, before: list[fulfilment.Rate]
) -> list[fulfilment.Rate]:
    """Raises InvalidInput. Rates by weight, which this form does not show, are kept."""
    found: list[fulfilment.Rate] = []
    for n in range(50):
        row = {name: form.get(f"r{n}.{name}", "") for name in _RATE}
        if not row["amount"]:
            continue
        path = f"r{n}."
        free = row["free_over"]
        codes = [part.strip() for part in row["countries"].split(",") if part.strip()]
        if any(len(code) != 2 or not code.isalpha() for code in codes):
            raise refusal(f"{path}countries", "Write codes of two letters, such as DE, AT, CH.")
        found.append(
            fulfilment.Rate(
                countries=codes,
                amount=read_money(row["amount"], currency=currency, path=f"{path}amount"),
                brackets=before[n].brackets if n < len(before) else [],
                free_over=read_money(free, currency=currency, path=f"{path}free_over")
                if free
                else None,
                min_days=read_int(row["min_days"] or "2", path=f"{path}min_days", most=90),
                max_days=read_int(row["max_days"] or "5", path=f"{path}max_days", most=90),
            )
        )
    return found


def _method(form: dict[str, str], before: fulfilment.Method) -> fulfilment.Method:
    name = clean_text(form.get("name", ""), path="name")
    if not 2 <= len(name) <= 80:
        raise refusal("name", "Give it a name of 2 to 80 characters.")
    return msgspec.structs.replace(
        before,
        name=name,
        kind="pickup" if form.get("kind") == "pickup" else "delivery",
        pickup_note=clean_text(form.get("pickup_note", ""), path="pickup_note")[:500],
        active=form.get("active") == "1",
        rates=_rates(form, before.currency, before.rates),
    )


@post(_LIST + "/new", access=access.SELLER, rate="write", include_in_schema=False)
async def add_method(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Offer a new way of delivery."""
    form = await form_of(request)
    blank = fulfilment.Method(
        id=uuid7(), name="", kind="delivery", currency=settings.currency, rates=[]
    )
    try:
        method = _method(form, blank)
        await db.transact(lambda tx: fulfilment.add_method(tx, actor, method=method))
    except DomainError as error:
        return await _show(request, f"{_LIST}/new", form, settings.currency, error)
    return back_to(request, _LIST, "Buyers can choose it from now on.")


@post(_ONE, access=access.SELLER, rate="write", include_in_schema=False)
async def change_method(
    request: Req, db: Database, actor: Actor, method_id: FromPath[UUID]
) -> Response[bytes]:
    """Replace a way of delivery."""
    before = await _own(db, actor, method_id)
    form = await form_of(request)
    try:
        method = _method(form, before)
        await db.transact(lambda tx: fulfilment.change_method(tx, actor, method=method))
    except DomainError as error:
        return await _show(request, f"{_LIST}/{method_id}", form, before.currency, error)
    return back_to(request, _LIST, "Saved. Orders that were placed keep what they paid.")


def _removing(method_id: UUID) -> Ask:
    return Ask(
        title="Remove this way of delivery?",
        text="Buyers can no longer choose it. Orders that were placed with it stay as they are.",
        confirm="Remove",
        action=f"{_LIST}/{method_id}/remove",
        back=_LIST,
        done="It is removed.",
    )


@get(_ONE + "/remove", access=access.SELLER, include_in_schema=False)
async def remove_page(
    request: Req, db: Database, actor: Actor, method_id: FromPath[UUID]
) -> Response[bytes]:
    """Ask first."""
    await _own(db, actor, method_id)
    return await ask(request, _removing(method_id))


@post(_ONE + "/remove", access=access.SELLER, rate="write", include_in_schema=False)
async def remove(
    request: Req, db: Database, actor: Actor, method_id: FromPath[UUID]
) -> Response[bytes]:
    """Stop offering it."""
    return await answer(
        request,
        db,
        _removing(method_id),
        lambda tx, _: fulfilment.remove_method(tx, actor, method_id=method_id),
    )


routes: list[Any] = [
    methods_page, new_method_page, method_page, add_method, change_method, remove_page, remove,
]  # fmt: skip
