"""Words out of text, the same way for what is indexed and what is asked. Pure."""

from __future__ import annotations

import re
import unicodedata

MAX_WORD = 60
MAX_QUERY_WORDS = 12
_LETTERS_PER_TYPO = (4, 8)
_WORD = re.compile(r"[^\W_]+")
# Scripts written without spaces: each character is a word of its own.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_FOLDED_APART = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "\u0131": "i",
    }
)
STOP_WORDS = frozenset(
    _WORD.findall(
        # English, German, French, Spanish: words that a query may hold and a title may lack.
        "a an and at by for from in of on or the to with"
        " auf aus das dem den der des die ein eine einem einen einer fur im in mit oder und"
        " von zu zum"
        " au aux avec ce ces d dans de des du en et l la le les ou par pour sur un une"
        " al con del el en la las lo los o para por sin un una unas unos y"
    )
)


def encodable(text: str) -> str:
    """`text` without halves of surrogate pairs, legal in a Python string and nowhere else."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def fold(text: str) -> str:
    """Lower case without accents; compatibility forms made plain. Safe for any input string."""
    clean = encodable(text)
    if clean.isascii():
        return clean.lower()
    parts = unicodedata.normalize("NFKD", clean.casefold())
    plain = "".join(c for c in parts if not unicodedata.category(c).startswith("M"))
    return plain.translate(_FOLDED_APART).lower()


def words(text: str) -> list[str]:
    """The folded words of `text` in order; in a script without spaces each character is one."""
    plain = fold(text)
    if not plain.isascii():
        plain = _UNSPACED.sub(lambda match: f" {match.group()} ", plain)
    return [word[:MAX_WORD] for word in _WORD.findall(plain)]


def query_words(text: str) -> list[str]:
    """The distinct words to look for: without stop words, unless there are no others."""
    found = list(dict.fromkeys(words(text)))
    telling = [word for word in found if word not in STOP_WORDS]
    return (telling or found)[:MAX_QUERY_WORDS]


def normalised(text: str) -> str:
    """The form under which a query is counted and a title is compared: folded words, one space."""
    return " ".join(words(text))


def allowed_typos(word: str) -> int:
    """How many edits may separate a word from what was meant: none below four letters."""
    if any(character.isdigit() for character in word):
        return 0
    return sum(len(word) >= letters for letters in _LETTERS_PER_TYPO)


def edit_distance(left: str, right: str, *, limit: int) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours; `limit + 1` when more.

    Optimal string alignment (Damerau 1964; Boytsov 2011, section 2.2).
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        older, before, row = before, row, [i, *[0] * len(right)]
        for j, b in enumerate(right, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row[j] = best
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)
