"""Listings like one: by its words and category in the search index, nearest first."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from souk.contexts.listings import api as listings
from souk.contexts.search import api as search

_WANTED = 6
_ASKED = 12
_WORD = re.compile(r"[^\W\d_]{3,}")
_EMPTY = {"used", "new", "the", "and", "for", "with", "set", "der", "die", "das", "und", "pour"}
_MOST_WORDS = 6


def words_of(title: str) -> str:
    """What of a title says what the thing is: no sizes, no filler words."""
    found = [word for word in _WORD.findall(title) if word.casefold() not in _EMPTY]
    return " ".join(found[:_MOST_WORDS])


async def similar_ids(
    engine: search.SearchEngine, document: listings.ListingDocument
) -> list[UUID]:
    """At most six neighbours; none while the index is new.

    First what shares words in the same category, then what shares a telling attribute there, then
    its category, then the one above.
    """
    found: list[UUID] = []
    try:
        for query in _queries(document):
            result = await search.search(engine, query)
            found += [one for one in result.ids if one != document.id and one not in found]
            if len(found) >= _WANTED:
                break
    except search.SearchUnavailable:
        return []
    return found[:_WANTED]


def _queries(document: listings.ListingDocument) -> list[search.SearchQuery]:
    path = document.category_path
    leaf = document.category_id
    text = words_of(document.title)
    asked: list[search.SearchQuery] = []

    def ask(**more: Any) -> None:
        asked.append(search.SearchQuery(size=_ASKED, facets=False, **more))

    if text:
        ask(text=text, category_id=leaf)
    brand = document.attributes.get("brand")
    if isinstance(brand, str) and brand:
        ask(category_id=leaf, attributes={"brand": [brand]}, in_stock=True)
    if leaf is not None:
        ask(category_id=leaf, in_stock=True)
    for above in reversed(path[:-1]):
        ask(text=text, category_id=above) if text else ask(category_id=above, in_stock=True)
        ask(category_id=above, in_stock=True, sort=search.Sort.POPULAR)
    return asked
