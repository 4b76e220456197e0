"""Stems: the forms under which a word is indexed in each language.

A document's words are stemmed in the document's language and marked with it (`en:rose`), so a
query, whose language is not known, looks for its words' stems in all of them without one
language's stem meeting another's word.
"""

from __future__ import annotations

from functools import lru_cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

_NAMES = {"en": "english", "de": "german", "fr": "french", "es": "spanish"}
OTHER = "xx"
LANGUAGES = (*_NAMES, OTHER)


def _stemmer(name: str) -> TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stemmer(name)).build()


_STEMMERS = {language: _stemmer(name) for language, name in _NAMES.items()}


def language_of(code: str) -> str:
    """The language whose stemmer serves `code` such as `de` or `de-AT`."""
    primary = code[:2].lower()
    return primary if primary in _NAMES else OTHER


def stems(words: list[str], *, language: str) -> list[str]:
    """The marked stems of folded words, one for each."""
    stemmer = _STEMMERS.get(language)
    plain = stemmer.analyze(" ".join(words)) if stemmer is not None and words else words
    return [f"{language}:{stem}" for stem in plain]


@lru_cache(maxsize=10_000)
def variants(word: str) -> tuple[str, ...]:
    """Every marked stem under which a document may hold `word`."""
    return tuple(stems([word], language=language)[0] for language in LANGUAGES)
