"""Search done the plain way: what any engine's answer must agree with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from souk.contexts.search.api import SearchDocument, SearchQuery
from souk.contexts.search.text import words

Check = Callable[[SearchDocument], bool]


def _choices(listing: SearchDocument, code: str) -> list[str]:
    value = listing.attributes.get(code)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    return [value] if isinstance(value, str) else value


def _in_range(listing: SearchDocument, code: str, low: float | None, high: float | None) -> bool:
    value = listing.attributes.get(code)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def checks(query: SearchQuery) -> dict[str, Check]:
    """Each filter that is set, by facet code."""
    found: dict[str, Check] = {}
    if query.category_id is not None:
        found["category"] = lambda one: query.category_id in one.category_ids
    if query.seller_ids:
        found["seller"] = lambda one: one.seller_id in query.seller_ids
    if query.kinds:
        found["kind"] = lambda one: one.kind in query.kinds
    if query.in_stock is not None:
        found["in_stock"] = lambda one: one.in_stock == query.in_stock
    if (least := query.rating_min) is not None:
        found["rating"] = lambda one: one.rating is not None and one.rating >= least
    if (low := query.price_min) is not None or query.price_max is not None:
        found["price"] = lambda one: (
            (low or 0) <= one.price and (query.price_max is None or one.price <= query.price_max)
        )
    for code, values in query.attributes.items():
        found[f"attribute:{code}"] = lambda one, code=code, values=values: bool(
            set(values) & set(_choices(one, code))
        )
    for code, between in query.ranges.items():
        found[f"number:{code}"] = lambda one, code=code, between=between: _in_range(
            one, code, between.min, between.max
        )
    return found


def matches(
    listings: Iterable[SearchDocument], query: SearchQuery, *, without: str | None = None
) -> list[SearchDocument]:
    """The listings with every word of the query (no stemming) that pass every filter but one."""
    asked = set(words(query.text))
    kept = [check for code, check in checks(query).items() if code != without]
    return [
        one
        for one in listings
        if asked <= set(words(f"{one.title} {one.description_text}"))
        and all(check(one) for check in kept)
    ]


def facet_counts(listings: list[SearchDocument], query: SearchQuery) -> dict[str, dict[str, int]]:
    """Counts of every facet, each without its own filter; zeros left out."""
    counted: dict[str, dict[str, int]] = {
        "category": Counter(
            category.hex
            for one in matches(listings, query, without="category")
            for category in one.category_ids
        ),
        "seller": Counter(one.seller_id.hex for one in matches(listings, query, without="seller")),
        "kind": Counter(one.kind for one in matches(listings, query, without="kind")),
        "in_stock": Counter(
            str(one.in_stock).lower() for one in matches(listings, query, without="in_stock")
        ),
        "rating": Counter(
            str(stars)
            for one in matches(listings, query, without="rating")
            for stars in range(1, int(one.rating or 0) + 1)
        ),
    }
    for code in {code for one in listings for code in one.attributes}:
        counts = Counter(
            value
            for one in matches(listings, query, without=f"attribute:{code}")
            for value in _choices(one, code)
        )
        if counts:
            counted[code] = counts
    return {code: dict(counts) for code, counts in counted.items() if counts}


def unpaged(query: SearchQuery) -> SearchQuery:
    """The same query as one page."""
    return msgspec.structs.replace(query, page=1, size=100)
