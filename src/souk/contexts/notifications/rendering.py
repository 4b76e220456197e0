"""Letters as mail: one layout, compiled from MJML once, filled in by Jinja for each message."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import mjml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from souk.contexts.notifications.domain import Letter, Say
from souk.platform.mail import Mail

_FOLDER = Path(__file__).parent / "templates"


@cache
def _layouts() -> tuple[Template, Template]:
    """The HTML and the plain layout. Placeholders pass through the MJML compiler as they are."""
    markup = (_FOLDER / "layout.mjml").read_text(encoding="utf-8")
    html = cast("str", cast("Any", mjml).mjml2html(markup, fonts={}))
    strict = StrictUndefined
    pages = Environment(autoescape=True, undefined=strict)
    texts = Environment(
        autoescape=False,  # noqa: S701 - plain text
        undefined=strict,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(_FOLDER),
    )
    return pages.from_string(html), texts.get_template("layout.txt")


def mail_of(
    letter: Letter, say: Say, *, to: str, base_url: str, message_id: UUID, unsubscribe: str = ""
) -> Mail:
    """The letter as a mail to one address, in HTML and in plain text.

    `unsubscribe` is the path of the page that ends mails like this one. Mail programs show it as a
    button of their own, which posts (RFC 8058).
    """
    html, plain = _layouts()
    base = base_url.rstrip("/")
    url = letter.path if letter.path.startswith(("http://", "https://")) else base + letter.path
    values = {
        "letter": letter,
        "locale": say.locale,
        "direction": say.direction,
        "marketplace": say.marketplace,
        "base_url": base,
        "url": url,
        "unsubscribe": base + unsubscribe if unsubscribe else "",
        "unsubscribe_text": say("No more mails about this"),
        "footer": say("You get this mail because of something that you did at {marketplace}."),
    }
    return Mail(
        to=to,
        # A line break in a name must not become a header of its own.
        subject=" ".join(letter.subject.split()),
        html=html.render(values),
        plain=plain.render(values),
        headers={
            "X-Entity-Ref-ID": str(message_id),
            "Auto-Submitted": "auto-generated",
            **(_one_click(base + unsubscribe) if unsubscribe else {}),
        },
    )


def _one_click(url: str) -> dict[str, str]:
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
