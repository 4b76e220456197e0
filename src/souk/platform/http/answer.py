"""One answer on its way out: security headers, the ETag, compression."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, cast

from litestar.types import Message, Scope, Send

from souk.platform.http.access import is_for_all

_ETAG_LIMIT = 512 * 1024
_WORTH_COMPRESSING = 1_000
_COMPRESSION_LEVEL = 5
_GZIP_WINDOW = 31  # zlib's way to ask for gzip's own header, which then has no time in it
_TEXTS = (b"text/", b"application/json", b"application/problem+json", b"application/xml",
          b"application/atom+xml", b"application/rss+xml", b"image/svg+xml",
          b"application/manifest+json")  # fmt: skip
_NOT_KEPT = (b"cache-control", b"private, no-store")
_NOT_OF_304 = {b"content-length", b"content-type", b"content-encoding"}

Headers = list[tuple[bytes, bytes]]
_Raw = dict[str, Any]


@dataclass(slots=True)
class Whole:
    """A complete 200 with its ETag, before compression: what may be sent again to others."""

    headers: Headers
    """Everything but length, encoding, ETag and request id."""
    body: bytes
    digest: bytes
    compressible: bool
    _compressed: bytes | None = field(default=None)

    def compressed(self) -> bytes:
        """The body as gzip, made once."""
        if self._compressed is None:
            self._compressed = zlib.compress(self.body, _COMPRESSION_LEVEL, _GZIP_WINDOW)
        return self._compressed

    @property
    def size(self) -> int:
        """Bytes that keeping it costs, about."""
        return 1_024 + len(self.body) + len(self._compressed or b"")


class Answer:
    """Stands between the application and the server for one request.

    An answer in one piece to a GET gets an ETag of its content, which is compared before anything
    is compressed; a streamed one, and one that brings its own ETag or encoding, goes as it is.
    """

    __slots__ = (
        "_headers", "_known", "_request_id", "_scope", "_send", "_start", "_takes_gzip",
        "status", "whole",
    )  # fmt: skip

    def __init__(self, scope: Scope, send: Send, headers: Headers, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self._request_id = request_id.encode()
        self._start: _Raw | None = None
        self._known = b""
        self._takes_gzip = False
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                self._known = value
            elif name == b"accept-encoding":
                self._takes_gzip = b"gzip" in value
        self.status = 0
        self.whole: Whole | None = None

    async def __call__(self, typed: Message) -> None:
        message = cast("_Raw", typed)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message["headers"])
            present = {name for name, _ in headers}
            headers.extend(item for item in self._headers if item[0] not in present)
            if b"cache-control" not in present and not is_for_all(self._scope):
                headers.append(_NOT_KEPT)
            self._start = {**message, "headers": headers}
            return
        if message["type"] == "http.response.body" and self._start is not None:
            start, self._start = self._start, None
            if message.get("more_body"):
                start["headers"].append((b"x-request-id", self._request_id))
                await self._send(cast("Message", start))
            else:
                await self._send_one(start["headers"], message.get("body", b""))
                return
        await self._send(typed)

    async def _send_one(self, headers: Headers, body: bytes) -> None:
        """An answer in one piece."""
        present = dict(headers)
        compressible = len(body) >= _WORTH_COMPRESSING and self._may_compress(present)
        plain = [item for item in headers if item[0] != b"content-length"]
        if compressible:
            plain.append((b"vary", b"accept-encoding"))
        if self._has_etag(present, body):
            digest = blake2b(body, digest_size=12).hexdigest().encode()
            self.whole = Whole(plain, body, digest, compressible)
            await self.send_whole(self.whole)
            return
        if compressible and self._takes_gzip:
            body = zlib.compress(body, _COMPRESSION_LEVEL, _GZIP_WINDOW)
            plain.append((b"content-encoding", b"gzip"))
        if compressible:
            plain.append((b"content-length", b"%d" % len(body)))
        elif b"content-length" in present:
            # As it was said: the answer to a HEAD tells of a body that it does not have.
            plain.append((b"content-length", present[b"content-length"]))
        await self._finish(plain, body)

    def _may_compress(self, present: dict[bytes, bytes]) -> bool:
        handler = cast("_Raw", self._scope).get("route_handler")
        return (
            # Ranges and lengths are those of the file itself: `uncompressed=True` on a route.
            not (handler is not None and handler.opt.get("uncompressed"))
            and b"content-encoding" not in present
            and b"content-range" not in present
            and present.get(b"content-type", b"").startswith(_TEXTS)
        )

    def _has_etag(self, present: dict[bytes, bytes], body: bytes) -> bool:
        return (
            cast("_Raw", self._scope)["method"] == "GET"
            and self.status == 200
            and len(body) <= _ETAG_LIMIT
            and b"set-cookie" not in present
            and b"etag" not in present
            and b"content-range" not in present
        )

    async def send_whole(self, whole: Whole) -> None:
        """Send it, or say 304 to whoever has it already."""
        gzip = whole.compressible and self._takes_gzip
        tag = b'"%b-gzip"' % whole.digest if gzip else b'"%b"' % whole.digest
        headers = [*whole.headers, (b"etag", tag)]
        # The digest names the content in either encoding.
        if whole.digest in self._known:
            self.status = 304
            await self._finish([item for item in headers if item[0] not in _NOT_OF_304], b"")
            return
        self.status = 200
        body = whole.compressed() if gzip else whole.body
        if gzip:
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        await self._finish(headers, body)

    async def _finish(self, headers: Headers, body: bytes) -> None:
        headers.append((b"x-request-id", self._request_id))
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
