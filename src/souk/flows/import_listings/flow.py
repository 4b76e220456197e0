"""Setting an import to work: the shop has to be open, and the work is queued with the decision."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.listings import api as listings
from souk.contexts.listings.api import importing
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor
from souk.kernel.errors import Forbidden
from souk.platform.database import WriteTx


async def begin(
    tx: WriteTx, actor: Actor, *, run_id: UUID, seller_id: UUID, wanted: importing.RunState
) -> importing.Run:
    """Begin to preview, import or undo. Asking twice changes nothing.

    Raises NotFound, Forbidden for a shop that is not open, ImportBusy, IllegalTransition.
    """
    shop = await sellers.account(tx, seller_id=seller_id)
    if shop.state != sellers.SellerState.APPROVED:
        raise Forbidden("Your shop is not open, so nothing can be imported. Its page says why.")
    # Every listing shows its shop's name: it has to be known before the first one is written.
    await listings.know_seller(tx, seller_id=seller_id, name=shop.name, slug=shop.slug)
    return await importing.begin(tx, actor, run_id=run_id, seller_id=seller_id, wanted=wanted)
