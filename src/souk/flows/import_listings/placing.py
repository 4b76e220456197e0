"""Where imported products go: nowhere in the tree until their seller chooses a category."""

from __future__ import annotations

from collections.abc import Sequence

from souk.contexts.listings.api import importing
from souk.platform.database import ReadConn


async def places(
    conn: ReadConn, records: Sequence[importing.ProductRecord]
) -> list[importing.Placement]:
    """One placement per record, in their order."""
    return [importing.Placement() for _ in records]
