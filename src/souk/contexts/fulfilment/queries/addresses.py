"""Reads of addresses."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.fulfilment.domain.address import Address
from souk.platform.database import ReadConn


class SavedAddress(msgspec.Struct, frozen=True):
    """An address that a person keeps for the next purchase."""

    id: UUID
    label: str
    is_default: bool
    address: Address


async def saved_addresses(conn: ReadConn, user_id: UUID) -> list[SavedAddress]:
    """A person's addresses, the default first."""
    rows = await conn.fetch(
        "SELECT id, label, is_default, name, company, line1, line2, city, region, postal_code,"
        " country, phone FROM fulfilment.address WHERE user_id = $1 ORDER BY is_default DESC, id",
        user_id,
    )
    return [
        SavedAddress(
            row["id"],
            row["label"],
            row["is_default"],
            Address(**{name: row[name] for name in Address.__struct_fields__}),
        )
        for row in rows
    ]
