"""What `souk verify` reports: one row for each broken invariant."""

from __future__ import annotations

import msgspec


class Violation(msgspec.Struct, frozen=True):
    """`invariant` is a stable name such as `inventory.on_hand`; `subject` names the row at fault.

    `detail` says in a sentence what is there and what should be.
    """

    invariant: str
    subject: str
    detail: str
