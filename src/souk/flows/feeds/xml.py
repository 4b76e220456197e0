"""Texts and times as XML wants them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.sax.saxutils import escape

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0 knows no other control characters than these three, not even escaped.
_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def element(name: str, text: str) -> str:
    """One element with text; nothing when there is none."""
    return f"<{name}>{escape(_FORBIDDEN.sub('', text))}</{name}>" if text else ""


def w3c(when: datetime) -> str:
    """Seconds in UTC, as sitemaps date their entries."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
