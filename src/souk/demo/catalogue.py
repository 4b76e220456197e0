"""The whole demo marketplace from the data files, the same for the same seed."""

from __future__ import annotations

import random

from souk.demo import digital, nursery, plants, second_hand, shops
from souk.demo.model import Demo
from souk.demo.people import SELLERS, buyers
from souk.demo.taxonomy import CATEGORIES

SEED = 20_260_105


def load(*, seed: int = SEED) -> Demo:
    """Read and shape everything; takes about a second. Prices are in euros."""
    rng = random.Random(seed)  # noqa: S311  variety, not secrets
    species = plants.species()
    outdoor = shops.eshop(rng)
    appliances = shops.spree()
    goods = [
        *outdoor,
        *appliances,
        *shops.saleor(rng),
        *shops.packt(),
        *nursery.listings(species, plants.photos(), rng),
    ]
    return Demo(
        categories=CATEGORIES,
        species=species,
        sellers=SELLERS,
        buyers=buyers(),
        listings=[
            *goods,
            *digital.listings(species),
            *second_hand.listings([*outdoor, *appliances], rng),
        ],
    )
