"""Text from outside made safe: HTML by an allow-list, CSV cells that a spreadsheet would run."""

from __future__ import annotations

import html
import re
import unicodedata

import nh3

from souk.kernel.text import composed

MAX_DESCRIPTION = 50_000
"""Characters of a description after clean-up."""

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "s", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "abbr": {"title"}, "td": {"colspan", "rowspan"},
               "th": {"colspan", "rowspan", "scope"}}  # fmt: skip
_GONE_WITH_CONTENT = {"script", "style", "iframe", "object", "noscript", "template", "svg", "math"}
# No `<` inside: many that are never closed would each be followed to the end of the text.
_LOOKS_LIKE_HTML = re.compile(r"<[a-zA-Z/!][^<>]*>|&(?:#\d+|[a-zA-Z]+);")
_MOST_TAGS = 5_000
"""More than any description has; tags inside each other cost the square of their number."""
_H1 = re.compile(r"<(/?)h1(?=[\s>])", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n\s*\n")
# With their full-width forms, which some spreadsheets take for the same.
_FORMULA_STARTS = (
    "=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20",
)  # fmt: skip
_PLAIN_NUMBER = re.compile(r"^[+-]?[0-9][0-9.,]*$")


def sanitise_html(source: str) -> str:
    """The allowed part of `source`: no scripts, styles, handlers, frames, images or forms.

    Links keep http(s) and mailto addresses and get `rel="noopener nofollow ugc"`. A page's own
    heading is its title, so `h1` becomes `h2`.
    """
    return nh3.clean(
        _H1.sub(r"<\1h2", source),
        tags=_TAGS,
        clean_content_tags=_GONE_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
    ).strip()


def _is_html(text: str) -> bool:
    return text.count("<") <= _MOST_TAGS and _LOOKS_LIKE_HTML.search(text) is not None


def description_html(source: str) -> str:
    """Sanitised HTML from a description that is HTML or plain text with blank lines."""
    text = clean_text(source, keep_lines=True)
    if not text:
        return ""
    if _is_html(text):
        return sanitise_html(text)
    return "".join(
        f"<p>{html.escape(part.strip(), quote=False).replace(chr(10), '<br>')}</p>"
        for part in _BLANK_LINES.split(text)
        if part.strip()
    )


def clean_text(source: str, *, keep_lines: bool = False) -> str:
    """`source` in NFC without control characters; spaces collapsed unless lines are kept."""
    if source.isascii() and source.isprintable():
        return source.strip() if keep_lines else " ".join(source.split())
    kept = "".join(
        char
        for char in composed(source.replace("\r\n", "\n").replace("\r", "\n"))
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"}
    )
    return kept.strip() if keep_lines else " ".join(kept.split())


def plain_text(source: str) -> str:
    """`source` without any markup, for titles that shops wrap in HTML."""
    text = clean_text(source)
    if not _is_html(text):
        return text
    bare = nh3.clean(text, tags=set(), clean_content_tags=_GONE_WITH_CONTENT)
    return clean_text(html.unescape(bare))


def neutralise_formula(cell: str) -> str:
    """A cell for export that no spreadsheet runs: OWASP's rule, an apostrophe before = + - @.

    Numbers keep their sign: `-5` is harmless and must survive a round trip.
    """
    if cell.startswith(_FORMULA_STARTS) and not _PLAIN_NUMBER.match(cell):
        return f"'{cell}"
    return cell


def read_formula(cell: str) -> str:
    """Undo `neutralise_formula`, so that an exported file can be imported unchanged."""
    if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS):
        return cell[1:]
    return cell
