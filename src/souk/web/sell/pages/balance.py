"""Money: what is earned, what waits, and why every cent is where it is."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from souk.contexts.ledger import api as ledger
from souk.kernel.actor import Actor
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.desk import address, seller_of
from souk.web.page import Req, page
from souk.web.sell.frame import desk_counts

_PATH = "/sell/balance"


@get(_PATH, access=access.SELLER, include_in_schema=False)
async def balance_page(
    request: Req,
    db: Database,
    actor: Actor,
    settings: Settings,
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """The balances in every currency and each change of them."""
    seller_id = seller_of(actor)
    async with db.read() as conn:
        balances = await ledger.balances(conn, seller_id)
        lines = await ledger.statement(conn, seller_id, cursor=cursor, limit=50)
        frame = await desk_counts(conn, seller_id)
    return await page(
        request,
        "sell/balance.html",
        balances=balances or [ledger.SellerBalance(settings.currency)],
        lines=lines.items,
        next_url=address(_PATH, cursor=lines.next_cursor) if lines.next_cursor else None,
        desk_counts=frame,
    )


routes: list[Any] = [balance_page]
