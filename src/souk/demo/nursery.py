"""Plants for sale: one listing per species, in the sizes that its kind is sold in."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from souk.contexts.listings.importing.drafts import ImageRef, ProductDraft, VariantDraft
from souk.contexts.listings.importing.text import description_html
from souk.demo.drawings import plant
from souk.demo.model import AttributeValue, ListingSpec, PhotoSpec, SpeciesSpec
from souk.demo.plants import CROPS
from souk.demo.taxonomy import PLANT_TYPES
from souk.kernel.money import Money

# Kind → (pot, cents, grams) from small to large.
_POTS = {
    "trees": (("3 L pot", 2490, 3500), ("10 L pot", 5490, 9500), ("25 L pot", 12900, 21000)),
    "shrubs": (("2 L pot", 1290, 2300), ("5 L pot", 2490, 5400)),
    "perennials": (("9 cm pot", 390, 500), ("2 L pot", 890, 2200)),
    "grasses": (("9 cm pot", 350, 500), ("2 L pot", 790, 2200)),
    "annuals": (("Seeds, 1 g", 290, 20), ("6 young plants", 690, 900)),
    "climbers": (("2 L pot", 1490, 2400), ("5 L pot", 2790, 5600)),
}
_FRUIT = (("2 L pot", 1890, 2400), ("5 L pot", 3490, 5600))
_SELLERS = {
    "trees": "arboretum-kessler", "shrubs": "arboretum-kessler", "climbers": "arboretum-kessler",
    "perennials": "jardim-atlantico", "grasses": "jardim-atlantico", "annuals": "jardim-atlantico",
}  # fmt: skip
_WATER = {
    "none": "Needs no watering once it has rooted.",
    "low": "Needs little water once it has rooted.",
    "moderate": "Wants water when the top of the soil is dry.",
}


def listings(
    species: Sequence[SpeciesSpec], photos: dict[str, PhotoSpec], rng: random.Random
) -> list[ListingSpec]:
    """Species with enough known about them, and every photographed crop."""
    crops = {crop.latin: crop.name for crop in CROPS}
    return [
        _listing(spec, crops.get(spec.scientific_name, ""), photos, rng)
        for spec in species
        if spec.scientific_name in crops or _sellable(spec)
    ]


def _sellable(spec: SpeciesSpec) -> bool:
    """A nursery sells a species or a cultivar by name, not `spp.`, and knows how to grow it."""
    named = not spec.scientific_name.endswith(("spp", "sp."))
    return named and bool(spec.water and spec.bloom and spec.light and spec.height_min_cm)


def _listing(
    spec: SpeciesSpec, crop_name: str, photos: dict[str, PhotoSpec], rng: random.Random
) -> ListingSpec:
    kind = PLANT_TYPES[spec.plant_type]
    name = crop_name or spec.common_names[0]
    category = "fruit-and-crops" if crop_name else kind
    pots = _FRUIT if crop_name else _POTS[kind]
    slug = re.sub(r"[^a-z0-9]+", "-", spec.scientific_name.casefold()).strip("-")
    # Long enough to tell subspecies apart, short enough for a label.
    code = "-".join(part[:6] for part in slug.upper().split("-")[:5])
    rate = rng.randrange(9_000, 12_500, 500)
    variants = [
        VariantDraft(
            f"{code}-{place}", {"Size": pot},
            Money(Money(cents, "EUR").share(rate).amount // 10 * 10, "EUR"),
            stock=rng.choice((0, 3, 6, 12, 25, 40)) if place > 1 else rng.randrange(4, 60),
            weight_g=grams,
        )
        for place, (pot, cents, grams) in enumerate(pots, 1)
    ]  # fmt: skip
    photo = photos.get(spec.scientific_name) or PhotoSpec(
        f"{slug}.svg", f"Drawing of {name} ({spec.scientific_name})", svg=plant(spec)
    )
    draft = ProductDraft(
        external_id=f"plant-{slug}",
        title=f"{name} ({spec.scientific_name})",
        description_html=description_html(describe(spec, name)),
        category_path=["Plants"],
        tags=[spec.family.casefold(), *spec.wildlife[:3]],
        variants=variants,
        images=[ImageRef(photo.name, photo.alt, 1)],
        publish=True,
    )
    seller = "orangerie-valmer" if crop_name else _SELLERS[kind]
    return ListingSpec(
        draft, category, seller, [photo], attributes_of(spec),
        species=spec.scientific_name,
    )  # fmt: skip


def describe(spec: SpeciesSpec, name: str) -> str:
    """Paragraphs from the data, and nothing that the data does not say."""
    others = [other for other in spec.common_names if other.casefold() != name.casefold()]
    first = f"{name} ({spec.scientific_name}), {_article(spec.plant_type)}"
    first += f" of the family {spec.family}."
    if others:
        first += f" Also called {', '.join(others[:3])}."
    facts: list[str] = []
    if spec.height_max_cm:
        facts.append(f"Grows {_metres(spec.height_min_cm)} to {_metres(spec.height_max_cm)} tall.")
    elif spec.height_min_cm:
        facts.append(f"Grows taller than {_metres(spec.height_min_cm)}.")
    if spec.bloom:
        colour = f" {' and '.join(spec.flower_colours)}" if spec.flower_colours else ""
        facts.append(f"Flowers{colour} in {' and '.join(spec.bloom)}.")
    if spec.light:
        facts.append(f"Stands in {' or '.join(spec.light)}.")
    facts.append(_WATER.get(spec.water, ""))
    facts.append(f"Hardy in USDA zones {spec.zone_min} to {spec.zone_max}."
                 if spec.zone_min != spec.zone_max
                 else f"Grown in USDA zone {spec.zone_min}.")  # fmt: skip
    if spec.wildlife:
        facts.append(f"Visited by {', '.join(spec.wildlife)}.")
    paragraphs = [first, " ".join(fact for fact in facts if fact), spec.notes]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _article(plant_type: str) -> str:
    kind, _, leaf = plant_type.casefold().partition(" (")
    words = f"{leaf.rstrip(')')} {kind}".strip()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _metres(centimetres: int) -> str:
    return f"{centimetres} cm" if centimetres < 100 else f"{centimetres / 100:g} m"


def attributes_of(spec: SpeciesSpec) -> dict[str, AttributeValue]:
    """The plant attributes of the category tree, from what is known."""
    found: dict[str, AttributeValue] = {
        "zone": spec.zone_min,
        "evergreen": "evergreen" in spec.plant_type,
    }
    if spec.water:
        found["water"] = spec.water
    if spec.height_max_cm or spec.height_min_cm:
        found["height"] = spec.height_max_cm or spec.height_min_cm
    several = {
        "light": spec.light,
        "bloom": spec.bloom,
        "soil": spec.soil,
        "flower_colour": spec.flower_colours,
        "wildlife": spec.wildlife,
    }
    return found | {code: values for code, values in several.items() if values}
