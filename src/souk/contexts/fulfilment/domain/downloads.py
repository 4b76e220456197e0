"""Digital delivery: who may download a file, how often, through which link, and which bytes."""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from souk.contexts.fulfilment.errors import (
    DownloadRevoked,
    DownloadsUsedUp,
    DownloadTooOften,
    LinkNotValid,
)
from souk.kernel.sealed import seal, unseal

LINK_LIFE = timedelta(hours=24)
GRANT_LIFE = timedelta(days=365)
MAX_DOWNLOADS = 5
PER_HOUR = 10
_HOUR = timedelta(hours=1)
_SESSION_LIFE = timedelta(hours=24)
# A broken connection asks again for the whole rest, so a download may ask for more than its size;
# past four times the size, resuming has become downloading again.
_RESUME_FACTOR = 4
_LINK = struct.Struct(">B16sI8s")
_VERSION = 1
_PURPOSE = "download-link"


class DigitalFile(msgspec.Struct, frozen=True):
    """A file that a listing sells; `size` in bytes. The content behind a key never changes."""

    file_id: UUID
    storage_key: str
    filename: str
    size: int
    content_type: str


class DigitalLine(msgspec.Struct, frozen=True, kw_only=True):
    """An order line with digital goods: its files, and how many licence keys it is owed."""

    order_line_id: UUID
    seller_order_id: UUID
    seller_id: UUID
    variant_id: UUID
    quantity: int
    files: list[DigitalFile]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The right to download one file that came with one order line."""

    id: UUID
    order_line_id: UUID
    seller_order_id: UUID
    buyer_id: UUID | None
    buyer_email: str
    file_id: UUID
    storage_key: str
    filename: str
    content_type: str
    size: int
    expires_at: datetime
    max_downloads: int
    downloads: int
    revoked_at: datetime | None
    revoked_for: str

    @property
    def etag(self) -> str:
        """A strong validator: the content behind a file's id never changes."""
        return f'"{self.file_id.hex}"'

    def buyer(self) -> str:
        """Whose hourly allowance a download uses."""
        return str(self.buyer_id) if self.buyer_id else self.buyer_email.casefold()

    def state(self, now: datetime) -> str:
        """`ready`, `revoked`, `expired` or `used_up`."""
        if self.revoked_at is not None:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        return "used_up" if self.downloads >= self.max_downloads else "ready"

    def check_open(self, now: datetime) -> None:
        """Raises DownloadRevoked when no byte may leave any more."""
        if self.revoked_at is not None:
            raise DownloadRevoked(reason=self.revoked_for)
        if now >= self.expires_at:
            raise DownloadRevoked(reason="expired")


class Session(msgspec.Struct, frozen=True):
    """One counted download: further ranges of it are not counted again."""

    id: UUID
    started_at: datetime
    resumed_bytes: int


class ByteRange(msgspec.Struct, frozen=True):
    """Bytes from `start` up to and not including `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def resumes(session: Session | None, wanted: ByteRange, *, size: int, now: datetime) -> bool:
    """Whether the range goes on with a download that was already counted.

    A request for the beginning is a new download. One for a later part goes on with the last
    download through the same link, until it has asked for several times the file's size.
    """
    return (
        session is not None
        and wanted.start > 0
        and now - session.started_at < _SESSION_LIFE
        and session.resumed_bytes + wanted.length <= _RESUME_FACTOR * size
    )


def check_allowance(grant: Grant, *, recent: list[datetime], now: datetime) -> None:
    """Raises DownloadsUsedUp or DownloadTooOften. `recent` are the buyer's latest downloads."""
    if grant.downloads >= grant.max_downloads:
        raise DownloadsUsedUp(most=grant.max_downloads)
    within = sorted(at for at in recent if now - at < _HOUR)
    if len(within) >= PER_HOUR:
        free_at = within[-PER_HOUR] + _HOUR
        raise DownloadTooOften(retry_after=max(1, int((free_at - now).total_seconds())))


class Link(msgspec.Struct, frozen=True):
    """What a link proves: the right to use `grant_id` until `expires_at`. `nonce` names it."""

    grant_id: UUID
    expires_at: datetime
    nonce: bytes


def sign(link: Link, *, secret: str) -> str:
    """The link as URL text."""
    seconds = int(link.expires_at.timestamp())
    body = _LINK.pack(_VERSION, link.grant_id.bytes, seconds, link.nonce)
    return seal(body, purpose=_PURPOSE, secret=secret)


def open_link(text: str, *, secret: str, now: datetime) -> Link:
    """The link in `text`. Raises LinkNotValid when it was not made here or has ended."""
    if len(text) > 200:
        raise LinkNotValid
    body = unseal(text, size=_LINK.size, purpose=_PURPOSE, secret=secret)
    if body is None:
        raise LinkNotValid
    version, grant_id, seconds, nonce = _LINK.unpack(body)
    expires_at = datetime.fromtimestamp(seconds, UTC)
    if version != _VERSION or now >= expires_at:
        raise LinkNotValid
    return Link(UUID(bytes=grant_id), expires_at, nonce)


_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):
    """No requested byte is in the file."""


def parse_range(header: str | None, *, size: int) -> ByteRange | None:
    """The one range that a `Range` header asks for; None means the whole file.

    RFC 9110, 14.2: a header that is not understood, or that asks for several ranges, is ignored.
    Raises Unsatisfiable.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        wanted = int(last)
        if wanted == 0 or size == 0:
            raise Unsatisfiable
        return ByteRange(max(size - wanted, 0), size)
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return ByteRange(start, end)


class LicenceKey(msgspec.Struct, frozen=True):
    """A key that a buyer was given. Its content is a secret of the buyer's: never logged."""

    order_line_id: UUID
    content: str

    def __repr__(self) -> str:
        return f"LicenceKey(order_line_id={self.order_line_id!r}, content='…')"
