"""What a browser says of itself, in words that its owner recognises."""

from __future__ import annotations

# The first that is found counts: later names are contained in the texts of earlier ones.
_BROWSERS = {
    "Edg/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "SamsungBrowser/": "Samsung Internet",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
_SHOWN = 40


def device_name(agent: str | None) -> str:
    """Such as `Firefox, Linux`; the beginning of what is no browser; empty when nothing is said."""
    text = agent or ""
    browser = next((name for mark, name in _BROWSERS.items() if mark in text), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in text), "")
    return ", ".join(part for part in (browser, system) if part) or text[:_SHOWN]
