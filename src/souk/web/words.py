"""Words for codes that several pages show: one place, in the visitor's language."""

from __future__ import annotations

from collections.abc import Callable


def condition_words(_: Callable[[str], str]) -> dict[str, str]:
    """How worn a second-hand thing is, by code, best first."""
    return {
        "new": _("New"),
        "like_new": _("As new"),
        "good": _("Good"),
        "fair": _("Worn"),
        "poor": _("For parts or repair"),
    }


def kind_words(_: Callable[[str], str]) -> dict[str, str]:
    """What sort of goods a listing is, by code."""
    return {
        "goods": _("New goods"),
        "digital": _("Download"),
        "secondhand": _("Second-hand"),
    }


def report_words(_: Callable[[str], str]) -> dict[str, str]:
    """Why a listing is reported, by code."""
    return {
        "illegal": _("It must not be sold at all"),
        "counterfeit": _("It is a counterfeit"),
        "misleading": _("It is not what it says"),
        "copyright": _("It uses my pictures, texts or work"),
        "unsafe": _("It is dangerous"),
        "offensive": _("It is hateful or indecent"),
        "other": _("Something else"),
    }


def care_words(_: Callable[[str], str]) -> dict[str, str]:
    """Light, water, soil and seasons of plants, by code."""
    return {
        "sun": _("full sun"),
        "part_shade": _("half shade"),
        "shade": _("shade"),
        "bright_indirect": _("bright, not direct"),
        "none": _("none"),
        "low": _("little"),
        "moderate": _("moderate"),
        "high": _("much"),
        "aquatic": _("grows in water"),
        "clay": _("clay"),
        "loam": _("loam"),
        "sand": _("sand"),
        "rock": _("rock"),
        "peat": _("peat"),
        "chalk": _("chalk"),
        "epiphytic": _("on bark"),
        "spring": _("spring"),
        "summer": _("summer"),
        "fall": _("autumn"),
        "winter": _("winter"),
    }
