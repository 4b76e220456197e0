"""Keyset pagination: a page of rows and an opaque cursor to the next one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from souk.kernel.errors import DomainError, ErrorKind

T = TypeVar("T")
MAX_LIMIT = 100
_LONGEST = 4_096
DEFAULT_LIMIT = 20


class BadCursor(DomainError):
    """The cursor was not one that this server gave out for this list."""

    code = "bad_cursor"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("The page cursor is not valid. Start again from the first page.")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`items` in order, and the cursor of the next page, None on the last."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*keys: str | int | None) -> str:
    """The sort keys of the last row shown, as an opaque URL-safe string."""
    raw = json.dumps(keys, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(cursor: str, *, size: int) -> list[str | int | None]:
    """The `size` keys inside `cursor`. Raises BadCursor for anything this server did not make."""
    if len(cursor) > _LONGEST:
        raise BadCursor
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        keys: object = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursor from error
    if not isinstance(keys, list) or len(keys) != size:
        raise BadCursor
    if not all(key is None or isinstance(key, str | int) for key in keys):
        raise BadCursor
    if any(isinstance(key, str) and "\x00" in key for key in keys):
        raise BadCursor
    return keys


def page_of(rows: Sequence[T], *, limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """A page from `limit + 1` fetched rows: the extra row only says that there is a next page."""
    items = list(rows[:limit])
    more = len(rows) > limit
    return Page(items=items, next_cursor=cursor_of(items[-1]) if more and items else None)
