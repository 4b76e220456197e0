"""Saved addresses."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.address import Address
from souk.platform.database import WriteTx


async def count(tx: WriteTx, user_id: UUID) -> int:
    """How many the person has; the transaction is the only one that changes them."""
    await tx.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1, 12))", str(user_id))
    return await tx.fetchval("SELECT count(*) FROM fulfilment.address WHERE user_id = $1", user_id)


async def unset_default(tx: WriteTx, user_id: UUID) -> None:
    """No address of the person is the default any more."""
    await tx.execute(
        "UPDATE fulfilment.address SET is_default = false WHERE user_id = $1 AND is_default",
        user_id,
    )


async def insert(
    tx: WriteTx, address_id: UUID, *, user_id: UUID, label: str, default: bool, address: Address
) -> None:
    """Save a new address."""
    fields = msgspec.structs.asdict(address)
    await tx.execute(
        "INSERT INTO fulfilment.address (id, user_id, label, is_default, name, company, line1,"
        " line2, city, region, postal_code, country, phone, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)",
        address_id,
        user_id,
        label,
        default,
        *(fields[name] for name in _COLUMNS),
        tx.clock.now(),
    )


async def update(
    tx: WriteTx, address_id: UUID, *, user_id: UUID, label: str, default: bool, address: Address
) -> bool:
    """Replace an address of this person; False when they have none with this id."""
    fields = msgspec.structs.asdict(address)
    tag = await tx.execute(
        "UPDATE fulfilment.address SET label = $3, is_default = is_default OR $4, name = $5,"
        " company = $6, line1 = $7, line2 = $8, city = $9, region = $10, postal_code = $11,"
        " country = $12, phone = $13, updated_at = $14 WHERE id = $1 AND user_id = $2",
        address_id,
        user_id,
        label,
        default,
        *(fields[name] for name in _COLUMNS),
        tx.clock.now(),
    )
    return tag == "UPDATE 1"


async def delete(tx: WriteTx, address_id: UUID, *, user_id: UUID) -> bool:
    """Forget an address; False when the person has none with this id."""
    tag = await tx.execute(
        "DELETE FROM fulfilment.address WHERE id = $1 AND user_id = $2", address_id, user_id
    )
    return tag == "DELETE 1"


_COLUMNS = (
    "name",
    "company",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "phone",
)
