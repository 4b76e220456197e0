"""`/api/v1/shipping-methods`: how a seller sends, where to, and for how much."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath

from souk.contexts.fulfilment import queries
from souk.contexts.fulfilment.commands import methods
from souk.contexts.fulfilment.domain.shipping import Bracket, Method, MethodKind, Rate
from souk.kernel.actor import Actor
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Amount, CurrencyCode, Listed, clean_text

Days = Annotated[int, msgspec.Meta(ge=0, le=120)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{2}$")]
Grams = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class BracketWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parcel of up to `up_to_g` grams costs `amount` minor units."""

    up_to_g: Grams
    amount: Amount


class RateWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The price in one zone; no `countries` means everywhere else."""

    countries: Annotated[list[Country], msgspec.Meta(max_length=250)] = msgspec.field(
        default_factory=list[Any]
    )
    amount: Amount = 0
    brackets: Annotated[list[BracketWire], msgspec.Meta(max_length=30)] = msgspec.field(
        default_factory=list[Any]
    )
    free_over: Amount | None = None
    min_days: Days = 2
    max_days: Days = 5


class MethodWire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of delivery as its seller describes it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    currency: CurrencyCode
    rates: Annotated[list[RateWire], msgspec.Meta(min_length=1, max_length=30)]
    kind: MethodKind = "delivery"
    pickup_note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    position: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    active: bool = True

    def method(self, method_id: UUID) -> Method:
        """The method that is meant, not yet checked."""
        return Method(
            id=method_id,
            name=clean_text(self.name, path="name"),
            kind=self.kind,
            currency=self.currency,
            pickup_note=clean_text(self.pickup_note, path="pickup_note"),
            position=self.position,
            active=self.active,
            rates=[
                Rate(
                    countries=list(rate.countries),
                    amount=rate.amount,
                    brackets=[Bracket(b.up_to_g, b.amount) for b in rate.brackets],
                    free_over=rate.free_over,
                    min_days=rate.min_days,
                    max_days=rate.max_days,
                )
                for rate in self.rates
            ],
        )


@get("/api/v1/shipping-methods", access=access.SELLER)
async def list_methods(db: Database, actor: Actor) -> Listed[Method]:
    """The caller's methods with all their rates."""
    seller_id = methods.seller_of(actor)
    async with db.read() as conn:
        return Listed(await queries.methods_of(conn, seller_id))


@post("/api/v1/shipping-methods", access=access.SELLER, rate="write")
async def add_method(data: MethodWire, db: Database, actor: Actor) -> Method:
    """Offer a new way of delivery."""
    method = data.method(uuid7())
    return await db.transact(lambda tx: methods.add_method(tx, actor, method=method))


@put("/api/v1/shipping-methods/{method_id:uuid}", access=access.SELLER, rate="write")
async def change_method(
    method_id: FromPath[UUID], data: MethodWire, db: Database, actor: Actor
) -> Method:
    """Replace a method with all its rates."""
    method = data.method(method_id)
    return await db.transact(lambda tx: methods.change_method(tx, actor, method=method))


@delete("/api/v1/shipping-methods/{method_id:uuid}", access=access.SELLER, rate="write")
async def remove_method(method_id: FromPath[UUID], db: Database, actor: Actor) -> None:
    """Stop offering a method."""
    await db.transact(lambda tx: methods.remove_method(tx, actor, method_id=method_id))


routes: list[Any] = [list_methods, add_method, change_method, remove_method]
