"""Plant species: names, hardiness zones and what they need to grow. Pure.

Zones are those of the USDA Plant Hardiness Zone Map of 2023: 1 to 13, each in halves a and b of
five degrees Fahrenheit of the mean yearly minimum.
"""

from __future__ import annotations

import re
from typing import Literal, get_args
from uuid import UUID

import msgspec

from souk.kernel.errors import FieldProblem, InvalidInput

Light = Literal["sun", "part_shade", "shade", "bright_indirect"]
Water = Literal["none", "low", "moderate", "high", "aquatic"]
Soil = Literal["clay", "loam", "sand", "rock", "peat", "chalk", "epiphytic"]
Season = Literal["spring", "summer", "fall", "winter"]
LIGHTS, WATERS, SOILS, SEASONS = (get_args(each) for each in (Light, Water, Soil, Season))
_ZONE = re.compile(r"(1[0-3]|[1-9])([ab]?)")
_SCIENTIFIC = re.compile(r"[A-Z×][^\x00-\x1f<>]{2,118}")
MAX_HEIGHT_CM = 12_000


class Care(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a species needs. Heights are centimetres at maturity; None is not known."""

    light: list[Light] = msgspec.field(default_factory=list[Light])
    water: Water | None = None
    soil: list[Soil] = msgspec.field(default_factory=list[Soil])
    bloom: list[Season] = msgspec.field(default_factory=list[Season])
    flower_colours: list[str] = msgspec.field(default_factory=list[str])
    height_min_cm: int | None = None
    height_max_cm: int | None = None
    wildlife: list[str] = msgspec.field(default_factory=list[str])


class Species(msgspec.Struct, frozen=True, kw_only=True):
    """One species. Zones are half-steps inside and notations such as `9b` outside."""

    id: UUID
    slug: str
    scientific_name: str
    common_names: list[str]
    family: str
    plant_type: str
    zone_min: int | None
    zone_max: int | None
    care: Care
    notes: str
    source: str


class Suitability(msgspec.Struct, frozen=True):
    """Whether a species lives outdoors in a zone, with a sentence for people."""

    suitable: bool | None
    zone: str
    message: str


def parse_zone(text: str, *, path: str = "zone", upper: bool = False) -> int:
    """`9b` as half-steps (1a is 2, 13b is 27). A bare `9` is 9a, or 9b as an upper bound.

    Raises InvalidInput.
    """
    match = _ZONE.fullmatch(text.strip().lower())
    if match is None:
        message = "Give a USDA hardiness zone from 1a to 13b, such as 7 or 9b."
        raise InvalidInput(message, problems=[FieldProblem(path, "bad_zone", message)])
    half = match[2] or ("b" if upper else "a")
    return int(match[1]) * 2 + (half == "b")


def format_zone(steps: int) -> str:
    """A hardiness zone as gardeners write it, such as `7b`: `steps` are half zones from `0a`."""
    return f"{steps // 2}{'ab'[steps % 2]}"


def check_species(species: Species) -> None:
    """Raises InvalidInput naming everything that cannot be so."""
    found: list[FieldProblem] = []
    if not _SCIENTIFIC.fullmatch(species.scientific_name):
        message = "Write the scientific name with its genus in capitals: Monstera deliciosa."
        found.append(FieldProblem("scientific_name", "bad_name", message))
    if len(species.common_names) > 30 or any(
        not 1 <= len(name) <= 80 for name in species.common_names
    ):
        message = "Use at most 30 common names of 1 to 80 characters."
        found.append(FieldProblem("common_names", "out_of_range", message))
    low, high = species.zone_min, species.zone_max
    if (low is None) != (high is None):
        found.append(FieldProblem("zone_max", "missing", "Give both zones or neither."))
    elif low is not None and high is not None and low > high:
        found.append(FieldProblem("zone_max", "below_min", "The warmer zone comes second."))
    found.extend(_care_problems(species.care))
    if found:
        raise InvalidInput(
            "The species could not be saved. Correct the fields named.", problems=found
        )


def _care_problems(care: Care) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    for name in ("light", "soil", "bloom", "flower_colours", "wildlife"):
        values: list[str] = getattr(care, name)
        if len(set(values)) < len(values) or any(
            not 1 <= len(value) <= 40 or not value.isprintable() for value in values
        ):
            message = "Name each once, in up to 40 characters."
            found.append(FieldProblem(f"care.{name}", "bad_value", message))
    for name in ("height_min_cm", "height_max_cm"):
        height: int | None = getattr(care, name)
        if height is not None and not 0 <= height <= MAX_HEIGHT_CM:
            message = f"Give centimetres from 0 to {MAX_HEIGHT_CM:,}."
            found.append(FieldProblem(f"care.{name}", "out_of_range", message))
    low, high = care.height_min_cm, care.height_max_cm
    if low is not None and high is not None and low > high:
        message = "The greater height comes second."
        found.append(FieldProblem("care.height_max_cm", "below_min", message))
    return found


def suitability(species: Species, zone: int) -> Suitability:
    """Whether the species survives the winter, and bears the summer, outdoors in `zone`."""
    name, asked = species.scientific_name, format_zone(zone)
    low, high = species.zone_min, species.zone_max
    if low is None or high is None:
        return Suitability(None, asked, f"We do not know in which zones {name} grows.")
    span = f"{format_zone(low)} to {format_zone(high)}"
    if zone < low:
        message = f"{name} grows in zones {span}; zone {asked} is too cold. Keep it indoors."
        return Suitability(zone=asked, suitable=False, message=message)
    if zone > high:
        message = f"{name} grows in zones {span}; zone {asked} is too warm for it."
        return Suitability(zone=asked, suitable=False, message=message)
    message = f"{name} grows outdoors in zone {asked} (zones {span})."
    return Suitability(zone=asked, suitable=True, message=message)
