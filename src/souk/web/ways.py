"""Where a visitor is sent on to: paths of this site and nothing else."""

from __future__ import annotations

from urllib.parse import quote

_PATH = "/?#[]@!$&'()*+,;=:%~-._"


def safe_path(to: str) -> str:
    """`to` when it is a path of this site: no scheme, no host, no back-slash tricks."""
    plain = to.startswith("/") and not to.startswith(("//", "/\\"))
    return to if plain and not any(ord(char) < 33 or ord(char) == 127 for char in to) else "/"


def location(to: str) -> str:
    """As `safe_path`, for a header, which is ASCII: the rest as browsers write it in addresses."""
    path = safe_path(to)
    return path if path.isascii() else quote(path, safe=_PATH, errors="replace")
