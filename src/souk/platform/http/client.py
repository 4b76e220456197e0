"""HTTP to one server that we chose ourselves: small requests, whole answers, kept connections.

httpcore is the part of httpx that speaks to the network. What httpx adds (redirects, cookies,
proxies, decoding) is nothing that a call to a gateway needs, and was most of what one cost; half of
the rest was httpcore's pool, which looks at all of its connections before and after each request.
For addresses that other people give us there is httpx.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpcore

_MOST_BODY = 16 * 1024 * 1024
_TARGET = re.compile(r"(?:/[!-~]*)?")
_UNSENT = (httpcore.ConnectError, httpcore.ConnectTimeout)
_KEPT_SECONDS = 30.0


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
    `timeout` is for sending and for each wait for a part of the answer, `connect` for making a
    connection and for the wait for one that is free, in seconds. The certificate of an https
    address is checked.
    """

    def __init__(
        self, url: str, *, timeout: float = 10.0, connect: float = 2.0, most: int = 50
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url} is not an address to connect to")
        self._scheme = parts.scheme.encode()
        self._server = parts.hostname.encode()
        self._port = parts.port
        self._base = parts.path.rstrip("/")
        self._name = parts.netloc.rpartition("@")[2].encode()
        self._connect = min(connect, timeout)
        self._extensions = {
            "timeout": {"connect": self._connect, "read": timeout, "write": timeout}
        }
        self._turns = asyncio.Semaphore(most)
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def ask(
        self, method: str, target: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> Reply:
        """Send one request and wait for all of its answer. Raises Unanswered; ValueError for a
        target or header that HTTP has no room for."""
        if not _TARGET.fullmatch(target):
            raise ValueError(f"this cannot be sent as a request: {target!r}")
        path = (self._base + target or "/").encode()
        sent = [(b"host", self._name)]
        sent += [(name.encode(), value.encode()) for name, value in headers.items()]
        if content is not None:
            sent.append((b"content-length", str(len(content)).encode()))
        try:
            request = httpcore.Request(
                method,
                httpcore.URL(scheme=self._scheme, host=self._server, port=self._port, target=path),
                headers=sent,
                content=content or b"",
                extensions=self._extensions,
            )
            response, body = await self._asked(request)
        except httpcore.LocalProtocolError as error:
            raise ValueError(f"this cannot be sent as a request: {error}") from error
        except _UNSENT as error:
            raise Unanswered(f"no connection: {error!r}", sent=False) from error
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Unanswered(repr(error), sent=True) from error
        told = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
        return Reply(response.status, told, body)

    async def _asked(self, request: httpcore.Request) -> tuple[httpcore.Response, bytes]:
        try:
            async with asyncio.timeout(self._connect):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unanswered("every connection is in use", sent=False) from error
        connection = await self._free(request)
        try:
            response = await connection.handle_async_request(request)
            body = await _read(response)
            await response.aclose()
        finally:
            self._turns.release()
            if connection.is_idle():
                self._idle.append(connection)
            else:
                await connection.aclose()
        return response, body

    async def _free(self, request: httpcore.Request) -> httpcore.AsyncHTTPConnection:
        """The connection used last, unless the server has closed it since; else a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(request.url.origin, keepalive_expiry=_KEPT_SECONDS)

    async def close(self) -> None:
        """Drop what is idle."""
        while self._idle:
            await self._idle.pop().aclose()


async def _read(response: httpcore.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_stream():
        size += len(part)
        if size > _MOST_BODY:
            raise httpcore.RemoteProtocolError("its body is too long")
        parts.append(part)
    return b"".join(parts)
