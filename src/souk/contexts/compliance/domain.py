"""Legal documents: kinds, languages, and Markdown made into safe HTML. No I/O."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import nh3

from souk.kernel.errors import FieldProblem, InvalidInput

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_MARKDOWN = 200_000
FALLBACK_LOCALE = "en"
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "li", "ol", "p", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


class DocumentKind(StrEnum):
    """The five documents of a marketplace."""

    TERMS = "terms"
    PRIVACY = "privacy"
    REFUNDS = "refunds"
    SELLER_AGREEMENT = "seller_agreement"
    CONTENT_GUIDELINES = "content_guidelines"


class ConsentPurpose(StrEnum):
    """What a person may allow or refuse; nothing of it is needed to buy or sell."""

    ANALYTICS = "analytics"
    MARKETING_MAIL = "marketing_mail"
    PERSONALISATION = "personalisation"


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - few processes ever show a document

    # HTML passes the renderer, because nh3 decides afterwards what of it may stay.
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def render(markdown: str) -> str:
    """Markdown, HTML inside it included, as HTML that can be shown as it is.

    Scripts, styles, handlers, images and links other than http, https and mailto do not survive.
    """
    return nh3.clean(
        _markdown().render(markdown),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )


def clean_markdown(text: str) -> str:
    """The text of a document. Raises InvalidInput when it is empty or too long."""
    body = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not 1 <= len(body) <= MAX_MARKDOWN:
        problem = FieldProblem("markdown", "length", f"Write 1 to {MAX_MARKDOWN} characters.")
        raise InvalidInput("The document has no text, or too much.", problems=[problem])
    return body + "\n"


def clean_title(text: str) -> str:
    """The title on one line. Raises InvalidInput."""
    title = " ".join("".join(c for c in text if c.isprintable()).split())
    if not 1 <= len(title) <= 200:
        problem = FieldProblem("title", "length", "Write 1 to 200 characters.")
        raise InvalidInput("The document needs a title.", problems=[problem])
    return title


def clean_locale(text: str) -> str:
    """A BCP 47 tag such as `en` or `pt-BR`. Raises InvalidInput."""
    if len(text) > 35 or not _LOCALE.fullmatch(text):
        problem = FieldProblem("locale", "pattern", "Use a language tag such as en or pt-BR.")
        raise InvalidInput("The language is not one that we know.", problems=[problem])
    return text


def preferred(locales: list[str], wanted: str) -> str:
    """The best of the available languages: the wanted one, its base, English, else the first."""
    for choice in (wanted, wanted.split("-", maxsplit=1)[0], FALLBACK_LOCALE):
        if choice in locales:
            return choice
    return locales[0]
