"""What operators change about putting listings on sale."""

from __future__ import annotations

from typing import Any

from souk.platform.options import Flag, Kind, Option

REVIEW: Option[str] = Option(
    key="listings.review",
    group="Listings",
    title="Which new listings are looked at first",
    help="What is not looked at first is on sale as soon as its seller publishes it.",
    kind=Kind.CHOICE,
    default="standard",
    choices=(
        ("all", "Those of every seller"),
        ("standard", "Those of standard sellers; premium sellers publish at once"),
        ("none", "None"),
    ),
)
options: list[Option[Any] | Flag] = [REVIEW]
