"""What is searched, what is asked and what is answered. Pure."""

from __future__ import annotations

import math
import re
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

from souk.contexts.search.text import encodable, normalised
from souk.kernel.errors import FieldProblem, InvalidInput

MAX_TEXT = 1_000
MAX_SIZE = 100
MAX_DEPTH = 10_000
MAX_CHOICES = 100
MAX_CODES = 10
_PERSONAL_DIGITS, _LONGEST_LOGGED = 6, 100
_CODE = re.compile(r"[a-z0-9_-]{1,80}")
MAX_PRICE = 2**37 - 1

Kind = Literal["goods", "digital", "secondhand"]


class Sort(StrEnum):
    """How hits are ordered. Equal ones follow in an order that is fixed by their ids."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    RATING = "rating"
    POPULAR = "popular"


AttributeValue = str | float | bool | list[str]


class SearchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One listing as the index holds it. `price` is in minor units; `rating` is 0 to 5.

    `category_ids` and `category_names` are the path from the root to the leaf, of equal length.
    `attributes` maps a catalogue attribute's code to its value. `language` is ISO 639-1.
    """

    listing_id: UUID
    seller_id: UUID
    title: str
    kind: str
    price: int
    currency: str
    published_at: datetime
    seller_name: str = ""
    seller_slug: str = ""
    description_text: str = ""
    category_ids: list[UUID] = msgspec.field(default_factory=list[UUID])
    category_names: list[str] = msgspec.field(default_factory=list[str])
    rating: float | None = None
    rating_count: int = 0
    in_stock: bool = True
    attributes: dict[str, AttributeValue] = msgspec.field(default_factory=dict[str, AttributeValue])
    keywords: list[str] = msgspec.field(default_factory=list[str])
    brand: str | None = None
    scientific_name: str | None = None
    common_names: list[str] = msgspec.field(default_factory=list[str])
    popularity: float = 0.0
    language: str = "en"

    def __post_init__(self) -> None:
        if len(self.category_ids) != len(self.category_names):
            raise ValueError("category_ids and category_names must have the same length")
        if not all(_CODE.fullmatch(code) for code in self.attributes):
            raise ValueError("an attribute's code is made of a-z, 0-9, - and _")
        if self.price < 0:
            raise ValueError("a price in the index is never negative")


class NumberRange(msgspec.Struct, frozen=True):
    """Both ends included; None is open."""

    min: float | None = None
    max: float | None = None


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer asks. Empty `text` browses. Values of one filter are alternatives.

    `page` counts from 1. `attributes` and `ranges` are keyed by attribute code.
    """

    text: str = ""
    category_id: UUID | None = None
    seller_ids: list[UUID] = msgspec.field(default_factory=list[UUID])
    kinds: list[Kind] = msgspec.field(default_factory=list[Kind])
    price_min: int | None = None
    price_max: int | None = None
    rating_min: float | None = None
    in_stock: bool | None = None
    attributes: dict[str, list[str]] = msgspec.field(default_factory=dict[str, list[str]])
    ranges: dict[str, NumberRange] = msgspec.field(default_factory=dict[str, NumberRange])
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    size: int = 20
    facets: bool = True


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a facet. `label` is its name where the index knows one.

    `parent` is the value of the category above, None at the root and for other facets.
    """

    value: str
    count: int
    selected: bool
    label: str | None = None
    parent: str | None = None


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """The values among the hits of every filter but this facet's own.

    `kind` is `tree` (category), `choice`, `threshold` (rating: this and better) or `range`, which
    has `min` and `max` instead of buckets. Counts that are not `exact` are estimates.
    """

    code: str
    label_key: str
    kind: Literal["tree", "choice", "threshold", "range"]
    buckets: list[Bucket] = msgspec.field(default_factory=list[Bucket])
    min: float | None = None
    max: float | None = None
    exact: bool = True


class PriceStats(msgspec.Struct, frozen=True):
    """Lowest and highest price in minor units, the price filter itself left out of account."""

    min: int
    max: int


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Ids in order. Counts of very large results are estimates, said by the `exact` fields.

    `corrected` says that the hits are for a corrected spelling, `relaxed` that not every word had
    to match. `did_you_mean` is a spelling that finds more.
    """

    ids: list[UUID]
    total: int
    facets: list[Facet] = msgspec.field(default_factory=list[Facet])
    price: PriceStats | None = None
    did_you_mean: str | None = None
    corrected: bool = False
    relaxed: bool = False
    total_exact: bool = True
    facets_exact: bool = True
    took_ms: float = 0.0


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A completed query, a category or a listing; `id` names the latter two."""

    kind: Literal["query", "category", "listing"]
    text: str
    id: UUID | None = None


class QueryCount(msgspec.Struct, frozen=True):
    """How often a query was run in a period, and how often it found nothing."""

    query: str
    searches: int
    without_results: int


class StaleListing(msgspec.Struct, frozen=True):
    """A listing that the index must read again; `seq` grows each time that it is noted."""

    listing_id: UUID
    seq: int


def loggable(text: str) -> str | None:
    """The form in which a query is counted; None for what may be somebody's personal data.

    People paste addresses and numbers into search boxes: e-mail addresses and long digit
    sequences (telephone, card, order numbers) are not kept, nor are texts too long to be a search.
    """
    digits = sum(character.isdigit() for character in text)
    if "@" in text or digits >= _PERSONAL_DIGITS:
        return None
    query = normalised(text)
    return query if 0 < len(query) <= _LONGEST_LOGGED else None


def checked(query: SearchQuery) -> SearchQuery:
    """The query, fit to be encoded, if it is within bounds; else InvalidInput naming the faults."""
    problems = [*_paging_problems(query), *_filter_problems(query)]
    if len(query.text) > MAX_TEXT:
        problems.append(
            FieldProblem("text", "too_long", f"Search for at most {MAX_TEXT} characters.")
        )
    if problems:
        raise InvalidInput(
            "This search cannot be run. Correct the fields named.", problems=problems
        )
    return msgspec.structs.replace(
        query,
        text=encodable(query.text),
        attributes={
            encodable(code): [encodable(value) for value in values]
            for code, values in query.attributes.items()
        },
        ranges={encodable(code): between for code, between in query.ranges.items()},
    )


def _paging_problems(query: SearchQuery) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    if query.page < 1:
        found.append(FieldProblem("page", "too_small", "Pages are counted from 1."))
    if not 1 <= query.size <= MAX_SIZE:
        found.append(FieldProblem("size", "out_of_range", f"Ask for 1 to {MAX_SIZE} at a time."))
    elif query.page * query.size > MAX_DEPTH:
        found.append(
            FieldProblem(
                "page",
                "too_deep",
                f"Only the first {MAX_DEPTH:,} results can be paged. Narrow the search instead.",
            )
        )
    return found


def _filter_problems(query: SearchQuery) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    for path, price in (("price_min", query.price_min), ("price_max", query.price_max)):
        if price is not None and price < 0:
            found.append(FieldProblem(path, "negative", "A price is never negative."))
    ends = (query.price_min, query.price_max)
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        found.append(FieldProblem("price_max", "empty", "The highest price is below the lowest."))
    if query.rating_min is not None and not 0 <= query.rating_min <= 5:
        found.append(FieldProblem("rating_min", "out_of_range", "Ratings go from 0 to 5."))
    for code, between in query.ranges.items():
        if any(end is not None and not math.isfinite(end) for end in (between.min, between.max)):
            found.append(FieldProblem(f"ranges.{code}", "not_a_number", "Give finite numbers."))
    if len(query.attributes) + len(query.ranges) > MAX_CODES:
        found.append(
            FieldProblem("attributes", "too_many", f"Filter by at most {MAX_CODES} attributes.")
        )
    choices = len(query.seller_ids) + len(query.kinds) + len(query.ranges)
    choices += sum(1 + len(values) for values in query.attributes.values())
    if choices > MAX_CHOICES:
        found.append(
            FieldProblem("attributes", "too_many", f"Choose at most {MAX_CHOICES} filter values.")
        )
    return found


def quality(document: SearchDocument) -> float:
    """How much a hit's text score is multiplied: in stock, popular and well rated ranks up.

    Between 0.5 and 2.0, so that it orders comparable matches and never buries a better one.
    """
    popularity = max(document.popularity, 0.0)
    score = 1.0 if document.in_stock else 0.6
    score *= 1 + 0.4 * (popularity / (popularity + 20)) if math.isfinite(popularity) else 1.4
    if document.rating is not None and document.rating_count > 0:
        trust = document.rating_count / (document.rating_count + 5)
        score *= 1 + 0.05 * trust * (document.rating - 3)
    return min(max(score, 0.5), 2.0)
