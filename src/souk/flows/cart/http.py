"""`/api/v1/cart`: the cart of a member or of a guest who keeps the `Souk-Guest` token."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath

from souk.contexts.carts import api as carts
from souk.flows.cart import flow
from souk.flows.cart.view import CartView
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.holder import Holder, guest_token_of, hand_over
from souk.platform.settings import Settings

Quantity = Annotated[int, msgspec.Meta(ge=1, le=99)]


class PutItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`quantity` is added to what the cart already holds of the variant."""

    variant_id: UUID
    quantity: Quantity = 1


class SetQuantity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`quantity` replaces what the cart holds."""

    quantity: Quantity


@get("/api/v1/cart", access=access.HOLDER)
async def read_cart(db: Database, holder: Holder, settings: Settings) -> CartView:
    """The cart with the prices and stock of this moment, and messages on what changed."""
    async with db.read() as conn:
        return await flow.read(conn, holder, currency=settings.currency)


@post("/api/v1/cart/items", access=access.HOLDER, rate="write", status_code=200)
async def put_item(
    data: PutItem, db: Database, holder: Holder, settings: Settings
) -> Response[CartView]:
    """Put something in. A guest without a token receives one, as a cookie and a header."""
    view = await db.transact(
        lambda tx: flow.add(
            tx,
            holder,
            variant_id=data.variant_id,
            quantity=data.quantity,
            currency=settings.currency,
        ),
        losable=carts.LOSABLE,
    )
    return hand_over(Response(view), holder, settings)


@patch("/api/v1/cart/items/{variant_id:uuid}", access=access.HOLDER, rate="write")
async def set_item_quantity(
    variant_id: FromPath[UUID], data: SetQuantity, db: Database, holder: Holder, settings: Settings
) -> CartView:
    """Change how many of a variant the cart holds."""
    return await db.transact(
        lambda tx: flow.set_quantity(
            tx,
            holder,
            variant_id=variant_id,
            quantity=data.quantity,
            currency=settings.currency,
        ),
        losable=carts.LOSABLE,
    )


@delete("/api/v1/cart/items/{variant_id:uuid}", access=access.HOLDER, rate="write", status_code=200)
async def remove_item(
    variant_id: FromPath[UUID], db: Database, holder: Holder, settings: Settings
) -> CartView:
    """Take a variant out."""
    return await db.transact(
        lambda tx: flow.remove(tx, holder, variant_id=variant_id, currency=settings.currency),
        losable=carts.LOSABLE,
    )


@post("/api/v1/cart/merge", access=access.SIGNED_IN, rate="write", status_code=200)
async def merge_cart(
    request: Request[Any, Any, Any], db: Database, holder: Holder, settings: Settings
) -> CartView:
    """After a log-in: pour the cart of the guest token that is sent along into the member's."""
    guest = guest_token_of(request)
    return await db.transact(
        lambda tx: flow.merge(tx, holder, guest_token=guest, currency=settings.currency)
    )


routes: list[Any] = [read_cart, put_item, set_item_quantity, remove_item, merge_cart]
