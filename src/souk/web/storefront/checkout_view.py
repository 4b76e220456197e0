"""What the checkout page shows, and what its form sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from litestar import Response

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.flows.checkout import flow
from souk.flows.checkout.view import CheckoutView
from souk.kernel.errors import DomainError, ErrorKind, FieldProblem, InvalidInput
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http.holder import Holder
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web.addresses import (
    FIELDS,
    address_context,
    country_name,
    read_address,
    without_prefix,
)
from souk.web.forms import gathered_in, summary
from souk.web.page import Req, field_errors, language_of, page

_DELIVERY = "delivery-"


class TotalChanged(DomainError):
    """The total is another than the one on the button that was pressed."""

    code = "total_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "With this address the total is another one. Look at it, then place the order."
        )


async def read(
    db: Database,
    holder: Holder,
    settings: Settings,
    checkout_id: UUID,
    *,
    form: Mapping[str, str] | None = None,
) -> CheckoutView:
    """The holder's checkout, with delivery to the country and by the ways that `form` names."""
    form = form or {}
    country = form.get("country", "").upper()
    async with db.read() as conn:
        return await flow.read(
            conn,
            holder,
            checkout_id,
            settings=settings,
            country=country if country in fulfilment.countries() else None,
            deliveries=_deliveries(form),
        )


def ships(found: CheckoutView) -> bool:
    return any(line.ships for group in found.groups for line in group.lines)


def parts_of(form: Mapping[str, str], found: CheckoutView) -> flow.Parts:
    """What the form replaces. Raises InvalidInput with the names of all fields that are wrong."""
    email = form.get("email", "")
    address = read_address(form) if ships(found) else None
    problems: list[FieldProblem] = []
    if not email:
        text = "Enter the e-mail address to which we send the confirmation."
        problems.append(FieldProblem("email", "required", text))
    else:
        with gathered_in(problems):
            fulfilment.checked_email(email)
    if address is not None:
        with gathered_in(problems):
            fulfilment.normalise_address(address, path="shipping_address")
    if problems:
        problems.sort(key=lambda problem: _place(problem.path))
        raise InvalidInput("Some fields need your attention.", problems=problems)
    return flow.Parts(email=email, shipping_address=address, deliveries=_deliveries(form))


def _place(path: str) -> int:
    """Where a field stands in the form, so that the summary reads as the form does."""
    order = ("email", "country", *FIELDS)
    name = path.removeprefix("shipping_address.")
    return order.index(name) if name in order else len(order)


def _deliveries(form: Mapping[str, str]) -> dict[UUID, UUID]:
    deliveries: dict[UUID, UUID] = {}
    for name, value in form.items():
        seller = parse_uuid(name.removeprefix(_DELIVERY)) if name.startswith(_DELIVERY) else None
        method = parse_uuid(value)
        if seller is not None and method is not None:
            deliveries[seller] = method
    return deliveries


def address_fields(address: fulfilment.Address) -> dict[str, str]:
    """An address as the form sends it, empty fields too, so that nothing of another one stays."""
    given = msgspec.to_builtins(address)
    return {name: str(given.get(name) or "") for name in (*FIELDS, "country")}


def _saved_choices(
    kept: Sequence[fulfilment.SavedAddress], form: Mapping[str, str]
) -> tuple[list[dict[str, object]], str | None]:
    """For `radio_group`: each saved address in a line, and the one that is filled in."""
    choices: list[dict[str, object]] = []
    chosen = None
    for each in kept:
        lines = fulfilment.address_lines(each.address)
        choices.append(
            {
                "value": str(each.id),
                "label": each.label or lines[0],
                "help": ", ".join(lines[1:] if not each.label else lines),
            }
        )
        fields = address_fields(each.address)
        if all(form.get(name, "") == value for name, value in fields.items() if name != "phone"):
            chosen = str(each.id)
    return choices, chosen


def _filled(found: CheckoutView, settings: Settings) -> dict[str, str]:
    """The form as it was left."""
    address = found.shipping_address or {"country": settings.country}
    return {**address, "email": found.email or ""}


async def shown(
    request: Req,
    db: Database,
    settings: Settings,
    found: CheckoutView,
    *,
    holder: Holder,
    form: Mapping[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    """The page for the checkout's state, with `form` as it was sent when it was refused."""
    template, status = _template(found, error)
    filled = {**_filled(found, settings), **(form or {})}
    errors = without_prefix(field_errors(error), "shipping_address") if error else {}
    language = language_of(request)
    async with db.read() as conn:
        shops = await sellers.cards(conn, [group.seller_id for group in found.groups])
        kept = await fulfilment.saved_addresses(conn, holder.user_id) if holder.user_id else []
    saved, chosen = _saved_choices(kept, filled)
    return await page(
        request,
        template,
        status=status,
        checkout=found,
        form=filled,
        errors=errors,
        problems=summary(errors),
        sellers=shops,
        saved=saved,
        saved_chosen=chosen,
        ships=ships(found),
        lines=breakdown(found),
        total=Money(found.totals.total, found.currency),
        destination=country_name(filled["country"], language),
        guessed=(found.shipping_address or {}).get("country") != filled["country"],
        notes=[m.text for m in found.messages if m.severity == "warning"],
        stranded=_stranded(found),
        noindex=True,
        **address_context(filled, language=language),
    )


def _stranded(found: CheckoutView) -> set[UUID]:
    """Sellers of things to send who do not send to the country that is shown."""
    if found.state != orders.CheckoutState.OPEN:
        return set()
    return {
        group.seller_id
        for group in found.groups
        if not group.options and any(line.ships for line in group.lines)
    }


def _template(found: CheckoutView, error: DomainError | None) -> tuple[str, int]:
    status = STATUS[error.kind] if error else 200
    match found.state:
        case orders.CheckoutState.OPEN:
            return "storefront/checkout.html", status
        case orders.CheckoutState.AWAITING_PAYMENT:
            return "storefront/paying.html", status
        case _:
            return "storefront/checkout_over.html", status


def breakdown(found: CheckoutView) -> list[dict[str, object]]:
    """The lines of the sum."""
    totals, currency = found.totals, found.currency
    lines: list[dict[str, object]] = [{"name": "goods", "amount": Money(totals.items, currency)}]
    if totals.discount:
        discount = Money(totals.discount, currency)
        lines.append({"name": "discount", "amount": discount, "kind": "less"})
    if ships(found):
        lines.append({"name": "delivery", "amount": Money(totals.delivery, currency)})
    if totals.tax:
        rate = f"{found.tax_rate / 100:g} %"
        lines.append({"name": "tax", "amount": Money(totals.tax, currency), "note": rate})
    return lines
