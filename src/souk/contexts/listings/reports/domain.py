"""Why somebody reports a listing. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

MAX_NOTE = 2_000
MAX_OUTCOME = 2_000


class Reason(StrEnum):
    """What is wrong with it, in the reporter's view."""

    ILLEGAL = "illegal"
    COUNTERFEIT = "counterfeit"
    MISLEADING = "misleading"
    COPYRIGHT = "copyright"
    UNSAFE = "unsafe"
    OFFENSIVE = "offensive"
    OTHER = "other"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One person's report: `reporter` is `user:<id>` or `guest:<hash>`, for operators only.

    Open until `closed_at`, when `closed_by`, an actor's label, wrote down its `outcome`.
    """

    id: UUID
    listing_id: UUID
    reason: Reason
    note: str
    reporter: str
    reporter_email: str
    reported_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""
    outcome: str = ""
