"""The cart: looking, putting in, changing, taking out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.carts import api as carts
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.flows.cart import flow
from souk.flows.cart.view import CartView
from souk.kernel.errors import DomainError, FieldProblem, InvalidInput
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database, ReadConn
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.http.problems import STATUS
from souk.platform.settings import Settings
from souk.web.addresses import country_name
from souk.web.page import Flash, Req, form_of, language_of, page, redirect, translate
from souk.web.storefront.cards import card_items
from souk.web.storefront.seen import ROW, looked_at

log = structlog.get_logger()
_MOST = 99


@get("/cart", access=access.HOLDER, include_in_schema=False)
async def cart_page(
    request: Req, db: Database, holder: Holder, settings: Settings
) -> Response[bytes]:
    """What the cart holds, by seller, at the prices and stock of this moment."""
    return await _shown(request, db, holder, settings)


async def _shown(
    request: Req,
    db: Database,
    holder: Holder,
    settings: Settings,
    *,
    error: DomainError | None = None,
) -> Response[bytes]:
    async with db.read() as conn:
        cart = await flow.read(conn, holder, currency=settings.currency)
        shops = await sellers.cards(conn, [group.seller_id for group in cart.groups])
        country = await _country(conn, holder, settings)
        ways = await _deliveries(conn, cart, country)
        under_way = await orders.paying(conn, user_id=holder.user_id, guest=holder.guest)
        seen = card_items(await looked_at(conn, request, holder, limit=ROW))
    delivery = sum(each.amount.amount for each in ways.values() if each is not None)
    return await page(
        request,
        "storefront/cart.html",
        status=STATUS[error.kind] if error else 200,
        cart=cart,
        sellers=shops,
        said=_said(cart),
        seen=seen,
        under_way=under_way,
        deliveries=ways,
        delivery=Money(delivery, cart.currency),
        total=Money(cart.subtotal.amount + delivery, cart.currency),
        destination=country_name(country, language_of(request)),
        tax_rate=settings.tax_rate(country) / 100,
        error=error.message if error else None,
        noindex=True,
    )


async def _country(conn: ReadConn, holder: Holder, settings: Settings) -> str:
    """Where a member's things usually go, else the marketplace's own country."""
    if holder.user_id is not None:
        kept = await fulfilment.saved_addresses(conn, holder.user_id)
        if kept:
            return kept[0].address.country
    return settings.country


async def _deliveries(
    conn: ReadConn, cart: CartView, country: str
) -> dict[UUID, fulfilment.DeliveryOption | None]:
    """The cheapest delivery of each seller's parcel, None where the seller does not go; sellers of
    nothing but files are absent. One statement for all of them."""
    groups: list[fulfilment.GroupToShip] = []
    for group in cart.groups:
        sent = [item for item in group.items if item.kind != "digital" and item.quantity]
        if sent:
            subtotal = Money(sum(item.total.amount for item in sent), cart.currency)
            weight = sum(item.weight_g * item.quantity for item in sent)
            groups.append(
                fulfilment.GroupToShip(group.seller_id, subtotal, weight, needs_shipping=True)
            )
    if not groups:
        return {}
    offered = await fulfilment.quote(conn, country=country, groups=groups)
    return {
        group.seller_id: min(
            offered.get(group.seller_id, []),
            key=lambda option: (option.kind == "pickup", option.amount.amount, option.max_days),
            default=None,
        )
        for group in groups
    }


def _said(cart: CartView) -> dict[tuple[int, int], list[dict[str, str]]]:
    """Messages by the place of their line: (group, item)."""
    found: dict[tuple[int, int], list[dict[str, str]]] = {}
    for g, group in enumerate(cart.groups):
        for i in range(len(group.items)):
            path = f"groups[{g}].items[{i}]"
            found[g, i] = [
                {"tone": "error" if m.severity == "error" else "warn", "text": m.text}
                for m in cart.messages
                if m.path == path or m.path.startswith(f"{path}.")
            ]
    return found


@post("/cart/items", access=access.HOLDER, rate="write", include_in_schema=False)
async def put_item(
    request: Req, db: Database, holder: Holder, settings: Settings
) -> Response[bytes]:
    """Put something in; a guest gets a token as a cookie."""
    form = await form_of(request)
    try:
        variant_id, quantity = _variant(form), _quantity(form)
        await db.transact(
            lambda tx: flow.add(
                tx, holder, variant_id=variant_id, quantity=quantity, currency=settings.currency
            ),
            losable=carts.LOSABLE,
        )
    except DomainError as error:
        back = form.get("back", "/cart")
        return redirect(back, flash=Flash("error", error.message), settings=settings)
    text = translate(request, "It is in your cart.")
    response = redirect("/cart", flash=Flash("success", text), settings=settings)
    return hand_over(response, holder, settings)


def _variant(form: dict[str, str]) -> UUID:
    found = parse_uuid(form.get("variant_id", ""))
    if found is None:
        text = "Choose one of the kinds first, then put it into the cart."
        raise InvalidInput(text, problems=[FieldProblem("variant_id", "required", text)])
    return found


def _quantity(form: dict[str, str]) -> int:
    text = form.get("quantity") or "1"
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 1 <= number <= _MOST:
        message = f"Give a whole number from 1 to {_MOST}."
        raise InvalidInput(message, problems=[FieldProblem("quantity", "out_of_range", message)])
    return number


@post("/cart/items/{variant_id:uuid}", access=access.HOLDER, rate="write", include_in_schema=False)
async def set_quantity(
    request: Req, db: Database, holder: Holder, settings: Settings, variant_id: FromPath[UUID]
) -> Response[bytes]:
    """Hold exactly so many."""
    form = await form_of(request)
    try:
        quantity = _quantity(form)
        await db.transact(
            lambda tx: flow.set_quantity(
                tx, holder, variant_id=variant_id, quantity=quantity, currency=settings.currency
            ),
            losable=carts.LOSABLE,
        )
    except DomainError as error:
        return await _shown(request, db, holder, settings, error=error)
    return redirect("/cart")


@post(
    "/cart/items/{variant_id:uuid}/remove",
    access=access.HOLDER,
    rate="write",
    include_in_schema=False,
)
async def remove_item(
    request: Req, db: Database, holder: Holder, settings: Settings, variant_id: FromPath[UUID]
) -> Response[bytes]:
    """Take it out; pressing twice is fine."""
    try:
        await db.transact(
            lambda tx: flow.remove(tx, holder, variant_id=variant_id, currency=settings.currency),
            losable=carts.LOSABLE,
        )
    except DomainError as error:
        log.info("cart_line_gone", code=error.code)
    text = translate(request, "It is out of your cart.")
    return redirect("/cart", flash=Flash("info", text), settings=settings)


routes: list[Any] = [cart_page, put_item, set_quantity, remove_item]
