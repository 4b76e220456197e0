"""A query's words and filters as index queries, with a bound on how much each can match.

Nothing that a person typed is parsed as query syntax: queries are built from terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tantivy import FieldType, Occur, Query, Schema, Searcher

from souk.contexts.search.adapters.embedded import analysis
from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.domain import MAX_PRICE, NumberRange, SearchQuery

ATTRIBUTE, NUMBER = "attribute:", "number:"


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition, and the most documents that can meet it."""

    query: Query
    most: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """A word that may stand for the one asked, and how much its matches count, up to 1."""

    word: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Criteria:
    """What hits must meet: `text` scores, `filters` (by facet code) do not.

    `titles` is `text` asked of the title alone; hits need not meet it.
    """

    text: tuple[Clause, ...]
    filters: dict[str, Clause] = field(default_factory=dict[str, Clause])
    titles: tuple[Clause, ...] = ()

    def most(self, documents: int, *, without: str | None = None) -> int:
        """No more hits than this, `documents` being all there are."""
        bounds = [clause.most for clause in self._clauses(without)]
        return min([documents, *bounds])

    def query(
        self, *also: Query, without: str | None = None, better: Sequence[Query] = ()
    ) -> Query:
        """All conditions but the filter `without`, and `also`; hits of `better` score more."""
        parts = [(Occur.Must, clause.query) for clause in self.text]
        parts += [
            (Occur.Must, Query.const_score_query(clause.query, 0.0))
            for code, clause in self.filters.items()
            if code != without
        ]
        parts += [(Occur.Must, Query.const_score_query(query, 0.0)) for query in also]
        if not parts and not better:
            return Query.all_query()
        if not better and len(parts) == 1:
            return parts[0][1]
        if not parts:
            parts.append((Occur.Must, Query.all_query()))
        return Query.boolean_query([*parts, *((Occur.Should, query) for query in better)])

    def _clauses(self, without: str | None) -> list[Clause]:
        kept = [clause for code, clause in self.filters.items() if code != without]
        return [*self.text, *kept]


class Matching:
    """Builds clauses against one state of the index; `sample` is its sample of the listings."""

    def __init__(self, schema: Schema, searcher: Searcher, sample: Searcher) -> None:
        self.schema = schema
        self.searcher = searcher
        self.sample = sample
        self.number_codes = _number_codes(searcher)
        self._number_codes = frozenset(self.number_codes)

    def has_number(self, code: str) -> bool:
        """Whether some document has a number for attribute `code`."""
        return code in self._number_codes

    def term(self, name: str, value: str) -> Clause:
        """Documents whose `name` has exactly `value`."""
        query = Query.term_query(self.schema, name, value, index_option="basic")
        return Clause(query, self.searcher.doc_freq(name, value))

    def any_term(self, name: str, values: Iterable[str]) -> Clause:
        """Documents whose `name` has one of `values`."""
        clauses = [self.term(name, value) for value in dict.fromkeys(values)]
        if len(clauses) == 1:
            return clauses[0]
        parts = [(Occur.Should, clause.query) for clause in clauses if clause.most]
        query = Query.boolean_query(parts) if parts else Query.empty_query()
        return Clause(query, sum(clause.most for clause in clauses))

    def frequency(self, word: str) -> int:
        """How many documents have `word` as it stands."""
        return self.searcher.doc_freq("plain", word)

    def word(self, alternatives: Sequence[Alternative]) -> Clause:
        """Documents with any form of any alternative."""
        boosts: dict[str, float] = {}
        for alternative in alternatives:
            for stem in analysis.variants(alternative.word):
                boosts[stem] = max(alternative.boost, boosts.get(stem, 0.0))
        parts: list[Query] = []
        most = 0
        for stem, boost in boosts.items():
            frequency = self.searcher.doc_freq("text", stem)
            if not frequency:
                continue
            query = Query.term_query(self.schema, "text", stem, index_option="freq")
            parts.append(query if boost == 1.0 else Query.boost_query(query, boost))
            most += frequency
        if len(parts) == 1:
            return Clause(parts[0], most)
        shoulds = [(Occur.Should, part) for part in parts]
        return Clause(Query.boolean_query(shoulds) if parts else Query.empty_query(), most)

    def all_of(
        self, asked: Sequence[Sequence[Alternative]], filters: dict[str, Clause]
    ) -> Criteria:
        """Documents with some alternative of every word that pass the filters."""
        titles = [
            [stem for one in alternatives for stem in analysis.variants(one.word)]
            for alternatives in asked
        ]
        return Criteria(
            tuple(self.word(alternatives) for alternatives in asked),
            filters,
            tuple(self.any_term("title_stems", stems) for stems in titles),
        )

    def some_of(self, clauses: Sequence[Clause], *, least: int) -> Clause:
        """Documents that meet at least `least` of the clauses."""
        query = Query.boolean_query(
            [(Occur.Should, clause.query) for clause in clauses],
            minimum_number_should_match=least,
        )
        return Clause(query, sum(clause.most for clause in clauses))

    def filters(self, query: SearchQuery) -> dict[str, Clause]:
        """The clause of each filter that is set, by facet code."""
        found: dict[str, Clause] = {}
        if query.category_id is not None:
            found["category"] = self.term("category", query.category_id.hex)
        if query.seller_ids:
            found["seller"] = self.any_term("seller", (one.hex for one in query.seller_ids))
        if query.kinds:
            found["kind"] = self.any_term("kind", query.kinds)
        if query.in_stock is not None:
            found["in_stock"] = self.term("stock", str(query.in_stock).lower())
        if query.rating_min is not None:
            least = fields.rating_units(query.rating_min)
            found["rating"] = self._between("rating", least, None)
        if query.price_min is not None or query.price_max is not None:
            found["price"] = self._price(query.price_min, query.price_max)
        for code, values in query.attributes.items():
            if values:
                terms = (fields.attribute_term(code, value) for value in values)
                found[ATTRIBUTE + code] = self.any_term("attribute", terms)
        for code, between in query.ranges.items():
            found[NUMBER + code] = self._numbers(code, between)
        return found

    def tail(self, order: str, key: int, *, below: bool) -> Query:
        """Documents that come no later in `order` than one with `key`, and a few more."""
        step = key >> fields.ORDERS[order]
        low, high = (0, step) if below else (step, None)
        return Query.range_query(
            self.schema,
            fields.coarse(order),
            FieldType.Unsigned,
            low,
            high,
            use_inverted_index=True,
        )

    def _price(self, low: int | None, high: int | None) -> Clause:
        if low is not None and low > MAX_PRICE:
            return Clause(Query.empty_query(), 0)
        return self._between("price", low, None if high is None else min(high, MAX_PRICE))

    def _between(self, name: str, low: int | None, high: int | None) -> Clause:
        query = Query.range_query(self.schema, name, FieldType.Unsigned, low or 0, high)
        return Clause(query, self.searcher.num_docs)

    def _numbers(self, code: str, between: NumberRange) -> Clause:
        """Attribute values are terms: those inside the range are picked from the dictionary."""
        prefix = f"{code}{fields.SEPARATOR}"
        low = float("-inf") if between.min is None else between.min
        high = float("inf") if between.max is None else between.max
        terms = [
            term
            for term, _ in self.searcher.terms_with_prefix("number", prefix)
            if low <= float(term[len(prefix) :]) <= high
        ]
        return self.any_term("number", terms) if terms else Clause(Query.empty_query(), 0)


def aggregate(searcher: Searcher, query: Query, wanted: dict[str, Any]) -> dict[str, Any]:
    """The engine's aggregations over the hits of `query`: Elasticsearch's form in and out."""
    # The bindings declare bare dictionaries.
    return cast("Any", searcher).aggregate(query, wanted)


def _number_codes(searcher: Searcher) -> list[str]:
    """The codes of numeric attributes, those of most documents first."""
    documents: dict[str, int] = {}
    for term, frequency in searcher.terms_with_prefix("number", ""):
        code = term.partition(fields.SEPARATOR)[0]
        documents[code] = documents.get(code, 0) + frequency
    return sorted(documents, key=lambda code: (-documents[code], code))
