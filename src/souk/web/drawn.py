"""Drawn pages, kept in the process."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Hashable


class Drawn:
    """Pages drawn for visitors who are not signed in, the least recently asked for dropped first.

    Each holds `place` where the visitor's own CSRF token belongs; it is random per process, so that
    no text of a listing can imitate it. Pages are kept as they are sent, since one euro sign makes
    every character of a string take two bytes. At most `most` bytes.
    """

    def __init__(self, most: int) -> None:
        self.place = secrets.token_urlsafe(24).encode()
        self._most = most
        self._size = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()

    def find(self, key: Hashable) -> bytes | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, html: bytes) -> None:
        self._size += len(html) - len(self._kept.get(key, b""))
        self._kept[key] = html
        while self._size > self._most:
            self._size -= len(self._kept.popitem(last=False)[1])
