"""`/api/v1/sellers`: shops, applications and storefronts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, patch, post, put
from litestar.params import Parameter, QueryParameter

from souk.contexts.sellers import commands, queries
from souk.contexts.sellers.domain import SellerKind
from souk.contexts.sellers.queries import SellerAccount, SellerCard, SellerRow, SellerView
from souk.kernel.actor import Actor, Permission
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.http.wire import Limit, Listed, clean_text

_Cursor = Annotated[str | None, Parameter(max_length=1024)]
_Long = Annotated[str, msgspec.Meta(max_length=8_000)]
_Link = Annotated[str, msgspec.Meta(max_length=200)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Apply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application. `country` is an ISO 3166 code; an empty `slug` is made from the name."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=80)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    kind: SellerKind = SellerKind.BUSINESS
    slug: Annotated[str, msgspec.Meta(max_length=48)] = ""
    bio: Annotated[str, msgspec.Meta(max_length=4_000)] = ""


class ChangeStorefront(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields that are left out stay as they are."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=80)] | None = None
    bio: _Long | None = None
    shipping_policy: _Long | None = None
    returns_policy: _Long | None = None
    announcement: Annotated[str, msgspec.Meta(max_length=280)] | None = None
    links: Annotated[list[_Link], msgspec.Meta(max_length=5)] | None = None
    contact_email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    contact_phone: Annotated[str, msgspec.Meta(max_length=30)] | None = None


class Holiday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`start` null opens the shop; `end` null means until further notice."""

    start: _Moment | None = None
    end: _Moment | None = None
    message: Annotated[str, msgspec.Meta(max_length=300)] = ""


@get("/api/v1/sellers", access=access.PUBLIC, shared=1.0)
async def list_shops(db: Database, cursor: _Cursor = None, limit: Limit = 20) -> Listed[SellerCard]:
    """Open shops, newest first."""
    async with db.read() as conn:
        return Listed.of(await queries.open_shops(conn, cursor=cursor, limit=limit))


@get("/api/v1/sellers/{slug:str}", access=access.PUBLIC, shared=1.0)
async def read_shop(db: Database, slug: Annotated[str, Parameter(max_length=100)]) -> SellerView:
    """One open shop."""
    async with db.read() as conn:
        return await queries.by_slug(conn, slug)


@get("/api/v1/sellers/me", access=access.SIGNED_IN)
async def my_account(db: Database, actor: Actor) -> SellerAccount:
    """The caller's own application or shop."""
    async with db.read() as conn:
        return await queries.account(conn, seller_id=actor.seller_id, user_id=actor.user_id)


@post("/api/v1/sellers/apply", access=access.SIGNED_IN, idempotent=True, rate="write")
async def apply(data: Apply, db: Database, actor: Actor) -> SellerAccount:
    """Ask to become a seller."""
    application = commands.Application(
        name=clean_text(data.name, path="name"),
        country=data.country,
        kind=data.kind,
        slug=data.slug,
        bio=clean_text(data.bio, path="bio"),
    )
    await db.transact(lambda tx: commands.apply(tx, actor, application=application))
    async with db.read() as conn:
        return await queries.account(conn, user_id=actor.user_id)


@patch("/api/v1/sellers/me/storefront", access=access.SELLER, rate="write")
async def change_storefront(data: ChangeStorefront, db: Database, actor: Actor) -> SellerAccount:
    """Change what visitors read."""
    seller_id = _own(actor)
    said: dict[str, object] = {
        name: [clean_text(one, path=name) for one in value]
        if isinstance(value, list)
        else clean_text(value, path=name)
        for name, value in msgspec.structs.asdict(data).items()
        if value is not None
    }
    changes = msgspec.convert(said, commands.Storefront)
    await db.transact(
        lambda tx: commands.update_storefront(tx, actor, seller_id=seller_id, changes=changes)
    )
    async with db.read() as conn:
        return await queries.account(conn, seller_id=seller_id)


@put("/api/v1/sellers/me/holiday", access=access.SELLER, rate="write")
async def set_holiday(data: Holiday, db: Database, actor: Actor) -> SellerAccount:
    """Close the shop for a while, or open it again."""
    seller_id = _own(actor)
    await db.transact(
        lambda tx: commands.set_holiday(
            tx,
            actor,
            seller_id=seller_id,
            start=data.start,
            end=data.end,
            message=clean_text(data.message, path="message"),
        )
    )
    async with db.read() as conn:
        return await queries.account(conn, seller_id=seller_id)


@get("/api/v1/admin/sellers", access=access.operator(Permission.SELLERS_REVIEW))
async def list_accounts(
    db: Database,
    state_names: Annotated[str, QueryParameter(name="state", max_length=100)] = "",
    cursor: _Cursor = None,
    limit: Limit = 20,
) -> Listed[SellerRow]:
    """Shops and applications, the oldest application first."""
    states = [part for part in state_names.split(",") if part]
    async with db.read() as conn:
        return Listed.of(await queries.listed(conn, states=states, cursor=cursor, limit=limit))


@get("/api/v1/admin/sellers/{seller_id:uuid}", access=access.operator(Permission.SELLERS_REVIEW))
async def read_account(db: Database, seller_id: UUID) -> SellerAccount:
    """A shop with the history of its application."""
    async with db.read() as conn:
        return await queries.account(conn, seller_id=seller_id)


def _own(actor: Actor) -> UUID:
    assert actor.seller_id is not None
    return actor.seller_id


routes: list[Any] = [
    list_shops,
    my_account,
    read_shop,
    apply,
    change_storefront,
    set_holiday,
    list_accounts,
    read_account,
]
