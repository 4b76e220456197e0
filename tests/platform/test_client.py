"""The small HTTP client against a server that says whatever a test wants, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from souk.platform.http.client import HttpClient, Unanswered
from tests.payments.conftest import free_port

END = b"the connection ends here"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request with the next of `says`, in pieces; None and END close."""

    def __init__(self, *says: list[bytes] | None) -> None:
        self.says = list(says)
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                pieces = self.says.pop(0)
                if pieces is None:
                    return
                for piece in pieces:
                    if piece is END:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()


@pytest.fixture
def serving() -> Callable[..., object]:
    @asynccontextmanager
    async def serve(*says: list[bytes] | None) -> AsyncIterator[Server]:
        made = Server(*says)
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield made
        finally:
            server.close()

    return serve


async def ask(client: HttpClient, target: str = "/x", content: bytes | None = None):
    return await client.ask("POST", target, headers={"a": "b"}, content=content)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n"
)


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([OK], 200, b"ok"),
        ([OK[:20], OK[20:-1], OK[-1:]], 200, b"ok"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
        ([b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"], 404, b""),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], 200, b"ok"),
        ([CHUNKED + b"\r\n"], 200, b"hello world"),
        ([CHUNKED[:52], CHUNKED[52:60], CHUNKED[60:], b"\r\n"], 200, b"hello world"),
        ([CHUNKED + b"trailer: 1\r\n\r\n"], 200, b"hello world"),
    ],
)
async def test_answers_in_one_piece_or_many(serving, pieces, status, body) -> None:
    async with serving(pieces, [OK]) as server:
        client = HttpClient(server.url)
        reply = await ask(client, content=b"{}")
        assert (reply.status, reply.body) == (status, body)
        assert server.bodies == [b"{}"]
        assert (await ask(client)).body == b"ok"
        assert server.connections == 1, "the connection was kept"
        await client.close()


async def test_without_a_length_the_end_is_where_the_connection_ends(serving) -> None:
    async with serving([b"HTTP/1.1 200 OK\r\n\r\nall ", b"of it", END], [OK]) as server:
        client = HttpClient(server.url)
        assert (await ask(client)).body == b"all of it"
        assert (await ask(client)).body == b"ok"
        assert server.connections == 2
        await client.close()


@pytest.mark.parametrize("last", ["connection: close", "Connection: Close"])
async def test_a_server_that_closes_is_connected_to_again(serving, last) -> None:
    answer = f"HTTP/1.1 200 OK\r\n{last}\r\ncontent-length: 2\r\n\r\nok".encode()
    async with serving([answer], [OK]) as server:
        client = HttpClient(server.url)
        await ask(client)
        await ask(client)
        assert server.connections == 2
        await client.close()


async def test_an_idle_connection_that_the_server_closed_is_not_used(serving) -> None:
    async with serving([OK, b"HTTP/1.1 408 Request Timeout\r\n\r\n"], [OK]) as server:
        client = HttpClient(server.url)
        await ask(client)
        await asyncio.sleep(0.1)
        assert (await ask(client)).status == 200
        assert server.connections == 2
        await client.close()


@pytest.mark.parametrize(
    "said",
    [
        None,
        [b"SSH-2.0-OpenSSH\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
        [b"HTTP/1.1 200 OK\r\n" + b"a: " + b"x" * 70_000],
    ],
)
async def test_what_is_no_answer(serving, said) -> None:
    async with serving(said) as server:
        client = HttpClient(server.url)
        with pytest.raises(Unanswered) as caught:
            await ask(client)
        assert caught.value.sent


async def test_no_answer_in_time_and_the_connection_is_not_used_again(serving) -> None:
    async with serving([], [OK]) as server:
        client = HttpClient(server.url, timeout=0.2)
        with pytest.raises(Unanswered) as caught:
            await ask(client)
        assert caught.value.sent
        assert (await ask(client)).status == 200
        assert server.connections == 2


async def test_nobody_there() -> None:
    client = HttpClient(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unanswered) as caught:
        await ask(client)
    assert not caught.value.sent


async def test_no_connection_comes_free(serving) -> None:
    async with serving([]) as server:
        client = HttpClient(server.url, connect=0.1, most=1, timeout=2)
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(0.05)
        with pytest.raises(Unanswered) as caught:
            await ask(client)
        assert not caught.value.sent
        first.cancel()


async def test_what_is_sent(serving) -> None:
    async with serving([OK], [OK]) as server:
        client = HttpClient(f"{server.url}/base/")
        await client.ask("GET", "/v1/x?y=1", headers={"authorization": "Bearer k"})
        await client.ask("POST", "", headers={}, content=b"")
        host = server.url.removeprefix("http://").encode()
        assert server.heads == [
            b"GET /base/v1/x?y=1 HTTP/1.1\r\nhost: %b\r\nauthorization: Bearer k\r\n\r\n" % host,
            b"POST /base HTTP/1.1\r\nhost: %b\r\ncontent-length: 0\r\n\r\n" % host,
        ]
        await client.close()


@pytest.mark.parametrize("target", ["x", "/a b", "/a\r\nx: y", "//\u00e9"])
async def test_a_request_cannot_be_smuggled_in(serving, target) -> None:
    async with serving() as server:
        client = HttpClient(server.url)
        with pytest.raises(ValueError, match="cannot be sent"):
            await ask(client, target)
        with pytest.raises(ValueError, match="cannot be sent"):
            await client.ask("GET", "/", headers={"key": "a\r\nhost: b"})
        assert server.heads == []
        await client.close()


async def test_an_answer_without_an_end_is_given_up(serving) -> None:
    endless = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 1_000_000] * 18]
    async with serving(endless) as server:
        client = HttpClient(server.url)
        with pytest.raises(Unanswered) as caught:
            await ask(client)
        assert caught.value.sent
        await client.close()
