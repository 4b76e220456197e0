"""Reads of a page that begins after a row."""

from __future__ import annotations

from uuid import UUID

from souk.kernel.ids import parse_uuid
from souk.kernel.page import BadCursor, decode_cursor


def row_before(cursor: str | None) -> UUID | None:
    """The id of the last row shown. Raises BadCursor."""
    if cursor is None:
        return None
    found = parse_uuid(str(decode_cursor(cursor, size=1)[0]))
    if found is None:
        raise BadCursor
    return found
