"""Who is reminded of which cart, and of what in it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from souk.contexts.carts import api as carts
from souk.contexts.compliance import api as compliance
from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.notifications import api as notifications
from souk.contexts.notifications.api import contents
from souk.platform.database import ReadConn, WriteTx
from souk.platform.http.holder import Holder

_SHOWN = 6


async def due(conn: ReadConn, *, limit: int = 500) -> list[carts.WaitingCart]:
    """Carts whose owners allowed mails about new things, in two statements."""
    found = await carts.waiting(conn, limit=limit)
    labels = {Holder(user_id=cart.user_id).label(): cart for cart in found}
    allowed = await compliance.consented(
        conn, list(labels), purpose=compliance.ConsentPurpose.MARKETING_MAIL
    )
    return [cart for label, cart in labels.items() if label in allowed]


async def remind(tx: WriteTx, waiting: Sequence[carts.WaitingCart]) -> int:
    """Note and mail reminders; how many were sent. Repeatable: a cart is noted once.

    Carts of which nothing can be bought any more are passed over, and so are accounts that are
    gone.
    """
    people = await identity.contacts(tx, [cart.user_id for cart in waiting])
    variants = [variant for cart in waiting for variant in cart.variant_ids]
    items = await listings.purchasable(tx, variants)
    sent = 0
    for cart in waiting:
        person = people.get(cart.user_id)
        titles = _titles(cart, items)
        if person is None or not titles or not await carts.mark_reminded(tx, cart):
            continue
        to = notifications.Recipient(person.email, person.name, person.locale, cart.user_id)
        more = max(0, len(cart.variant_ids) - _SHOWN)
        content = contents.CartWaiting(name=person.name, titles=titles[:_SHOWN], more=more)
        key = f"cart:{cart.cart_id}:{cart.began_at.isoformat()}"
        await notifications.send(tx, to=to, content=content, dedupe_key=key)
        sent += 1
    return sent


def _titles(cart: carts.WaitingCart, items: dict[UUID, listings.Purchasable]) -> list[str]:
    """What of the cart can still be bought."""
    found = [items[variant] for variant in cart.variant_ids if variant in items]
    return [
        f"{item.title} ({item.variant_title})" if item.variant_title else item.title
        for item in found
        if item.state == "active"
    ]
