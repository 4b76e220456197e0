"""The e-mail address to which a purchase is confirmed."""

from __future__ import annotations

import re
import unicodedata

from souk.kernel.errors import FieldProblem, InvalidInput

# The subset of RFC 5321 that mail providers give out: no quoted local parts, no address literals.
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_MAX = 254


def checked_email(text: str, *, path: str = "email") -> str:
    """The address with its domain in lower-case ASCII (IDNA). Raises InvalidInput."""
    # Cut before it is looked at: what follows takes longer than its length. It is too long anyway.
    tidy = unicodedata.normalize("NFC", text.strip()[: 2 * _MAX])
    local, _, domain = tidy.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        ascii_domain = ""
    fits = len(tidy) <= _MAX and len(local) <= 64
    if fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(ascii_domain):
        return f"{local}@{ascii_domain}"
    message = "This is not an e-mail address. Write it like name@example.com."
    raise InvalidInput(message, problems=[FieldProblem(path, "invalid", message)])
