"""Gathers every sentence that people read and brings the catalogues up to date.

    python tools/messages.py           write the .po files anew: new messages empty, old ones gone
    python tools/messages.py --check   change nothing; fail when a catalogue is not up to date

Two domains: `souk` for pages and refusals (`src/souk/web/locales`), `notifications` for letters.
Pages mark their texts with `_()`. Refusals are plain English where they are raised; every constant
or f-string that is a sentence is gathered from the code that raises them. An f-string becomes a
message with named holes in the context `sentence` (see `souk.platform.catalogue`).
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "souk"
TEMPLATES = SOURCE / "web" / "templates"
LANGUAGES = ("de", "fr", "es", "ar")
SENTENCE = "sentence"
FOLDERS = {
    "souk": SOURCE / "web" / "locales",
    "notifications": SOURCE / "contexts" / "notifications" / "locales",
}
# Files whose sentences nobody reads on a page, or that are read in English by who runs the program.
NOT_READ = re.compile(
    r"^(cli|app|asgi|roles)\.py|^(demo|sandbox_gateway|published)/|^contexts/notifications/(contents|"
    r"rendering|domain)|^contexts/listings/importing/|^contexts/ledger/domain/|"
    r"^platform/(settings|mail|jobs|worker|relay|embedded|migrate|catalogue|verify)\.py|"
    r"^platform/http/(contract|mailbox|idempotency|health)\.py|^flows/(verify|import_listings)/|"
    r"^web/development/"
)
SENTENCE_LIKE = re.compile(r"^[“A-Z][^\n]*\s[^\n]*[.?!]$", re.DOTALL)
MARKS = {"translate": 1, "N_": 0, "_": 0, "gettext": 0}
OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.do"}


class Found(NamedTuple):
    """A message of the source: one text or two (for plurals), its context, its file."""

    text: str | tuple[str, str]
    context: str | None
    file: str


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def of_templates() -> Iterator[Found]:
    """What templates mark."""
    keywords = ["_", "gettext", "ngettext", "N_"]
    for path in sorted(TEMPLATES.rglob("*.html")):
        with path.open("rb") as file:
            for _, function, text, _ in babel_extract(file, keywords, [], OPTIONS):
                if function == "ngettext" and isinstance(text, tuple):
                    one, many = (part for part in text[:2] if part is not None)
                    yield Found((one, many), None, relative(path))
                else:
                    single = text[0] if isinstance(text, tuple) else text
                    if single:
                        yield Found(single, None, relative(path))


def _name(node: ast.expr, *, full: bool = False) -> str:
    """A name for an expression: `line.title` is title, or line_title in full."""
    if isinstance(node, ast.Call):
        method = node.func.value if isinstance(node.func, ast.Attribute) else None
        if method is None or isinstance(method, ast.Constant):
            return _name(node.args[0], full=full) if node.args else "value"
        return _name(method, full=full)
    if isinstance(node, ast.Subscript | ast.Starred):
        return _name(node.value, full=full)
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}_{node.attr}" if full else node.attr
    if isinstance(node, ast.BinOp):
        return _name(node.left, full=full)
    return node.id.strip("_").lower() if isinstance(node, ast.Name) else "value"


def _of_fstring(node: ast.JoinedStr) -> list[str]:
    """The message, or several where a condition chooses between words."""
    texts = [""]
    holes: dict[str, str] = {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            pieces = [str(part.value).replace("%", "%%")]
        else:
            assert isinstance(part, ast.FormattedValue)
            value = part.value
            if isinstance(value, ast.IfExp) and all(
                isinstance(arm, ast.Constant) for arm in (value.body, value.orelse)
            ):
                arms = [arm for arm in (value.body, value.orelse) if isinstance(arm, ast.Constant)]
                pieces = [str(arm.value).replace("%", "%%") for arm in arms]
            else:
                name, code = _name(value), ast.unparse(value)
                if holes.setdefault(name, code) != code:
                    name = _name(value, full=True)
                pieces = [f"%({name})s"]
        texts = [text + piece for text in texts for piece in pieces]
    return texts


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        place = MARKS.get(str(name))
        if place is not None and len(node.args) > place:
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def _sentences(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Constants and f-strings that are sentences, with their context. Docstrings are not."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(inner) for inner in ast.walk(node) if inner is not node}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            for text in _of_fstring(node):
                yield text, SENTENCE
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, None


def of_code() -> Iterator[Found]:
    """What code marks, and the sentences of refusals and flashes."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        file = relative(path)
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(("web/", "flows/", "platform/http/")):
            for text in _marked(tree):
                yield Found(text, None, file)
        if NOT_READ.search(name):
            continue
        for text, context in _sentences(tree):
            if SENTENCE_LIKE.match(text):
                yield Found(text, context, file)


def of_letters() -> Iterator[Found]:
    """What `say(…)` says in mails and notices."""
    for path in sorted((SOURCE / "contexts" / "notifications").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            first = node.args[0]
            if called in {"say", "N_"} and isinstance(first, ast.Constant):
                yield Found(str(first.value), None, relative(path))


def template_of(domain: str) -> Catalog:
    """All messages of a domain, by file and then as they stand in it."""
    catalogue = Catalog(project="Souk", charset="utf-8")
    found = of_letters() if domain == "notifications" else (*of_templates(), *of_code())
    for message in found:
        catalogue.add(message.text, locations=[(message.file, 0)], context=message.context)
    return catalogue


def path_of(domain: str, language: str) -> Path:
    return FOLDERS[domain] / language / "LC_MESSAGES" / f"{domain}.po"


def read(domain: str, language: str) -> Catalog:
    """The catalogue as it is in the tree, empty when there is none."""
    path = path_of(domain, language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def updated(template: Catalog, old: Catalog, language: str) -> Catalog:
    """The messages of the source with the translations there are: exact ones, none guessed."""
    new = Catalog(locale=language, charset="utf-8")
    for message in template:
        if not message.id:
            continue
        known = old.get(message.id, message.context)
        string = known.string if known is not None else ""
        if isinstance(message.id, tuple) and not isinstance(string, tuple):
            string = ("",) * new.num_plurals
        files = sorted({place for place, _ in message.locations})
        new.add(
            message.id, string, locations=[(place, 0) for place in files], context=message.context
        )
    return new


def text_of(catalogue: Catalog, language: str) -> bytes:
    """The .po file: no dates and no lines in it, so that only changed messages change it."""
    out = io.BytesIO()
    write_po(out, catalogue, width=100, omit_header=True, sort_by_file=True, include_lineno=False)
    head = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    return head.encode() + out.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The messages without a translation."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and not (all(message.string) if message.string else False)
    ]


def main() -> None:
    check = "--check" in sys.argv[1:]
    stale: list[str] = []
    for domain in FOLDERS:
        template = template_of(domain)
        for language in LANGUAGES:
            path = path_of(domain, language)
            new = updated(template, read(domain, language), language)
            text = text_of(new, language)
            if not path.exists() or path.read_bytes() != text:
                stale.append(relative(path))
                if not check:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(text)
            print(f"{domain} {language}: {len(new)} messages, {len(missing(new))} missing")
    if check and stale:
        sys.exit(f"Run `make messages`: {', '.join(stale)}")


if __name__ == "__main__":
    main()
