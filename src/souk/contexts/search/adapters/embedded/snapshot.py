"""One state of the index, and searches of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from tantivy import DocAddress, Index, Occur, Order, Query, Searcher

from souk.contexts.search.adapters.embedded import ranking
from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.adapters.embedded.facets import Counted, FacetCounter
from souk.contexts.search.adapters.embedded.matching import (
    Alternative,
    Clause,
    Criteria,
    Matching,
    aggregate,
)
from souk.contexts.search.adapters.embedded.vocabulary import Vocabulary
from souk.contexts.search.domain import SearchQuery, SearchResult, Sort, Suggestion
from souk.contexts.search.text import normalised, query_words, words

T = TypeVar("T")
FEW = 3
# More hits than this are not put in order by looking at each.
SCANNED = 60_000
_MUCH_COMMONER = 10
_COMPLETIONS = 12
_SHORTEST_PREFIX = 2
# An answer with its facets has some 60 kB.
_CACHED = 128

_ORDERS = {
    Sort.RELEVANCE: ("by_merit", Order.Desc),
    Sort.NEWEST: ("by_new", Order.Desc),
    Sort.PRICE_ASC: ("by_price", Order.Asc),
    Sort.PRICE_DESC: ("by_price", Order.Desc),
    Sort.RATING: ("by_rating", Order.Desc),
    Sort.POPULAR: ("by_popular", Order.Desc),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """Criteria that found something, their best hits, and how they came about."""

    criteria: Criteria
    hits: list[DocAddress]
    did_you_mean: str | None = None
    corrected: bool = False
    relaxed: bool = False


class _Recent(Generic[T]):
    """The most recently used answers of one commit; safe between threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> T | None:
        with self._lock:
            answer = self._held.get(key)
            if answer is not None:
                self._held.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: T) -> None:
        with self._lock:
            self._held[key] = answer
            if len(self._held) > _CACHED:
                self._held.popitem(last=False)


class Snapshot:
    """Searches one commit of the index; keeps the answers of the most recent queries."""

    def __init__(self, index: Index, sample: Index, vocabulary: Vocabulary | None) -> None:
        self.searcher: Searcher = index.searcher()
        self._matching = Matching(index.schema, self.searcher, sample.searcher())
        self._vocabulary = vocabulary
        self._answers: _Recent[SearchResult] = _Recent()
        self._counts: _Recent[Counted] = _Recent()
        self._suggestions: _Recent[list[Suggestion]] = _Recent()

    def cached(self, query: SearchQuery) -> SearchResult | None:
        """The answer given before to an equal query of this commit."""
        return self._answers.get(_key(query))

    def search(self, query: SearchQuery) -> SearchResult:
        """Run a query that is within bounds."""
        found = self._find(query)
        first = (query.page - 1) * query.size
        ids = self._ids(found.hits[first : first + query.size])
        told: dict[str, Any] = {
            "ids": ids,
            "did_you_mean": found.did_you_mean,
            "corrected": found.corrected,
            "relaxed": found.relaxed,
        }
        if query.facets:
            counted = self._count_facets(query, found.criteria)
            result = SearchResult(
                **told,
                total=counted.total,
                total_exact=counted.total_exact,
                facets=counted.facets,
                facets_exact=counted.exact,
                price=counted.price,
            )
        else:
            result = SearchResult(**told, total=self._count(found.criteria))
        self._answers.put(_key(query), result)
        return result

    def suggest(self, prefix: str, *, limit: int) -> list[Suggestion]:
        """Completed queries, then categories, then listings, at most `limit` in all."""
        typed = words(prefix)[:8]
        if not typed or limit < 1 or len(typed[-1]) < _SHORTEST_PREFIX:
            return []
        key = msgspec.json.encode((typed, limit))
        found = self._suggestions.get(key)
        if found is None:
            found = self._suggest(typed, limit)
            self._suggestions.put(key, found)
        return found

    def _suggest(self, typed: list[str], limit: int) -> list[Suggestion]:
        *before, last = typed
        known = [self._matching.term("title_words", word) for word in before]
        context = None
        if known:
            context = Query.boolean_query([(Occur.Must, clause.query) for clause in known])
        ends = self.searcher.terms_with_prefix(
            "title_words", last, filter_query=context, limit=_COMPLETIONS
        )
        queries = [
            Suggestion(kind="query", text=" ".join([*before, end]))
            for end, _ in ends[: max(limit // 2, 1)]
        ]
        found = queries
        if self._vocabulary is not None:
            found = found + self._vocabulary.categories(typed, limit=max(limit // 4, 1))
        if ends and len(found) < limit:
            found = found + self._titles(known, [end for end, _ in ends], limit - len(found))
        return found[:limit]

    def _titles(self, known: list[Clause], ends: list[str], limit: int) -> list[Suggestion]:
        parts = [*known, self._matching.any_term("title_words", ends)]
        query = Query.boolean_query([(Occur.Must, clause.query) for clause in parts])
        hits = self.searcher.search(query, limit * 3, count=False, order_by_field="by_merit").hits
        addresses = [address for _, address in hits]
        titles: dict[str, UUID] = {}
        for address, listing_id in zip(addresses, self._ids(addresses), strict=True):
            shown = self.searcher.doc(address)["shown"][0]
            titles.setdefault(msgspec.json.decode(bytes(shown), type=str), listing_id)
        return [
            Suggestion(kind="listing", text=title, id=listing_id)
            for title, listing_id in list(titles.items())[:limit]
        ]

    def _find(self, query: SearchQuery) -> _Found:
        filters = self._matching.filters(query)
        asked = query_words(query.text)
        if not asked:
            criteria = Criteria((), filters)
            return _Found(criteria, self._ordered(criteria, query))
        criteria = self._matching.all_of([[Alternative(word)] for word in asked], filters)
        hits = self._hits(criteria, query)
        if len(hits) >= FEW:
            return _Found(criteria, hits)
        return self._find_more(query, asked, _Found(criteria, hits))

    def _find_more(self, query: SearchQuery, asked: list[str], strict: _Found) -> _Found:
        """Few hits: try near spellings and completions, then let words go unmatched."""
        alternatives, meant = self._alternatives(asked)
        filters = strict.criteria.filters
        every = strict.criteria
        hint = None
        if any(len(words_for) > 1 for words_for in alternatives):
            every = criteria = self._matching.all_of(alternatives, filters)
            hits = self._hits(criteria, query)
            hint = _corrected_text(query.text, meant)
            if len(hits) > len(strict.hits):
                corrected = not strict.hits and hint is not None
                return _Found(criteria, hits, hint, corrected=corrected)
        if strict.hits:
            return strict
        for least in sorted({len(asked) - 1, (len(asked) + 1) // 2, 1}, reverse=True):
            if not 0 < least < len(asked):
                continue
            criteria = Criteria((self._matching.some_of(every.text, least=least),), filters)
            hits = self._hits(criteria, query)
            if hits:
                corrected = hint is not None
                return _Found(criteria, hits, hint, corrected=corrected, relaxed=True)
        return strict

    def _alternatives(self, asked: list[str]) -> tuple[list[list[Alternative]], dict[str, str]]:
        """For each word what else it may be, and the likeliest correction of the rare ones."""
        found: list[list[Alternative]] = []
        meant: dict[str, str] = {}
        for place, word in enumerate(asked):
            frequency = self._matching.frequency(word)
            options = [Alternative(word)]
            found.append(options)
            if frequency >= FEW:
                continue
            ends: list[tuple[str, int]] = []
            if place == len(asked) - 1 and len(word) >= _SHORTEST_PREFIX:
                ends = self.searcher.terms_with_prefix("plain", word, limit=_COMPLETIONS)
                options += [Alternative(end, 0.8) for end, _ in ends if end != word]
            if self._vocabulary is None:
                continue
            near = self._vocabulary.corrections(word)
            options += [Alternative(one.word, 0.8**one.distance) for one in near]
            rivals = max([frequency * _MUCH_COMMONER, *(count for _, count in ends)])
            if near and near[0].frequency > rivals:
                meant[word] = near[0].word
        return found, meant

    def _hits(self, criteria: Criteria, query: SearchQuery) -> list[DocAddress]:
        """The best hits up to the end of the page asked for."""
        if query.sort is not Sort.RELEVANCE:
            return self._ordered(criteria, query)
        title = self._matching.term("title_key", normalised(query.text)[: fields.MAX_VALUE])
        last = max(query.page * query.size, FEW)
        return ranking.best(self.searcher, criteria, exact_title=title, last=last)

    def _ordered(self, criteria: Criteria, query: SearchQuery) -> list[DocAddress]:
        field, order = _ORDERS[query.sort]
        last = max(query.page * query.size, FEW)
        for cut in (self._tail(criteria, field, order, last), []):
            hits = self.searcher.search(
                criteria.query(*cut), last, count=False, order_by_field=field, order=order
            ).hits
            # The sample may be a commit ahead and hold what the whole has no more.
            if len(hits) == last or not cut:
                return [address for _, address in hits]
        raise AssertionError("the second search is not cut")

    def _tail(self, criteria: Criteria, field: str, order: Order, last: int) -> list[Query]:
        """For very many hits, a condition that the first `last` of them meet and few others.

        The sample is part of the whole, so what is `last` in it cannot come earlier in the whole.
        """
        if criteria.most(self.searcher.num_docs) <= SCANNED:
            return []
        hits = self._matching.sample.search(
            criteria.query(), last, count=False, order_by_field=field, order=order
        ).hits
        if len(hits) < last:
            return []
        return [self._matching.tail(field, int(hits[-1][0]), below=order == Order.Asc)]

    def _count_facets(self, query: SearchQuery, criteria: Criteria) -> Counted:
        """Facets are the same for every page and order of a query."""
        key = _key(msgspec.structs.replace(query, page=1, size=1, sort=Sort.RELEVANCE))
        counted = self._counts.get(key)
        if counted is None:
            counted = FacetCounter(self._matching, criteria, query).count()
            self._counts.put(key, counted)
        return counted

    def _count(self, criteria: Criteria) -> int:
        wanted = {"price": {"value_count": {"field": "price"}}}
        answer = aggregate(self.searcher, criteria.query(), wanted)
        return int(answer["price"]["value"])

    def _ids(self, addresses: Sequence[DocAddress]) -> list[UUID]:
        wanted = list(addresses)
        high = self.searcher.fast_field_values("id_high", wanted)
        low = self.searcher.fast_field_values("id_low", wanted)
        return [fields.id_of(int(a or 0), int(b or 0)) for a, b in zip(high, low, strict=True)]


def _key(query: SearchQuery) -> bytes:
    return msgspec.json.encode(query, order="deterministic")


def _corrected_text(text: str, meant: dict[str, str]) -> str | None:
    if not meant:
        return None
    return " ".join(meant.get(word, word) for word in words(text))
