"""Orders that arrived, without the months that real ones take."""

from __future__ import annotations

from datetime import timedelta

from souk.contexts.listings import api as listings
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx


async def delivered(
    db: Database, listing: listings.Listing, email: str, *, guest: bytes | None = None
) -> tuple[str, str, str]:
    """An order of the listing that this member received long enough after joining, or this guest:
    its id, its part's and its line's. The rows are those that the flows of buying leave behind."""
    order_id, part_id, line_id, checkout_id = (uuid7() for _ in range(4))

    async def work(tx: WriteTx) -> None:
        now = tx.clock.now()
        user_id = await tx.fetchval(
            "UPDATE identity.account SET created_at = $2 WHERE email = $1 RETURNING id",
            email,
            now - timedelta(days=30),
        )
        await tx.execute(
            "INSERT INTO orders.checkout (id, state, user_id, order_id, expires_at, created_at,"
            " version, body, guest) VALUES ($1, 'completed', $2, $3, $4, $4, 1, '{}', $5)",
            checkout_id,
            user_id,
            order_id,
            now,
            guest,
        )
        await tx.execute(
            "INSERT INTO orders.purchase (id, number, checkout_id, payment_id, user_id, email,"
            " currency, items, discount, delivery, tax, total, placed_at, guest)"
            " VALUES ($1, $2, $3, $4, $5, $6, 'EUR', 500, 0, 0, 0, 500, $7, $8)",
            order_id,
            order_id.hex[-9:].upper(),
            checkout_id,
            uuid7(),
            user_id,
            email,
            now,
            guest,
        )
        await tx.execute(
            "INSERT INTO orders.seller_order (id, order_id, seller_id, buyer_id, currency, state,"
            " items, discount, delivery, tax, total, delivery_tax, commission, commission_tax,"
            " delivery_choice, placed_at, delivered_at) VALUES ($1, $2, $3, $4, 'EUR', 'completed',"
            ' 500, 0, 0, 0, 500, 0, 0, 0, \'{"label": ""}\', $5, $5)',
            part_id,
            order_id,
            listing.seller_id,
            user_id,
            now,
        )
        await tx.execute(
            "INSERT INTO orders.line (id, seller_order_id, position, variant_id, listing_id, kind,"
            " title, variant_title, sku, slug, unit_price, quantity, discount, tax, total,"
            " commission, commission_tax, file_ids, fulfilled) VALUES ($1, $2, 0, $3, $4, 'goods',"
            " $5, '', 'X', $6, 500, 1, 0, 0, 500, 0, 0, '{}', 1)",
            line_id,
            part_id,
            listing.variants[0].id,
            listing.id,
            listing.title,
            listing.slug,
        )

    await db.transact(work)
    return str(order_id), str(part_id), str(line_id)
