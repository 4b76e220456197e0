"""Nothing is carried that nobody uses: settings, permissions, events, styles, drawings, templates.

What a page fetches is paid for by every visitor, and what an operator can set has to do something.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

from souk.platform.settings import Settings

SOURCE = Path(__file__).resolve().parents[2] / "src" / "souk"
WEB = SOURCE / "web"
STATIC = WEB / "static"
TEMPLATES = WEB / "templates"
MADE_ELSEWHERE = {
    "htmx-request",  # htmx, while an element's request is under way
    *("c2", "c3", "c4"),  # charts, by the number of the series
}
"""Classes that none of our files name whole."""
CODE = re.compile(r"<[^>]*>|(?<=%\})[\w -]+(?=\{%)|\{%.*?%\}|\{\{.*?\}\}", re.S)
STEM = re.compile(r"([\w-]+-)(?=\{|\$\{|['\"] ~|['\"] \+)")
"""Names that are put together: `tone-{{ tone }}`, `'stars-' ~ half`, f"c{number}"."""


@cache
def python() -> dict[Path, str]:
    return {path: path.read_text() for path in sorted(SOURCE.rglob("*.py"))}


def strings(text: str) -> str:
    constants = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return "\n".join(node.value for node in constants if isinstance(node.value, str))


@cache
def markup() -> str:
    """All that may name a class or an icon: tags, expressions, scripts, strings of the code. Text
    that people read is not among it. The page that shows the design shows whatever
    there is, so it does not count."""
    templates = [path for path in WEB.rglob("*.html") if path.name != "design.html"]
    parts = [match for path in templates for match in CODE.findall(path.read_text())]
    parts += [path.read_text() for path in STATIC.glob("*.js")]
    parts += [strings(text) for path, text in python().items() if WEB in path.parents]
    return "\n".join(parts)


def unnamed(names: set[str]) -> set[str]:
    """Those of `names` that no markup names, whole or by the beginning of a name."""
    text = markup()
    stems = tuple(STEM.findall(text))
    rest = names - set(re.findall(r"[\w-]+", text))
    return {name for name in rest if not name.startswith(stems)}


def styles() -> str:
    sheets = sorted(STATIC.glob("*.css"))
    return re.sub(r"/\*.*?\*/", "", "\n".join(sheet.read_text() for sheet in sheets), flags=re.S)


def test_every_setting_is_read():
    texts = [text for path, text in python().items() if path.name != "settings.py"]
    read = set(re.findall(r"\.(\w+)\b", "\n".join(texts)))
    read |= set(re.findall(r"self\.(\w+)", (SOURCE / "platform/settings.py").read_text()))
    assert set(Settings.__struct_fields__) - read == set()


def test_every_permission_is_asked_for():
    actor = (SOURCE / "kernel/actor.py").read_text()
    body = actor.split("class Permission(StrEnum):")[1].split("\n\n\n")[0]
    named = re.findall(r"^    ([A-Z_]+) = ", body, re.M)
    assert named
    asked = "\n".join(text for path, text in python().items() if path.name != "actor.py")
    assert [name for name in named if f"Permission.{name}" not in asked] == []


def test_every_event_is_sent():
    sent = "\n".join(text for path, text in python().items() if "published" not in path.parts)
    events = [
        name
        for path, text in python().items()
        if "published" in path.parts
        for name in re.findall(
            r"^class (\w+)\([^)]*\):(?:(?!^class ).)*?\n    name\b", text, re.M | re.S
        )
    ]
    assert len(events) > 50
    assert set(events) - set(re.findall(r"\w+", sent)) == set()


def test_every_style_is_for_something():
    classes = {
        name
        for selector in re.findall(r"([^{};]+)\{", styles())
        if not selector.strip().startswith("@")
        for name in re.findall(r"\.(-?[A-Za-z_][\w-]*)", selector)
    }
    assert len(classes) > 200
    assert unnamed(classes - MADE_ELSEWHERE) == set()


def test_every_style_variable_is_used():
    made = set(re.findall(r"(--[\w-]+)\s*:", styles()))
    used = set(re.findall(r"var\((--[\w-]+)", styles() + markup()))
    assert made - used == set()


def test_every_icon_is_shown():
    drawn = set(re.findall(r'id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    assert drawn
    assert unnamed(drawn) == set()


def test_every_template_and_macro_is_called():
    texts = {path: path.read_text() for path in sorted(TEMPLATES.rglob("*.html"))}
    everything = "\n".join(texts.values())
    code = "\n".join(python().values())
    absent = [
        name
        for path in texts
        if (name := path.relative_to(TEMPLATES).as_posix()) not in everything + code
        and not name.startswith("errors/")
    ]
    called = Counter(re.findall(r"\b(\w+)\(", everything))
    uncalled = [
        f"{path.name}: {macro}"
        for path, text in texts.items()
        for macro in re.findall(r"{%-?\s*macro (\w+)\(", text)
        if called[macro] < 2
    ]
    assert (absent, uncalled) == ([], [])
