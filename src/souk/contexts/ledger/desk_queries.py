"""The books as operators look through them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from souk.contexts.ledger.queries import ENTRY, EntryView
from souk.kernel.page import DEFAULT_LIMIT, Page
from souk.platform.database import ReadConn
from souk.platform.keyset import Sort

_NEWEST = Sort("e.at", "time", down=True, id="e.id")


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`causes` are looked for exactly; `search` is a cause, a key or a part of the sentence.

    `account` is the code of an account, or the start of codes when it ends with `:`.
    """

    search: str = ""
    causes: Sequence[str] = ()
    account: str = ""
    since: datetime | None = None
    until: datetime | None = None


class EntryRow(msgspec.Struct, frozen=True):
    """An entry, and what it moved: the sum of its debits by currency, in minor units."""

    entry: EntryView
    moved: dict[str, int]


async def listed(
    conn: ReadConn,
    wanted: EntryFilter,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[EntryRow]:
    """Entries that fit, newest first, with what each moved; two statements."""
    value, key = _NEWEST.place(cursor)
    rows = await conn.fetch(
        f"{ENTRY} WHERE ($1 = '' AND cardinality($2::text[]) = 0 OR e.cause = ANY($2)"
        "   OR $1 <> '' AND (e.cause = $1 OR e.key = $1"
        "     OR strpos(lower(e.text), lower($1)) > 0))"
        " AND ($3 = '' OR EXISTS (SELECT FROM ledger.posting p JOIN ledger.account a"
        "   ON a.id = p.account_id WHERE p.entry_id = e.id"
        "   AND (a.code = $3 OR right($3, 1) = ':' AND starts_with(a.code, $3))))"
        " AND ($4::timestamptz IS NULL OR e.at >= $4)"
        " AND ($5::timestamptz IS NULL OR e.at <= $5)"
        f" AND {_NEWEST.after(6, 7)} ORDER BY {_NEWEST.order} LIMIT $8",
        wanted.search.strip(),
        list(wanted.causes),
        wanted.account.strip(),
        wanted.since,
        wanted.until,
        value,
        key,
        limit + 1,
    )
    views = [EntryView(*row.values()) for row in rows]
    moved = await _moved(conn, [view.id for view in views])
    found = [EntryRow(view, moved.get(view.id, {})) for view in views]
    return _NEWEST.page(found, limit=limit, at=lambda row: (row.entry.at, row.entry.id))


async def _moved(conn: ReadConn, ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    rows = await conn.fetch(
        "SELECT entry_id, currency, sum(amount)::bigint AS debit FROM ledger.posting"
        " WHERE entry_id = ANY($1::uuid[]) AND amount > 0 GROUP BY entry_id, currency",
        list(ids),
    )
    found: dict[UUID, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["entry_id"], {})[row["currency"]] = row["debit"]
    return found
