"""The whole demo marketplace from the data files, the same for the same seed."""

from __future__ import annotations

import random

import msgspec

from souk.contexts.listings.importing.drafts import ImageRef
from souk.demo import digital, nursery, plants, second_hand, shops
from souk.demo.drawings import thing
from souk.demo.model import Demo, ListingSpec, PhotoSpec
from souk.demo.people import SELLERS, buyers
from souk.demo.taxonomy import CATEGORIES

SEED = 20_260_105


def load(*, seed: int = SEED) -> Demo:
    """Read and shape everything; takes about a second. Prices are in euros."""
    rng = random.Random(seed)  # noqa: S311  variety, not secrets
    species = plants.species()
    outdoor = shops.eshop(rng)
    appliances = [_illustrated(spec) for spec in shops.spree()]
    goods = [
        *outdoor,
        *appliances,
        *(_illustrated(spec) for spec in (*shops.saleor(rng), *shops.packt())),
        *nursery.listings(species, plants.photos(), rng),
    ]
    return Demo(
        categories=CATEGORIES,
        species=species,
        sellers=SELLERS,
        buyers=buyers(),
        listings=[
            *map(_stocked, goods),
            *digital.listings(species),
            *second_hand.listings([*outdoor, *appliances], rng),
        ],
    )


def _stocked(spec: ListingSpec) -> ListingSpec:
    """With something in stock, since nothing can be put on sale without."""
    first, *others = spec.draft.variants
    if first.stock is None or any(variant.stock for variant in spec.draft.variants):
        return spec
    first = msgspec.structs.replace(first, stock=4)
    draft = msgspec.structs.replace(spec.draft, variants=[first, *others])
    return msgspec.structs.replace(spec, draft=draft)


def _illustrated(spec: ListingSpec) -> ListingSpec:
    """With a drawing, for goods whose source has no picture that may be copied."""
    draft = spec.draft
    colours = " ".join(value for variant in draft.variants for value in variant.options.values())
    drawing = PhotoSpec(
        f"{draft.external_id}.svg",
        f"Drawing of {draft.title}",
        svg=thing(spec.category, draft.title, hint=f"{' '.join(draft.tags[:3])} {colours}"),
    )
    return msgspec.structs.replace(
        spec,
        photos=[drawing],
        draft=msgspec.structs.replace(draft, images=[ImageRef(drawing.name, drawing.alt, 1)]),
    )
