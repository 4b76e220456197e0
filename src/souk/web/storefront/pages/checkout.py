"""Checkout on one page, for members and guests; the way back from the gateway's page.

Everything is kept in the checkout itself, so that reloading, going back and coming again tomorrow
show the same state.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.contexts.orders import api as orders
from souk.contexts.payments import api as payments
from souk.flows.checkout import flow, pay
from souk.flows.checkout.complete import Settled
from souk.flows.checkout.options import LogInToBuy, may_buy
from souk.flows.checkout.view import CheckoutView
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, hand_over
from souk.platform.options import Options
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.web.page import Flash, Req, form_of, language_of, redirect, translate
from souk.web.storefront import checkout_view as view

log = structlog.get_logger()


@post("/checkout", access=access.HOLDER, rate="checkout", include_in_schema=False)
async def open_checkout(
    db: Database, holder: Holder, settings: Settings, options: Options
) -> Response[bytes]:
    """Begin a checkout of the cart, with what is known of a member filled in."""
    try:
        may_buy(options, holder)
    except LogInToBuy as error:
        return redirect("/login?next=/cart", flash=Flash("warn", error.message), settings=settings)
    parts = await _known(db, holder)
    try:
        opened = await db.transact(
            lambda tx: flow.open_checkout(tx, holder, items=None, parts=parts, settings=settings),
            losable=orders.LOSABLE,
        )
    except orders.EmptyCheckout as error:
        return redirect("/cart", flash=Flash("warn", error.message), settings=settings)
    flash = None
    changes = [m.text for m in opened.messages if m.severity == "warning"]
    if changes:
        flash = Flash("warn", " ".join(changes))
    return hand_over(
        redirect(f"/checkout/{opened.id}", flash=flash, settings=settings), holder, settings
    )


async def _known(db: Database, holder: Holder) -> flow.Parts:
    if holder.user_id is None:
        return flow.Parts()
    async with db.read() as conn:
        person = await identity.user(conn, user_id=holder.user_id)
        kept = await fulfilment.saved_addresses(conn, holder.user_id)
    return flow.Parts(email=person.email, shipping_address=kept[0].address if kept else None)


@get("/checkout/{checkout_id:uuid}", access=access.HOLDER, include_in_schema=False)
async def checkout_page(
    request: Req, db: Database, holder: Holder, settings: Settings, checkout_id: FromPath[UUID]
) -> Response[bytes]:
    """The form, or where the payment stands."""
    found = await view.read(db, holder, settings, checkout_id)
    if found.order_id is not None:
        return redirect(f"/account/orders/{found.order_id}")
    return await view.shown(request, db, settings, found, holder=holder)


@post(
    "/checkout/{checkout_id:uuid}", access=access.HOLDER, rate="checkout", include_in_schema=False
)
async def change_checkout(
    request: Req,
    services: Services,
    actor: Actor,
    holder: Holder,
    settings: Settings,
    checkout_id: FromPath[UUID],
) -> Response[bytes]:
    """`act`: `country` and `delivery` show what they change, `address` fills a saved one in,
    `update` keeps what was filled in, `place` keeps it and pays, if the total is the one that was
    shown."""
    form = await form_of(request)
    db = services.db
    act = form.get("act", "update")
    if act == "address":
        form |= await _saved(db, holder, form.get("saved", ""))
    found = await view.read(db, holder, settings, checkout_id, form=form)
    if act in {"address", "country", "delivery"}:
        return await view.shown(request, db, settings, found, holder=holder, form=form)
    try:
        parts = view.parts_of(form, found)
        kept = await db.transact(
            lambda tx: flow.replace_parts(
                tx, holder, checkout_id=checkout_id, parts=parts, settings=settings
            )
        )
        if act == "place":
            return await _place(request, services, actor, holder, kept, form)
    except DomainError as error:
        # What was kept before the refusal is shown as it is now, sold-out goods taken out.
        found = await view.read(db, holder, settings, checkout_id, form=form)
        return await view.shown(request, db, settings, found, holder=holder, form=form, error=error)
    return redirect(f"/checkout/{checkout_id}")


async def _saved(db: Database, holder: Holder, chosen: str) -> dict[str, str]:
    """The fields of one of the member's own addresses; none when it is not theirs."""
    if holder.user_id is None:
        return {}
    async with db.read() as conn:
        kept = await fulfilment.saved_addresses(conn, holder.user_id)
    found = next((each.address for each in kept if str(each.id) == chosen), None)
    return view.address_fields(found) if found else {}


async def _place(
    request: Req,
    services: Services,
    actor: Actor,
    holder: Holder,
    kept: CheckoutView,
    form: dict[str, str],
) -> Response[bytes]:
    settings = services.settings
    if form.get("shown_total") != str(kept.totals.total):
        found = await view.read(services.db, holder, settings, kept.id)
        return await view.shown(
            request, services.db, settings, found, holder=holder, error=view.TotalChanged()
        )
    if holder.user_id is None and kept.email:
        address, language = kept.email, language_of(request)
        await services.db.transact(
            lambda tx: notifications.remember_language(tx, address=address, locale=language)
        )
    result = await pay.pay(
        services,
        actor,
        holder,
        checkout_id=kept.id,
        method_token=None,
        return_url=f"{settings.base_url}/checkout/{kept.id}/return",
    )
    return _onward(request, result, settings)


def _onward(request: Req, result: CheckoutView | Settled, settings: Settings) -> Response[bytes]:
    """Where the buyer goes after the gateway has spoken."""
    checkout_id = result.id if isinstance(result, CheckoutView) else result.checkout_id
    payment = result.payment
    if result.order_id is not None:
        return _thanks(request, result.order_id, settings)
    if payment is not None and payment.state == "requires_action" and payment.requires_action_url:
        # The gateway's own page; the address comes from the gateway, not from the visitor.
        location = {"Location": payment.requires_action_url}
        return Response(b"", status_code=303, headers=location)
    if payment is not None and payment.state in {"failed", "cancelled"}:
        text = payment.decline_message or translate(
            request, "The payment was not made, and nothing was charged. You can try again."
        )
        return redirect(f"/checkout/{checkout_id}", flash=Flash("error", text), settings=settings)
    return redirect(f"/checkout/{checkout_id}/return")


def _thanks(request: Req, order_id: UUID, settings: Settings) -> Response[bytes]:
    """A guest is thanked by the order's page itself, beside where the confirmation goes."""
    to = f"/account/orders/{order_id}"
    actor: Actor | None = request.scope["state"].get("actor")
    if actor is None or actor.user_id is None:
        return redirect(to)
    flash = Flash("success", translate(request, "Thank you. Your order is placed."))
    return redirect(to, flash=flash, settings=settings)


@get("/checkout/{checkout_id:uuid}/return", access=access.HOLDER, include_in_schema=False)
async def return_page(
    request: Req,
    services: Services,
    actor: Actor,
    holder: Holder,
    settings: Settings,
    checkout_id: FromPath[UUID],
) -> Response[bytes]:
    """Back from the gateway's page: ask it what happened, and go on. Reloading is harmless."""
    found = await view.read(services.db, holder, settings, checkout_id)
    if found.order_id is not None:
        # The gateway's word may be here before the buyer.
        return _thanks(request, found.order_id, settings)
    if found.payment is None:
        return redirect(f"/checkout/{checkout_id}")
    try:
        settled = await pay.refresh(services, actor, found.payment.id)
    except DomainError as error:
        log.warning("payment_not_refreshed", checkout=str(checkout_id), code=error.code)
        settled = None
    if settled is not None and (
        settled.order_id is not None or settled.payment.state in {"failed", "cancelled"}
    ):
        return _onward(request, settled, settings)
    found = await view.read(services.db, holder, settings, checkout_id)
    return await view.shown(request, services.db, settings, found, holder=holder)


@post(
    "/checkout/{checkout_id:uuid}/reopen",
    access=access.HOLDER,
    rate="checkout",
    include_in_schema=False,
)
async def reopen(
    request: Req,
    services: Services,
    actor: Actor,
    holder: Holder,
    settings: Settings,
    checkout_id: FromPath[UUID],
) -> Response[bytes]:
    """Call a payment under way off at the gateway, so that the checkout can be changed again."""
    found = await view.read(services.db, holder, settings, checkout_id)
    if found.payment is None or found.state != orders.CheckoutState.AWAITING_PAYMENT:
        return redirect(f"/checkout/{checkout_id}")
    outcome = await payments.cancel(services.get(payments.Gateways), found.payment)
    settled = await pay.settle(services, actor, found.payment, outcome, source="answer")
    if settled.order_id is not None:
        return _onward(request, settled, settings)
    text = translate(request, "The payment was called off. Change what you like, then pay again.")
    return redirect(f"/checkout/{checkout_id}", flash=Flash("info", text), settings=settings)


routes: list[Any] = [open_checkout, checkout_page, change_checkout, return_page, reopen]
