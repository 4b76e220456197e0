"""Message catalogues: gettext files, read when a language is first spoken.

`locales/<language>/LC_MESSAGES/<domain>.po` is the source and what is read: there is no compiled
copy that could be older than it. Reading takes tens of milliseconds, once per process and language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

SENTENCE = "sentence"
"""The context of messages that are recognised by their English text, values and all."""
_HOLE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, and the sentences of the program that hold values."""

    texts: NullTranslations
    sentences: tuple[tuple[re.Pattern[str], str], ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a catalogue of this language."""
        return isinstance(self.texts, Translations)

    def said(self, text: str) -> str:
        """An English sentence of the program in this language; any other text as it is.

        A refusal arrives here as it was raised, its values put in: the sentence that fits gives
        them back, and they are put into the translation.
        """
        found = self.texts.gettext(text)
        if found != text:
            return found
        for pattern, translated in self.sentences:
            match = pattern.fullmatch(text)
            if match is not None:
                return translated % {k: self.said(v) for k, v in match.groupdict().items()}
        return text


def load(folder: Path, domain: str, language: str) -> Words:
    """The catalogue of a language; without one, words stay as they are."""
    path = folder / language / "LC_MESSAGES" / f"{domain}.po"
    if not path.exists():
        return Words(NullTranslations())
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    found = [
        (str(message.id), str(message.string))
        for message in catalogue
        if message.context == SENTENCE and message.string
    ]
    # The sentence with the most words of its own first: the others could swallow them as values.
    found.sort(key=lambda pair: -len(_HOLE.sub("", pair[0])))
    return Words(Translations(compiled), tuple((_pattern(one), other) for one, other in found))


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _HOLE.split(sentence)
    seen: set[str] = set()
    out: list[str] = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            out.append(re.escape(part.replace("%%", "%")))
        elif part in seen:
            out.append(f"(?P={part})")
        else:
            seen.add(part)
            out.append(f"(?P<{part}>.+?)")
    return re.compile("".join(out), re.DOTALL)
