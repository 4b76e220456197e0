"""Decisions on seller accounts, with the rights that follow from them in the same transaction."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from souk.contexts.identity import api as identity
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.platform.database import WriteTx


class Decision(StrEnum):
    """What an operator can say to an application or a shop."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK_MORE = "ask_more"
    SUSPEND = "suspend"


async def decide(
    tx: WriteTx, actor: Actor, *, seller_id: UUID, decision: Decision, reason: str
) -> sellers.Seller:
    """Raises SellerNotFound, IllegalTransition, InvalidInput when a reason is missing."""
    match decision:
        case Decision.APPROVE:
            seller = await sellers.approve(tx, actor, seller_id=seller_id, reason=reason)
            await identity.add_membership(
                tx,
                actor,
                user_id=seller.user_id,
                seller_id=seller.id,
                role=identity.MemberRole.OWNER,
            )
            return seller
        case Decision.REJECT:
            return await sellers.reject(tx, actor, seller_id=seller_id, reason=reason)
        case Decision.ASK_MORE:
            return await sellers.ask_more(tx, actor, seller_id=seller_id, question=reason)
        case Decision.SUSPEND:
            return await sellers.suspend(tx, actor, seller_id=seller_id, reason=reason)
