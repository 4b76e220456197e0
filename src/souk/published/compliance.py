"""What compliance publishes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from souk.platform.events import Event


class DocumentPublished(Event, frozen=True, kw_only=True):
    """A version of a legal document was published in `locales`; it counts from `effective_at`."""

    name: ClassVar[str] = "compliance.document_published.v1"
    key: ClassVar[str] = "document_id"
    document_id: UUID
    kind: str
    version: int
    locales: list[str]
    effective_at: datetime
    requires_acceptance: bool
