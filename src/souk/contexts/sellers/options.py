"""What operators change about becoming a seller."""

from __future__ import annotations

from typing import Any

from souk.platform.options import Flag, Option

NEW_SELLERS = Flag(
    key="sellers.applications",
    title="New sellers may apply",
    help="Off: nobody can send an application. Shops that are open, and applications that were "
    "sent, go on as they are.",
)
options: list[Option[Any] | Flag] = [NEW_SELLERS]
