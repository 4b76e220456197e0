"""A load generator of one process: keep-alive connections over raw sockets, on uvloop.

It does as little as an HTTP client can, and says how much processor time it took itself, so that a
figure that measures the client instead of the server can be told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import msgspec
import uvloop

T = TypeVar("T")
CONNECTIONS = 8


@dataclass(slots=True)
class Answer:
    """What came back: `head` holds the status line and headers in lower case."""

    status: int
    head: bytes
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def header(self, name: str) -> str:
        """The value of a header; empty when it is absent."""
        start = self.head.find(b"\r\n" + name.lower().encode() + b": ")
        if start < 0:
            return ""
        line = self.head[start + len(name) + 4 :]
        return line[: line.find(b"\r\n")].decode()


class Connection(asyncio.Protocol):
    """One keep-alive connection; `ask` sends a request and awaits its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[: end + 2].lower()
        length = _length(head)
        if len(self._buffer) - end - 4 < length:
            return
        body = self._buffer[end + 4 : end + 4 + length]
        self._buffer = b""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(int(head[9:12]), head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server closed the connection"))

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send one request. One at a time per connection."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    start = head.find(b"\r\ncontent-length: ")
    if start < 0:
        return 0
    return int(head[start + 18 : head.find(b"\r\n", start + 18)])


async def connect(port: int) -> Connection:
    """A connection to a role on this machine."""
    _, protocol = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return protocol


def request(
    method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None
) -> bytes:
    """The bytes of a request; `body` is sent as JSON."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "accept: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = b""
    if body is not None:
        content = msgspec.json.encode(body)
        lines += ["content-type: application/json", f"content-length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


Step = Callable[[Connection, int], Awaitable[None]]
"""One unit of work on a connection; the number tells repetitions apart."""


@dataclass(slots=True)
class Load:
    """What a run of load saw. Times in seconds; `latencies` are of whole units of work."""

    seconds: float
    client_cpu: float
    latencies: list[float] = field(default_factory=list[float])

    @property
    def rate(self) -> float:
        """Units of work a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def drive(
    port: int,
    step: Step,
    *,
    seconds: float,
    connections: int = CONNECTIONS,
    first: int = 0,
    most: int | None = None,
) -> Load:
    """Repeat `step` on every connection for so many seconds, at most `most` times in all.

    `first` is the first number.
    """
    opened = [await connect(port) for _ in range(connections)]
    latencies: list[float] = []
    number = first
    clock = time.perf_counter
    began, cpu = clock(), time.process_time()
    end = began + seconds

    async def work(connection: Connection) -> None:
        nonlocal number
        now = clock()
        while now < end and (most is None or number - first < most):
            mine, number = number, number + 1
            await step(connection, mine)
            done = clock()
            latencies.append(done - now)
            now = done

    try:
        async with asyncio.TaskGroup() as group:
            for connection in opened:
                group.create_task(work(connection))
        return Load(clock() - began, time.process_time() - cpu, latencies)
    finally:
        for connection in opened:
            connection.close()


def getting(
    path: str | list[str], *, status: int = 200, headers: dict[str, str] | None = None
) -> Step:
    """A step that asks for an address, or for each of several in turn, and checks the status."""
    paths = [path] if isinstance(path, str) else path
    requests = [request("GET", one, headers=headers) for one in paths]
    count = len(requests)

    async def step(connection: Connection, number: int) -> None:
        answer = await connection.ask(requests[number % count])
        if answer.status != status:
            raise AssertionError(f"{paths[number % count]}: {answer.status} {answer.body[:300]!r}")

    return step


def getting_anew(path: str | list[str]) -> Step:
    """As `getting`, each time at an address that nobody asked for before: nothing can be kept."""
    paths = [path] if isinstance(path, str) else path
    marked = [f"{one}{'&' if '?' in one else '?'}unseen=" for one in paths]

    async def step(connection: Connection, number: int) -> None:
        asked = f"{marked[number % len(marked)]}{number}"
        answer = await connection.ask(request("GET", asked))
        if answer.status != 200:
            raise AssertionError(f"{asked}: {answer.status} {answer.body[:300]!r}")

    return step


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop."""
    return uvloop.run(main)
