"""Pictures that a file names: fetched from the open internet only, and never from inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
import pyvips

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.flows.import_listings import fetch as fetching
from souk.flows.import_listings import pictures
from souk.flows.import_listings.fetch import FetchError, fetch, is_public
from souk.kernel.actor import system
from souk.kernel.ids import uuid7
from souk.platform.services import Services
from tests.flows.import_listings.steps import (
    RunState,
    done,
    import_file,
    open_shop,
    results,
)


def picture() -> bytes:
    noise = pyvips.Image.gaussnoise(80, 60, mean=128, sigma=40)
    return noise.cast("uchar").jpegsave_buffer()


@asynccontextmanager
async def server(answers: dict[str, bytes]) -> AsyncIterator[tuple[int, list[str]]]:
    """A web server on this machine that answers raw bytes by path; and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        writer.write(answers.get(head.split(" ")[1], b"HTTP/1.1 404 Gone\r\n\r\n"))
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1], asked


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {to}\r\n\r\n".encode()


@pytest.fixture
def here() -> Callable[[int], Callable[[str], object]]:
    """`fetch` that takes this machine's own address for public, on one port."""
    return lambda port: partial(
        fetch, allowed=lambda ip: ip == "127.0.0.1", ports=frozenset({port}), max_bytes=10_000
    )


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.9.9", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1",
     "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"],
)  # fmt: skip
def test_addresses_of_our_own_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x.jpg", "http://localhost/x.jpg", "http://[::1]/x.jpg", "http://0/x.jpg",
     "http://2130706433/", "http://0x7f.1/", "http://169.254.169.254/latest/meta-data",
     "ftp://example.com/x", "file:///etc/passwd", "http://user:pw@93.184.216.34/",
     "http://93.184.216.34:22/", "http:///x", "http://[broken/", "https://", "//x", "http://a:x/"],
)  # fmt: skip
async def test_nothing_inside_is_ever_fetched(url: str) -> None:
    with pytest.raises(FetchError):
        await fetch(url)


async def test_a_redirect_leads_through_the_same_door(here: Callable[..., object]) -> None:
    async with server({"/a": moved("http://169.254.169.254/"), "/b": moved("/c"),
                       "/c": ok(b"found"), "/d": moved("/d"), "/e": moved("file:///etc/passwd"),
                       "/f": ok(b"x" * 20_000), "/g": b"nonsense"}) as (port, asked):  # fmt: skip
        get = here(port)
        assert await get(f"http://127.0.0.1:{port}/b") == b"found"
        assert f"host: 127.0.0.1:{port}" in asked[0].lower()
        for path in "adefgh":
            with pytest.raises(FetchError):
                await get(f"http://127.0.0.1:{port}/{path}")
    with pytest.raises(FetchError):
        await get(f"http://127.0.0.1:{port}/b")


async def test_a_slow_server_does_not_hold_us(
    here: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.2)
    async with server({"/": b""}) as (port, _):
        with pytest.raises(FetchError):
            await here(port)(f"http://127.0.0.1:{port}/")


async def test_imported_products_get_their_pictures_and_go_on_sale(
    services: Services, here: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, _ = await open_shop(services)
    name = f"Ferns {uuid7().hex[-6:]}"
    await services.db.transact(
        partial(catalog.create_category, actor=system("tests"), name=name, slug=f"f-{uuid7().hex}")
    )
    async with server({"/1.jpg": ok(picture()), "/2.jpg": ok(b"<html>no picture")}) as (port, _):
        base = f"http://127.0.0.1:{port}"
        monkeypatch.setattr(pictures, "fetch", here(port))
        run = await import_file(
            services,
            actor,
            "external_id,title,description,category,price,stock,images,publish\n"
            f"a,Fern one,Green,{name},5,2,{base}/1.jpg|{base}/2.jpg|{base}/3.jpg,yes\n"
            f"b,Fern two,Green,{name},5,2,{base}/2.jpg,yes\n"
            f"c,Fern three,Green,{name},5,2,{base}/1.jpg,no\n",
        )
        await pictures.complete(services, run.id)
        await pictures.complete(services, run.id)
    found = {result.external_id: result for result in await results(services, actor, run.id)}
    states = {}
    for key, result in found.items():
        async with services.db.read() as conn:
            listing = await listings.own(
                conn, seller_id=actor.seller_id, listing_id=result.listing_id
            )
        states[key] = (listing.state.value, len(listing.images))
    assert states["a"][0] in {"active", "in_review"}
    assert (states["a"][1], states["b"], states["c"]) == (1, ("draft", 0), ("draft", 1))
    assert [problem.code for problem in found["a"].problems] == ["image_missing"] * 2
    assert [problem.code for problem in found["b"].problems] == ["image_missing", "not_published"]
    assert "picture" in found["b"].problems[1].message
    assert found["c"].problems == []
    undone = await done(services, actor, run.id, RunState.UNDOING)
    assert (undone.counts.undone, undone.counts.kept) == (3, 0)
