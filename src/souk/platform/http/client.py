"""HTTP/1.1 to one server that we chose ourselves: small requests, whole answers, kept connections.

No redirects, cookies, proxies or compression: what speaks to a gateway needs none of them, and they
were most of what a call cost. For addresses that other people give us there is httpx.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit

_MOST_HEAD = 64 * 1024
_MOST_BODY = 16 * 1024 * 1024
_TARGET = re.compile(r"(?:/[!-~]*)?")
_BREAK = re.compile(r"[\r\n]")
_BODILESS = {204, 304}


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unanswered(OSError):
    """No whole answer came. `sent` is False when the server cannot have seen the request."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Asks(Protocol):
    """What `HttpClient` does; for a server without a socket there may be others."""

    async def ask(
        self, method: str, target: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> Reply: ...

    async def close(self) -> None: ...


class HttpClient:
    """Kept-alive connections to the server of `url`, at most `most` at once.

    What is asked for stands below the path of `url`; an empty `target` asks for that itself.
    `timeout` is for everything after the connection stands, `connect` for its making and for the
    wait for one, in seconds.
    """

    def __init__(
        self, url: str, *, timeout: float = 10.0, connect: float = 2.0, most: int = 50
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url} is not an address to connect to")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._base = parts.path.rstrip("/")
        self._name = parts.netloc.rpartition("@")[2]
        self._timeout = timeout
        self._connect = min(connect, timeout)
        self._free = asyncio.Semaphore(most)
        self._idle: list[_Connection] = []

    async def ask(
        self, method: str, target: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> Reply:
        """Send one request and wait for all of its answer. Raises Unanswered; ValueError for a
        target or header that would not arrive as it is."""
        request = self._written(method, target, headers, content)
        try:
            async with asyncio.timeout(self._connect):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unanswered("no connection came free", sent=False) from error
        try:
            connection = self._kept() or await self._made()
            try:
                async with asyncio.timeout(self._timeout):
                    reply = await connection.ask(request)
            except TimeoutError as error:
                raise Unanswered("no answer in time", sent=True) from error
            finally:
                if connection.reusable:
                    self._idle.append(connection)
                else:
                    connection.drop()
            return reply
        finally:
            self._free.release()

    def _written(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes | None
    ) -> bytes:
        if not _TARGET.fullmatch(target) or any(_BREAK.search(one) for one in headers.values()):
            raise ValueError(f"this cannot be sent as a request: {target!r}")
        lines = [f"{method} {self._base + target or '/'} HTTP/1.1", f"host: {self._name}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if content is not None:
            lines.append(f"content-length: {len(content)}")
        return "\r\n".join([*lines, "", ""]).encode() + (content or b"")

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _made(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect):
                _, made = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            raise Unanswered(f"no connection: {error!r}", sent=False) from error
        return made

    async def close(self) -> None:
        """Drop what is idle."""
        while self._idle:
            self._idle.pop().drop()


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._buffer = bytearray()
        self.reusable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> Reply:
        assert self._transport is not None
        # Until its answer is whole, nobody else may use it: also when this is cut off.
        self.reusable = False
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._read(ended=False)

    def eof_received(self) -> None:
        self.reusable = False
        self._read(ended=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._fail(f"the connection ended: {exc!r}")

    def _read(self, *, ended: bool) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            # Nobody asked: what a server says then (a time-out, mostly) is no answer to the next.
            self.drop()
            return
        try:
            found = _parsed(self._buffer, ended=ended)
        except ValueError as error:
            self._fail(f"not an answer: {error}")
            self.drop()
            return
        if found is not None:
            reply, used, lasting = found
            self.reusable = lasting and not ended and used == len(self._buffer)
            self._buffer.clear()
            self._waiting = None
            waiting.set_result(reply)

    def _fail(self, why: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Unanswered(why, sent=True))

    def drop(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()


def _parsed(buffer: bytearray, *, ended: bool) -> tuple[Reply, int, bool] | None:
    """The answer at the start of the buffer, its length, and whether the connection goes on.

    None while a part is missing; raises ValueError for what is not HTTP (RFC 9112).
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > _MOST_HEAD:
            raise ValueError("its head is too long")
        return None
    first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError(f"it begins with {first[:40]!r}")
    status, begin = int(rest[:3]), end + 4
    if 100 <= status < 200:
        del buffer[:begin]
        return _parsed(buffer, ended=ended)
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    lasting = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if status in _BODILESS:
        return Reply(status, headers, b""), begin, lasting
    if headers.get("transfer-encoding", "").lower() == "chunked":
        chunks = _chunks(buffer, begin)
        return chunks and (Reply(status, headers, chunks[0]), chunks[1], lasting)
    length = headers.get("content-length")
    if length is None:
        body = bytes(buffer[begin:])
        return (Reply(status, headers, body), len(buffer), False) if ended else None
    if not length.isascii() or not length.isdigit() or int(length) > _MOST_BODY:
        raise ValueError(f"a length of {length[:40]}")
    stop = begin + int(length)
    if len(buffer) < stop:
        return None
    return Reply(status, headers, bytes(buffer[begin:stop])), stop, lasting


def _chunks(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    body = bytearray()
    while (end := buffer.find(b"\r\n", at)) >= 0:
        size = int(bytes(buffer[at:end]).partition(b";")[0], 16)
        at = end + 2
        if not 0 <= size <= _MOST_BODY - len(body):
            raise ValueError("its body is too long")
        if size == 0:
            # Trailers, which nobody reads, end with an empty line.
            close = at - 2 if buffer.startswith(b"\r\n", at) else buffer.find(b"\r\n\r\n", at)
            if close < 0 or len(buffer) < close + 4:
                return None
            return bytes(body), close + 4
        body += buffer[at : at + size]
        if len(buffer) < at + size + 2:
            return None
        at += size + 2
    return None
