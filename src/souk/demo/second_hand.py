"""Used copies of products of the catalogue, sold once each by two private people."""

from __future__ import annotations

import random

import msgspec

from souk.contexts.listings.importing.drafts import Kind, VariantDraft
from souk.contexts.listings.importing.text import description_html
from souk.demo.model import ListingSpec
from souk.kernel.money import Money

# Share of the new price in basis points, and what the grade means in words.
_GRADES = {
    "like_new": (7_500, "Used twice, no marks."),
    "good": (6_000, "Light traces of use that do not show from a step away."),
    "fair": (4_500, "Used and looked after. Some scratches."),
    "poor": (3_000, "Worn, and everything works."),
}
_NOTES = {
    "footwear": "Worn for one season on dry paths; the soles are good for years.",
    "climbing": "Never fallen into. Comes from a smoke-free gear cupboard.",
    "ski-and-board": "Edges ground and base waxed in November.",
    "bags": "One buckle was replaced by a better one.",
    "navigation": "Battery holds a full day. With cable.",
    "trekking": "Has seen the Karwendel once.",
    "jackets": "Washed and proofed again.",
    "cycling": "Taken off a bicycle that was sold.",
    "coffee-machines": "Descaled every two months, last week for the last time.",
    "air-fryers": "The basket has a scratch, the coating is whole.",
    "blenders": "Blade sharp, lid tight.",
    "kettles": "A trace of lime that vinegar will take.",
    "toasters": "Crumb tray emptied, I promise.",
}
_LOCATIONS = {
    "marta-second-life": "Wien, 7. Bezirk",
    "joost-spullen": "Utrecht, Oudegracht",
}
_KITCHEN = ("coffee-machines", "air-fryers", "blenders", "kettles", "toasters")


def listings(new: list[ListingSpec], rng: random.Random) -> list[ListingSpec]:
    """Twenty-four one-offs: outdoor things from Vienna, kitchen machines from Utrecht."""
    outdoor = [spec for spec in new if spec.category in _NOTES and spec.category not in _KITCHEN]
    kitchen = [spec for spec in new if spec.category in _KITCHEN]
    chosen = [("marta-second-life", spec) for spec in rng.sample(outdoor, 14)]
    chosen += [("joost-spullen", spec) for spec in rng.sample(kitchen, min(10, len(kitchen)))]
    grades = list(_GRADES)
    return [
        _used(spec, seller, grades[place % len(grades)])
        for place, (seller, spec) in enumerate(chosen)
    ]


def _used(spec: ListingSpec, seller: str, grade: str) -> ListingSpec:
    share, meaning = _GRADES[grade]
    variant = spec.draft.variants[-1]
    price = variant.price
    if price is None:
        raise ValueError(f"{spec.draft.title} has no price to start from")
    whole = Money(max(100, price.share(share).amount // 100 * 100), price.currency)
    note = f"{meaning} {_NOTES[spec.category]}"
    size = "".join(f" {name}: {value}." for name, value in variant.options.items())
    draft = msgspec.structs.replace(
        spec.draft,
        external_id=f"used-{spec.draft.external_id}",
        title=f"{spec.draft.title}, used",
        description_html=description_html(f"{note}{size}\n\nNew price: {price}.")
        + spec.draft.description_html,
        kind=Kind.SECONDHAND,
        tags=[*spec.draft.tags, "second-hand"],
        variants=[VariantDraft(f"USED-{variant.sku}"[:60], {}, whole, None, 1, variant.weight_g)],
        condition=grade,
    )
    return ListingSpec(
        draft, spec.category, seller, spec.photos, spec.attributes,
        location=_LOCATIONS[seller], note=note,
    )  # fmt: skip
