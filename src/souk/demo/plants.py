"""Species from the San Francisco plant list and the crop photographs, with OpenFarm's names.

SF_Plant_List.json says how 331 plants grow in San Francisco; openfarm_crops.csv has common names.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from pathlib import Path

import msgspec

from souk.demo.hardiness import SAN_FRANCISCO, ZONES, zones_of
from souk.demo.model import PhotoSpec, SpeciesSpec

DATA = Path(__file__).parent / "data"
_LIST = "Plants of San Francisco, from Open-Plant-Schema (BSD)"
_SEPARATORS = re.compile(r"\s*[;,:]\s*")
_HEIGHTS_CM = {
    "<1ft": (0, 30), ">1ft": (30, 90), "1-3ft": (30, 90), "4-6ft": (120, 180),
    "7-12ft": (210, 370), "13-24ft": (400, 730), ">24ft": (730, 0),
}  # fmt: skip
_WATER = {"Low": "low", "None": "none", "Moderate": "moderate"}
_SLIPS = {"humminbirds": "hummingbirds", "bird": "birds", "yellos": "yellow"}
_FAMILIES = {"Achillea millefolium": "Asteraceae"}
"""Slips of the pen in the list."""
_SEASONS = ("spring", "summer", "fall", "winter")


class _Plant(msgspec.Struct, rename={
    "latin": "Latin_Name", "common": "Common_Name", "family": "Family_Name",
    "former": "Former_Latin_Name", "plant_type": "Plant_Type", "bloom": "Bloom_Time",
    "colours": "Flower_Color", "size": "Size_at_Maturity", "sites": "Suitable_Site_Conditions",
    "soil": "Soil_Type", "water": "Water_Needs", "wildlife": "Associated_Wildlife",
    "notes": "Additional_Characteristices___Notes",
}):  # fmt: skip
    latin: str
    common: str
    family: str
    former: str
    plant_type: str
    bloom: str
    colours: str
    size: str
    sites: str
    soil: str
    water: str
    wildlife: str
    notes: str


class _Crop(msgspec.Struct, frozen=True):
    """What a gardener has to know about a photographed crop."""

    photo: str
    latin: str
    name: str
    family: str
    plant_type: str
    water: str
    light: list[str]
    bloom: list[str]
    height_cm: tuple[int, int]
    notes: str


CROPS = [
    _Crop("olive", "Olea europaea", "Olive", "Oleaceae", "Tree (evergreen)", "low", ["sun"],
          ["spring"], (400, 1000), "Fruits on last year's wood; most varieties need a partner."),
    _Crop("mango", "Mangifera indica", "Mango", "Anacardiaceae", "Tree (evergreen)", "moderate",
          ["sun"], ["winter"], (1000, 3000), "Grafted trees fruit early and stay lower."),
    _Crop("guava", "Psidium guajava", "Guava", "Myrtaceae", "Tree (evergreen)", "moderate",
          ["sun"], ["spring", "summer"], (300, 800), "Self-fertile; fruits in a large pot."),
    _Crop("lime", "Citrus aurantiifolia", "Key lime", "Rutaceae", "Shrub (evergreen)", "moderate",
          ["sun"], ["spring", "fall"], (200, 500), "Keep above 5 °C; flowers smell all year."),
    _Crop("coconut", "Cocos nucifera", "Coconut palm", "Arecaceae", "Tree (evergreen)", "moderate",
          ["sun"], [], (1500, 3000), "A house plant for two or three years outside the tropics."),
    _Crop("cacao", "Theobroma cacao", "Cacao", "Malvaceae", "Tree (evergreen)", "moderate",
          ["part shade"], ["summer"], (400, 800), "Flowers on the trunk; wants humid air."),
    _Crop("brazil_nut", "Bertholletia excelsa", "Brazil nut", "Lecythidaceae", "Tree (evergreen)",
          "moderate", ["sun"], ["winter"], (3000, 5000), "For botanical gardens and the patient."),
    _Crop("ananas", "Ananas comosus", "Pineapple", "Bromeliaceae", "Perennial", "low", ["sun"],
          [], (60, 150), "One fruit after two to three years, then offsets."),
    _Crop("apple", "Malus domestica", "Apple", "Rosaceae", "Tree (deciduous)", "moderate",
          ["sun"], ["spring"], (200, 900), "Needs a second variety in flower at the same time."),
    _Crop("plum", "Prunus domestica", "Plum", "Rosaceae", "Tree (deciduous)", "moderate", ["sun"],
          ["spring"], (300, 600), "Thin the fruit in June and the branches stay whole."),
    _Crop("persimmon", "Diospyros kaki", "Persimmon", "Ebenaceae", "Tree (deciduous)", "moderate",
          ["sun"], ["summer"], (400, 1000), "Fruit colours after the leaves have fallen."),
    _Crop("grape", "Vitis vinifera", "Grape vine", "Vitaceae", "Vine", "low", ["sun"],
          ["summer"], (300, 1000), "Prune hard in winter: fruit grows on this year's shoots."),
    _Crop("raspberry", "Rubus idaeus", "Raspberry", "Rosaceae", "Shrub (deciduous)", "moderate",
          ["sun", "part shade"], ["summer"], (120, 200), "Cut out the canes that have fruited."),
    _Crop("blueberry", "Vaccinium corymbosum", "Highbush blueberry", "Ericaceae",
          "Shrub (deciduous)", "moderate", ["sun", "part shade"], ["spring"], (120, 250),
          "Acid soil only, pH 4 to 5; two varieties fruit better than one."),
    _Crop("sweet_pepper", "Capsicum annuum", "Sweet pepper", "Solanaceae", "Annual", "moderate",
          ["sun"], ["summer"], (40, 90), "Green first, then red and sweeter."),
    _Crop("sisal", "Agave sisalana", "Sisal", "Asparagaceae", "Perennial", "none", ["sun"], [],
          (100, 200), "Flowers once after many years, then dies and leaves bulbils."),
    _Crop("jojoba", "Simmondsia chinensis", "Jojoba", "Simmondsiaceae", "Shrub (evergreen)",
          "none", ["sun"], ["spring"], (100, 300), "Male and female plants; buy three."),
]  # fmt: skip


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(p.strip() for p in _SEPARATORS.split(text) if p.strip()))


def _clean(text: str) -> str:
    """One line; the list's damaged apostrophes and letters are put back."""
    repaired = text.replace("Lavall\ufffde", "Lavallée").replace("\ufffd", "’")
    return " ".join(repaired.split())


def _seasons(text: str) -> list[str]:
    found = {part.casefold() for part in _parts(text)}
    return list(_SEASONS) if "year round" in found else [s for s in _SEASONS if s in found]


def _known(text: str) -> list[str]:
    folded = (part.casefold() for part in _parts(text) if part not in {"NA", "No data"})
    return list(dict.fromkeys(_SLIPS.get(part, part) for part in folded))


def openfarm_names() -> dict[str, list[str]]:
    """Scientific name → up to four common names, the shortest first."""
    raw = gzip.decompress((DATA / "plants/openfarm_crops.csv.gz").read_bytes())
    names: dict[str, dict[str, str]] = {}
    for row in csv.reader(io.StringIO(raw.decode("utf-8", errors="replace"), newline="")):
        if len(row) > 1 and row[1]:
            known = names.setdefault(row[0], {})
            for name in row[1].split(","):
                if 2 < len(name.strip()) <= 40:
                    known.setdefault(name.strip().casefold(), name.strip())
    return {latin: sorted(known.values(), key=len)[:4] for latin, known in names.items()}


def _from_list(plant: _Plant, other_names: list[str]) -> SpeciesSpec:
    latin = _clean(plant.latin)
    low, high = zones_of(latin)
    heights = _HEIGHTS_CM.get(plant.size.replace(" ", ""), (0, 0))
    common = [_clean(name) for name in re.split(r"[;/]", plant.common)]
    names: dict[str, str] = {}
    for name in (*common, *other_names):
        if name:
            names.setdefault(name.casefold(), name)
    soil = [part for part in _known(plant.soil) if part != "sun"]
    return SpeciesSpec(
        scientific_name=latin,
        common_names=list(names.values()),
        family=_FAMILIES.get(latin) or _clean(plant.family).split(" ")[0],
        plant_type=plant.plant_type,
        zone_min=low,
        zone_max=high,
        water=_WATER.get(plant.water, ""),
        light=_known(plant.sites),
        bloom=_seasons(plant.bloom),
        flower_colours=_known(plant.colours),
        height_min_cm=heights[0],
        height_max_cm=heights[1],
        soil=["clay", "loam", "sand", "rock"] if soil == ["all"] else soil,
        wildlife=_known(plant.wildlife),
        notes=_clean(plant.notes),
        source=_LIST,
    )


def species() -> list[SpeciesSpec]:
    """Every species, by scientific name: the list's 331 and the photographed crops."""
    names = openfarm_names()
    plants = msgspec.json.decode(
        (DATA / "plants/SF_Plant_List.json").read_bytes(), type=list[_Plant]
    )
    found = {
        spec.scientific_name: spec
        for plant in plants
        for spec in [_from_list(plant, names.get(_clean(plant.latin), []))]
    }
    for crop in CROPS:
        if crop.latin not in found:
            found[crop.latin] = _from_crop(crop, names.get(crop.latin, []))
    return sorted(found.values(), key=lambda spec: spec.scientific_name)


def _from_crop(crop: _Crop, other_names: list[str]) -> SpeciesSpec:
    low, high = ZONES.get(crop.latin, SAN_FRANCISCO)
    known = {crop.name.casefold(): crop.name}
    for name in other_names:
        known.setdefault(name.casefold(), name)
    return SpeciesSpec(
        crop.latin, list(known.values()), crop.family, crop.plant_type, low, high, crop.water,
        crop.light, crop.bloom, [], crop.height_cm[0], crop.height_cm[1], notes=crop.notes,
        source="OpenFarm (MIT) and general horticultural knowledge",
    )  # fmt: skip


def photos() -> dict[str, PhotoSpec]:
    """Scientific name → the photograph of that crop with its credit."""
    folder = DATA / "plant-photos"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["file"].partition(".")[0]: row for row in csv.DictReader(stream)}
    return {
        crop.latin: PhotoSpec(
            name=f"{crop.photo}.jpg",
            path=folder / f"{crop.photo}.jpg",
            alt=f"{crop.name} ({crop.latin})",
            author=rows[crop.photo]["author"],
            licence=rows[crop.photo]["licence"],
            source=rows[crop.photo]["source"],
        )
        for crop in CROPS
    }
