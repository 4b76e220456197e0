"""What operators change about the pages: the banner above them."""

from __future__ import annotations

from typing import Any

from souk.platform.options import Flag, Kind, Option

BANNER_TEXT: Option[str] = Option(
    key="banner.text",
    group="Banner",
    title="Words of the banner",
    help="A sentence above every page, such as when we are not to be reached. Empty: no banner.",
    kind=Kind.LONG_TEXT,
    default="",
    most=300,
)
BANNER_TONE: Option[str] = Option(
    key="banner.tone",
    group="Banner",
    title="How it looks",
    help="News in blue, a warning in ochre, a fault in red.",
    kind=Kind.CHOICE,
    default="info",
    choices=(("info", "News"), ("warn", "Warning"), ("error", "Fault")),
)
options: list[Option[Any] | Flag] = [BANNER_TEXT, BANNER_TONE]
