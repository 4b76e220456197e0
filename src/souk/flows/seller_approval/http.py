"""Decisions over the API."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import post

from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.actor import Actor, Permission
from souk.platform.database import Database
from souk.platform.http import access


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` is read by the seller; only an approval may go without."""

    decision: Decision
    reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


@post(
    "/api/v1/admin/sellers/{seller_id:uuid}/decision",
    access=access.operator(Permission.SELLERS_REVIEW),
    idempotent=True,
    rate="write",
    status_code=200,
)
async def decide_on_seller(
    data: Decide, db: Database, actor: Actor, seller_id: UUID
) -> sellers.SellerAccount:
    """Approve, reject, ask for more, or suspend."""
    await db.transact(
        lambda tx: decide(
            tx, actor, seller_id=seller_id, decision=data.decision, reason=data.reason
        )
    )
    async with db.read() as conn:
        return await sellers.account(conn, seller_id=seller_id)


routes: list[Any] = [decide_on_seller]
