"""The index's own words and categories, kept as a small index beside it.

A Levenshtein automaton over the dictionary (Schulz and Mihov 2002), run by the engine, finds the
words near a misspelt one; they live in the page cache and are shared by all processes,
where a symmetric-delete table would take hundreds of megabytes in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec
from tantivy import Document, Index, Order, Query, Schema, SchemaBuilder, Searcher

from souk.contexts.search.adapters.embedded import schema as fields
from souk.contexts.search.adapters.embedded.matching import aggregate
from souk.contexts.search.domain import Suggestion
from souk.contexts.search.text import allowed_typos, edit_distance, words

_HEAP = 15_000_000
_SHORTEST = 3
_NEAR = 60
_CATEGORIES = 5_000


@dataclass(frozen=True, slots=True)
class Correction:
    """A word of the index that may have been meant; `frequency` counts its documents."""

    word: str
    distance: int
    frequency: int


def _build_schema() -> Schema:
    schema = SchemaBuilder()
    schema.add_text_field("word", tokenizer_name="raw", index_option="basic")
    schema.add_text_field("category_words", tokenizer_name="whitespace", index_option="basic")
    schema.add_unsigned_field("frequency", fast=True)
    schema.add_bytes_field("shown", stored=True)
    return schema.build()


def write(folder: Path, source: Searcher) -> None:
    """Replace the vocabulary in `folder` by the words and categories of `source`."""
    index = Index(_build_schema(), path=str(folder))
    writer = index.writer(heap_size=_HEAP, num_threads=1)
    writer.delete_all_documents()
    for word, frequency in source.terms_with_prefix("plain", ""):
        if len(word) >= _SHORTEST and word.isalpha():
            document = Document()
            document.add_text("word", word)
            document.add_unsigned("frequency", frequency)
            document.add_bytes("shown", word.encode())
            writer.add_document(document)
    for value, (name, frequency) in _categories(source).items():
        document = Document()
        document.add_text("category_words", " ".join(words(name)))
        document.add_unsigned("frequency", frequency)
        document.add_bytes("shown", msgspec.json.encode((value, name)))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _categories(source: Searcher) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    wanted = {"path": {"terms": {"field": "path", "size": _CATEGORIES}}}
    for bucket in aggregate(source, Query.all_query(), wanted)["path"]["buckets"]:
        path: str = bucket["key"]
        for step in path.split(fields.STEP):
            value, _, name = step.partition(fields.SEPARATOR)
            found[value] = (name, found.get(value, (name, 0))[1] + bucket["doc_count"])
    return found


class Vocabulary:
    """Reads one state of the vocabulary."""

    def __init__(self, folder: Path) -> None:
        index = Index(_build_schema(), path=str(folder))
        self._schema = index.schema
        index.reload()
        self._searcher = index.searcher()

    def corrections(self, word: str, *, limit: int = 5) -> list[Correction]:
        """The nearest words, most frequent first at equal distance; the word itself left out."""
        for distance in range(1, allowed_typos(word) + 1):
            found = [one for one in self._near(word, distance) if one.distance]
            if found:
                found.sort(key=lambda one: (one.distance, _likelihood(one, word), one.word))
                return found[:limit]
        return []

    def _near(self, word: str, distance: int) -> list[Correction]:
        query = Query.fuzzy_term_query(self._schema, "word", word, distance=distance)
        hits = self._searcher.search(query, _NEAR, count=False, order_by_field="frequency").hits
        found: list[Correction] = []
        for frequency, address in hits:
            shown: list[int] = self._searcher.doc(address)["shown"][0]
            near = bytes(shown).decode()
            found.append(
                Correction(near, edit_distance(word, near, limit=distance), int(frequency))
            )
        return found

    def categories(self, prefix: list[str], *, limit: int) -> list[Suggestion]:
        """Categories with all the words given, the last of which may be unfinished."""
        if not prefix:
            return []
        schema, searcher = self._schema, self._searcher
        ends = [term for term, _ in searcher.terms_with_prefix("category_words", prefix[-1])]
        if not ends:
            return []
        parts = [Query.term_set_query(schema, "category_words", ends[:50])]
        parts += [Query.term_query(schema, "category_words", word, "basic") for word in prefix[:-1]]
        query = parts[0].and_must_match(*parts[1:]) if len(parts) > 1 else parts[0]
        hits = searcher.search(
            query, limit, count=False, order_by_field="frequency", order=Order.Desc
        ).hits
        found: list[Suggestion] = []
        for _, address in hits:
            value, name = msgspec.json.decode(
                bytes(searcher.doc(address)["shown"][0]), type=tuple[str, str]
            )
            found.append(Suggestion(kind="category", text=name, id=UUID(value)))
        return found


def _likelihood(one: Correction, word: str) -> float:
    """Lower is likelier: people seldom miss the first letter."""
    return -one.frequency * (3.0 if one.word[0] == word[0] else 1.0)
