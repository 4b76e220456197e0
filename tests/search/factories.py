"""Listings for search tests."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from souk.contexts.search.api import SearchDocument
from souk.kernel.ids import uuid7

PLANTS, INDOOR, OUTDOOR, BOOKS = (UUID(int=n) for n in (1, 11, 12, 2))
PATHS: list[tuple[list[UUID], list[str]]] = [
    ([PLANTS, INDOOR], ["Plants", "Indoor"]),
    ([PLANTS, OUTDOOR], ["Plants", "Outdoor"]),
    ([BOOKS], ["Books"]),
]
SELLERS = [UUID(int=100 + n) for n in range(4)]
NOUNS = ["fern", "orchid", "cactus", "lavender", "maple", "basil", "monstera", "clover"]
MODIFIERS = ["green", "tall", "dwarf", "hardy", "silver", "potted"]
STARTED = datetime(2025, 3, 1, tzinfo=UTC)


def document(title: str, **changes: Any) -> SearchDocument:
    """A listing with sensible values but for what is given."""
    given: dict[str, Any] = {
        "listing_id": uuid7(),
        "seller_id": SELLERS[0],
        "seller_name": "Thornbury",
        "title": title,
        "kind": "goods",
        "price": 1_200,
        "currency": "EUR",
        "published_at": STARTED,
        "category_ids": PATHS[0][0],
        "category_names": PATHS[0][1],
    }
    return SearchDocument(**given | changes)


def random_documents(count: int, *, seed: int) -> list[SearchDocument]:
    """Listings that share few words and values, so that filters and counts overlap."""
    chance = random.Random(seed)
    made: list[SearchDocument] = []
    for number in range(count):
        ids, names = chance.choice(PATHS)
        seller = chance.randrange(len(SELLERS))
        attributes: dict[str, Any] = {"colour": chance.sample(["red", "blue", "white"], k=2)}
        if chance.random() < 0.7:
            attributes["height"] = float(chance.randrange(10, 60, 5))
        if chance.random() < 0.5:
            attributes["scented"] = chance.random() < 0.5
        made.append(
            document(
                f"{chance.choice(MODIFIERS)} {chance.choice(NOUNS)} {number}",
                listing_id=UUID(int=chance.getrandbits(128)),
                seller_id=SELLERS[seller],
                seller_name=f"Grower{seller}",
                category_ids=ids,
                category_names=names,
                kind=chance.choice(["goods", "digital", "secondhand"]),
                price=chance.randrange(100, 2_000, 50),
                rating=chance.choice([None, 2.5, 3.0, 4.2, 4.8]),
                rating_count=chance.randrange(30),
                in_stock=chance.random() < 0.7,
                attributes=attributes,
                description_text=chance.choice(["", "for a sunny window", "likes shade"]),
                published_at=STARTED + timedelta(hours=chance.randrange(200)),
                popularity=float(chance.randrange(50)),
            )
        )
    return made
