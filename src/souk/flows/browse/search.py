"""Search answers: what the engine found, with the listings' stored cards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.kernel.errors import FieldProblem, InvalidInput
from souk.platform.database import Database, ReadConn
from souk.platform.glance import Glances

_encode = msgspec.json.Encoder().encode
_MAX_VALUES = 200
# Answers of 20 cards have some 40 kB.
_KEPT = 50
_FLUSH_AFTER = 50
_FLUSH_SECONDS = 5.0
_PREFIXES = ("attr.", "min.", "max.")


class SearchFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a search answers with beside the listings themselves."""

    total: int
    total_exact: bool
    facets: list[search.Facet]
    facets_exact: bool
    price: search.PriceStats | None
    did_you_mean: str | None
    corrected: bool
    relaxed: bool


class SearchAnswer(SearchFacts, frozen=True, kw_only=True):
    """A page of listings, best first, with facets for narrowing down."""

    items: list[listings.ListingCard]


def filters_of(
    parameters: Sequence[tuple[str, str]],
) -> tuple[dict[str, list[str]], dict[str, search.NumberRange]]:
    """`attr.colour=red`, `min.height=10` and `max.height=20` as choices and ranges.

    Raises InvalidInput for a bound that is no number.
    """
    choices: dict[str, list[str]] = {}
    bounds: dict[str, dict[str, float]] = {}
    for name, value in parameters[:_MAX_VALUES]:
        if name.startswith("attr."):
            choices.setdefault(name.removeprefix("attr."), []).append(value)
        elif name.startswith(_PREFIXES):
            end, _, code = name.partition(".")
            try:
                bounds.setdefault(code, {})[end] = float(value)
            except ValueError as error:
                message = "Give a number, such as 12.5."
                problem = FieldProblem(name, "not_a_number", message)
                raise InvalidInput(message, problems=[problem]) from error
    ranges = {
        code: search.NumberRange(ends.get("min"), ends.get("max")) for code, ends in bounds.items()
    }
    return choices, ranges


class Found(NamedTuple):
    """An answer as JSON, and how many listings there are for it."""

    answer: bytes
    total: int


_found: WeakKeyDictionary[object, Glances[Found]] = WeakKeyDictionary()
"""The answers to what was searched last, by the commit of the index that they are of."""


async def found(conn: ReadConn, engine: search.SearchEngine, query: search.SearchQuery) -> Found:
    """The answer, in one statement; a moment ago's when the same was asked then.

    Raises InvalidInput, SearchUnavailable.
    """
    state = engine.state()
    kept = _found.get(state)
    if kept is None:
        kept = _found[state] = Glances(conn.changes, most=_KEPT)

    async def make() -> Found:
        result = await search.search(engine, query)
        cards = await listings.card_bytes(conn, result.ids)
        facts = _encode(_facts(result))
        return Found(b'{"items":[%s],%s' % (b",".join(cards), facts[1:]), result.total)

    return await kept.value(_encode(query), make)


def _facts(result: search.SearchResult) -> SearchFacts:
    return SearchFacts(**{name: getattr(result, name) for name in SearchFacts.__struct_fields__})


class QueryLog:
    """Counts searches of this process and stores them together now and then.

    At most a few seconds of counts are lost with a process: they only feed suggestions.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int]] = []
        self._since = 0.0

    async def add(self, db: Database, *, text: str, total: int) -> None:
        """Note one search; every fifty searches or five seconds they are stored."""
        if not text.strip():
            return
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((text, total))
        late = time.monotonic() - self._since > _FLUSH_SECONDS
        if late or len(self._waiting) >= _FLUSH_AFTER:
            await self.flush(db)

    async def flush(self, db: Database) -> None:
        """Store what is waiting."""
        batch, self._waiting = self._waiting, []
        if batch:
            await db.transact(lambda tx: search.record_queries(tx, batch))


query_log = QueryLog()
