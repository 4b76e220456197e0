"""Counts of values among the hits: exact up to a size, from a fixed sample beyond it.

A facet whose own filter is set is counted without that filter, so that the other values stay to
be chosen. For very large results the sample, an index of one listing in 16, is counted instead
and the result says so: of 20,000 hits a count of 5 % is then typically off by an eighth of
itself, in a thousandth of a second instead of a hundredth or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from tantivy import Searcher

from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.adapters.embedded.matching import (
    ATTRIBUTE,
    NUMBER,
    Criteria,
    Matching,
    aggregate,
)
from souk.contexts.search.domain import Bucket, Facet, PriceStats, SearchQuery

# So many hits are always counted one by one, and all hits of an index that is small itself.
EXACT, SMALL_INDEX = 20_000, 50_000
# Where finding the hits takes long, since every clause alone has so many, the sample serves
# already when so many of them are in it; fewer for what an active filter hides.
COSTLY, ENOUGH, ENOUGH_HIDDEN = 50_000, 500, 100
# The total alone is cheap enough to stay exact up to here (clauses times the smallest).
EXACT_TOTAL = 50_000
# The engine lets go of the interpreter while it counts, so passes can use a core each. Below so
# many listings handing them over takes longer than they do.
THREADED = 300_000
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="facets")
_SELLERS, _CATEGORIES, _VALUES = 20, 2_000, 1_000
_SHOWN_VALUES, _SHOWN_CODES, _SHOWN_CATEGORIES = 50, 20, 100

Aggregations = dict[str, dict[str, dict[str, Any]]]
Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Counted:
    """What the facets of one search come to."""

    facets: list[Facet]
    price: PriceStats | None
    total: int
    total_exact: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class _Pass:
    """One aggregation's answer; counts are to be multiplied by `factor`."""

    answer: Mapping[str, Any]
    factor: int

    def counts(self, name: str) -> Counts:
        buckets = self.answer[name]["buckets"]
        return {_key(bucket["key"]): bucket["doc_count"] * self.factor for bucket in buckets}

    @property
    def exact(self) -> bool:
        return self.factor == 1

    def documents(self) -> int:
        return int(self.answer["price"]["count"]) * self.factor


def _key(key: object) -> str:
    return str(int(key)) if isinstance(key, float) else str(key)


def _terms(name: str, size: int) -> dict[str, dict[str, Any]]:
    return {"terms": {"field": name, "size": size}}


_PRICE: Aggregations = {"price": {"stats": {"field": "price"}}}
_COLUMNS: dict[str, tuple[str, Aggregations]] = {
    "category": ("path", {"path": _terms("path", _CATEGORIES)}),
    "seller": ("seller_label", {"seller_label": _terms("seller_label", _SELLERS)}),
    "kind": ("kind", {"kind": _terms("kind", 10)}),
    "rating": ("stars", {"stars": _terms("stars", 10)}),
    "in_stock": ("stock", {"stock": _terms("stock", 2)}),
}
_ATTRIBUTES: Aggregations = {"attribute": _terms("attribute", _VALUES)}


class FacetCounter:
    """Counts the facets of one search."""

    def __init__(self, matching: Matching, criteria: Criteria, query: SearchQuery) -> None:
        self._matching = matching
        self._searcher: Searcher = matching.searcher
        self._criteria = criteria
        self._query = query
        own = [code for code in query.ranges if matching.has_number(code)]
        self._codes = list(dict.fromkeys([*own, *matching.number_codes[:_SHOWN_CODES]]))

    def count(self) -> Counted:
        """Every facet that has something to offer."""
        passes = self._passes()
        base = passes[None]
        facets: list[Facet] = []
        for code, (column, _) in _COLUMNS.items():
            facets.append(self._column_facet(code, passes.get(code, base), column))
        facets += self._attribute_facets(passes)
        facets += self._number_facets(passes)
        total, total_exact, base_price = self._total(base)
        if "price" in passes:
            base_price = _price(passes["price"].answer)
        return Counted(
            facets=[facet for facet in facets if facet.buckets or facet.kind == "range"],
            price=base_price,
            total=total,
            total_exact=total_exact,
            exact=all(facet.exact for facet in facets),
        )

    def _passes(self) -> dict[str | None, _Pass]:
        """The count with every filter, and one without each filter that hides its own facet."""
        wanted: dict[str | None, Aggregations] = {
            None: {**_PRICE, **_ATTRIBUTES, **_numbers(self._codes)}
        }
        for code, (_, aggregation) in _COLUMNS.items():
            if code in self._criteria.filters:
                wanted[code] = {**_PRICE, **aggregation}
            else:
                wanted[None] |= aggregation
        for code in self._criteria.filters:
            if code == "price":
                wanted[code] = _PRICE
            elif code.startswith(ATTRIBUTE):
                wanted[code] = {**_PRICE, **_ATTRIBUTES}
            elif code.startswith(NUMBER) and code.removeprefix(NUMBER) in self._codes:
                wanted[code] = {**_PRICE, **_numbers([code.removeprefix(NUMBER)])}
        if len(wanted) == 1 or self._searcher.num_docs <= THREADED:
            counted = [self._run(one, without=code) for code, one in wanted.items()]
        else:
            counted = list(_threads.map(self._counting, wanted.items()))
        return dict(zip(wanted, counted, strict=True))

    def _counting(self, one: tuple[str | None, Aggregations]) -> _Pass:
        return self._run(one[1], without=one[0])

    def _run(self, wanted: Aggregations, *, without: str | None) -> _Pass:
        """Count on all hits when they are few enough, else on the sample of them."""
        criteria, searcher = self._criteria, self._searcher
        query = criteria.query(without=without)
        most = criteria.most(searcher.num_docs, without=without)
        if most > EXACT and searcher.num_docs > SMALL_INDEX:
            answer = aggregate(self._matching.sample, query, wanted)
            sampled = int(answer["price"]["count"])
            enough = ENOUGH if without is None else ENOUGH_HIDDEN
            if sampled * fields.SAMPLE > EXACT or (most > COSTLY and sampled >= enough):
                return _Pass(answer, fields.SAMPLE)
        return _Pass(aggregate(searcher, query, wanted), 1)

    def _total(self, base: _Pass) -> tuple[int, bool, PriceStats | None]:
        if base.exact:
            return base.documents(), True, _price(base.answer)
        documents, criteria = self._searcher.num_docs, self._criteria
        clauses = len(criteria.text) + len(criteria.filters)
        if criteria.most(documents) * clauses <= EXACT_TOTAL and clauses:
            full = _Pass(aggregate(self._searcher, criteria.query(), _PRICE), 1)
            return full.documents(), True, _price(full.answer)
        if not clauses:
            return documents, True, _price(base.answer)
        return base.documents(), False, _price(base.answer)

    def _column_facet(self, code: str, counted: _Pass, column: str) -> Facet:
        key, query, counts = f"facet.{code}", self._query, counted.counts(column)
        kind: Literal["tree", "choice", "threshold"] = "choice"
        if code == "category":
            kind = "tree"
            buckets = _tree(counts, None if query.category_id is None else query.category_id.hex)
        elif code == "rating":
            kind = "threshold"
            buckets = _stars(counts, query.rating_min)
        elif code == "seller":
            buckets = _labelled(counts, {one.hex for one in query.seller_ids})
        elif code == "kind":
            buckets = _choices(counts, query.kinds)
        else:
            stock = [] if query.in_stock is None else [str(query.in_stock).lower()]
            buckets = _choices(counts, stock)
        return Facet(code=code, label_key=key, kind=kind, buckets=buckets, exact=counted.exact)

    def _attribute_facets(self, passes: Mapping[str | None, _Pass]) -> list[Facet]:
        base = passes[None]
        by_code = _by_code(base.counts("attribute"))
        chosen = {code: values for code, values in self._query.attributes.items() if values}
        exact: dict[str, bool] = {}
        for code in chosen:
            own = passes[ATTRIBUTE + code]
            by_code[code] = _by_code(own.counts("attribute")).get(code, {})
            exact[code] = own.exact
        return [
            Facet(
                code=code,
                label_key=f"attribute.{code}",
                kind="choice",
                buckets=_choices(by_code[code], chosen.get(code, ())),
                exact=exact.get(code, base.exact),
            )
            for code in _most_covering(by_code, set(chosen))
        ]

    def _number_facets(self, passes: Mapping[str | None, _Pass]) -> list[Facet]:
        found: list[Facet] = []
        for code in self._codes:
            counted = passes.get(NUMBER + code, passes[None])
            stats = counted.answer[NUMBER + code]
            if stats["count"]:
                found.append(
                    Facet(
                        code=code,
                        label_key=f"attribute.{code}",
                        kind="range",
                        min=float(stats["min"]),
                        max=float(stats["max"]),
                        exact=counted.exact,
                    )
                )
        return found


def _numbers(codes: Iterable[str]) -> Aggregations:
    return {NUMBER + code: {"stats": {"field": f"numbers.{code}"}} for code in codes}


def _price(answer: Mapping[str, Any]) -> PriceStats | None:
    stats = answer["price"]
    return PriceStats(int(stats["min"]), int(stats["max"])) if stats["count"] else None


def _by_code(counts: Counts) -> dict[str, Counts]:
    found: dict[str, Counts] = {}
    for term, count in counts.items():
        code, _, value = term.partition(fields.SEPARATOR)
        found.setdefault(code, {})[value] = count
    return found


def _most_covering(by_code: Mapping[str, Counts], chosen: set[str]) -> list[str]:
    """The codes that tell most hits apart, those in use first."""
    ranked = sorted(
        by_code, key=lambda code: (code not in chosen, -sum(by_code[code].values()), code)
    )
    return ranked[: max(_SHOWN_CODES, len(chosen))]


def _choices(counts: Counts, chosen: Iterable[str], *, shown: int = _SHOWN_VALUES) -> list[Bucket]:
    selected = {value[: fields.MAX_VALUE] for value in chosen}
    ranked = sorted(counts.items(), key=lambda item: (item[0] not in selected, -item[1], item[0]))
    buckets = [
        Bucket(value=value, count=count, selected=value in selected)
        for value, count in ranked[: max(shown, len(selected))]
    ]
    missing = sorted(selected - counts.keys())
    return [*buckets, *(Bucket(value=value, count=0, selected=True) for value in missing)]


def _labelled(counts: Counts, selected: set[str]) -> list[Bucket]:
    found: dict[str, tuple[str, int]] = {}
    for term, count in counts.items():
        value, _, label = term.partition(fields.SEPARATOR)
        # A seller that was renamed a moment ago may stand under both names.
        found[value] = (label, found.get(value, (label, 0))[1] + count)
    ranked = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    buckets = [
        Bucket(value=value, count=count, selected=value in selected, label=label)
        for value, (label, count) in ranked
    ]
    missing = sorted(selected - found.keys())
    return [*buckets, *(Bucket(value=value, count=0, selected=True) for value in missing)]


@lru_cache(maxsize=20_000)
def _steps(path: str) -> tuple[tuple[str, str, str | None], ...]:
    """Value, name and parent of each category on a path."""
    steps = [step.partition(fields.SEPARATOR) for step in path.split(fields.STEP)]
    parents = [None, *(value for value, _, _ in steps)]
    return tuple((v, name, parent) for (v, _, name), parent in zip(steps, parents, strict=False))


def _tree(counts: Counts, selected: str | None) -> list[Bucket]:
    """Leaf counts added up along their paths: the roots, and what is beside and below the choice.

    Without a choice, the children of every root.
    """
    totals: Counts = {}
    about: dict[str, tuple[str, str | None]] = {}
    for path, count in counts.items():
        for value, name, parent in _steps(path):
            if value in totals:
                totals[value] += count
            else:
                totals[value] = count
                about[value] = (name, parent)
    opened: set[str | None] = {None}
    if selected is None or selected not in about:
        opened |= {value for value, (_, parent) in about.items() if parent is None}
    else:
        step: str | None = selected
        while step is not None:
            opened.add(step)
            step = about[step][1]
    shown = [value for value, (_, parent) in about.items() if parent in opened]
    ranked = sorted(shown, key=lambda value: (value != selected, -totals[value], value))
    return [
        Bucket(
            value=value,
            count=totals[value],
            selected=value == selected,
            label=about[value][0],
            parent=about[value][1],
        )
        for value in ranked[:_SHOWN_CATEGORIES]
    ]


def _stars(counts: Counts, least: float | None) -> list[Bucket]:
    """Whole stars and better: 4 means four stars or more."""
    buckets: list[Bucket] = []
    reached = 0
    for stars in range(5, 0, -1):
        reached += counts.get(str(stars), 0)
        if reached or least == stars:
            buckets.append(Bucket(value=str(stars), count=reached, selected=least == stars))
    return buckets
