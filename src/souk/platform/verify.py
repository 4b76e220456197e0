"""What `souk verify` reports: one row for each broken invariant."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from souk.platform.database import ReadConn


class Violation(msgspec.Struct, frozen=True):
    """`invariant` is a stable name such as `inventory.on_hand`; `subject` names the row at fault.

    `detail` says in a sentence what is there and what should be.
    """

    invariant: str
    subject: str
    detail: str


async def broken(conn: ReadConn, checks: Mapping[str, str], *values: object) -> list[Violation]:
    """What breaks each of these invariants: a statement by name, which takes `values` and answers
    with `subject` and `detail` for every row at fault."""
    return [
        Violation(invariant, row["subject"], row["detail"])
        for invariant, sql in checks.items()
        for row in await conn.fetch(sql, *values)
    ]
