"""The order of hits by relevance.

Up to `WEIGHED` hits the engine multiplies every text score by the listing's merit. Beyond that,
scoring all would take longer than all the rest, and the order has tiers: the exact title, then
listings with all the words in their title, then the others; in each tier the best `WINDOW` by
text are weighed by merit, and what follows them comes in the order of text alone.
"""

from __future__ import annotations

from tantivy import DocAddress, Query, Searcher

from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.adapters.embedded.matching import Clause, Criteria

WEIGHED = 50_000
WINDOW = 500
_EXACT_TITLES = 50
_EXACT_TITLE_BONUS = 30.0


def best(
    searcher: Searcher, criteria: Criteria, *, exact_title: Clause, last: int
) -> list[DocAddress]:
    """At least the first `last` hits, fewer only when there are no more."""
    if criteria.most(searcher.num_docs) > WEIGHED:
        return _tiered(searcher, criteria, exact_title, last)
    better: list[Query] = []
    if exact_title.most:
        better = [Query.const_score_query(exact_title.query, _EXACT_TITLE_BONUS)]
    hits = searcher.search(
        criteria.query(better=better), last, count=False, weight_by_field="weight"
    ).hits
    return [address for _, address in hits]


def _tiered(
    searcher: Searcher, criteria: Criteria, exact_title: Clause, last: int
) -> list[DocAddress]:
    found: list[DocAddress] = []
    if exact_title.most:
        query = criteria.query(exact_title.query)
        hits = searcher.search(query, _EXACT_TITLES, count=False, order_by_field="by_merit").hits
        found = [address for _, address in hits]
    tiers = [criteria.query()]
    if criteria.titles:
        tiers.insert(0, criteria.query(*(clause.query for clause in criteria.titles)))
    for query in tiers:
        if len(found) >= last:
            break
        taken = {(address.segment_ord, address.doc) for address in found}
        wanted = max(last, WINDOW) + len(found)
        hits = [
            (float(score), address)
            for score, address in searcher.search(query, wanted, count=False).hits
            if (address.segment_ord, address.doc) not in taken
        ]
        found += _weighed(searcher, hits)
    return found


def _weighed(searcher: Searcher, hits: list[tuple[float, DocAddress]]) -> list[DocAddress]:
    """The first `WINDOW` put in order of score times merit; the rest as they are."""
    head, rest = hits[:WINDOW], hits[WINDOW:]
    weights = searcher.fast_field_values("weight", [address for _, address in head])
    ranked = sorted(
        (-score * fields.merit_of(float(weight or 0)), place)
        for place, ((score, _), weight) in enumerate(zip(head, weights, strict=True))
    )
    return [*(head[place][1] for _, place in ranked), *(address for _, address in rest)]
