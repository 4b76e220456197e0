"""What changed between two texts, line by line, with a little around it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

_AROUND = 2


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is same, added, removed, or gap for unchanged lines that are left out."""

    kind: str
    text: str


def differences(before: str, after: str) -> list[Line]:
    """The changed lines with two unchanged ones around each; empty when nothing changed."""
    old, new = before.splitlines(), after.splitlines()
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND)
    found: list[Line] = []
    for number, group in enumerate(groups):
        if number or group[0][1]:
            found.append(Line("gap", "…"))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                found.extend(Line("same", text) for text in old[old_from:old_to])
                continue
            found.extend(Line("removed", text) for text in old[old_from:old_to])
            found.extend(Line("added", text) for text in new[new_from:new_to])
    return found
