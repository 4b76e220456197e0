"""Fetches a picture from an address that a file names, and nothing from inside our own network.

The host is resolved once, every address it has must be public, and the connection goes to exactly
the address that was checked, so that a second answer of the name server changes nothing (DNS
rebinding). Redirects are followed by hand through the same door. OWASP's "Server-Side Request
Forgery Prevention" is the source of the rules.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 10_000_000
TIMEOUT_SECONDS = 15.0
_MAX_HOPS = 4
_PORTS = {"http": 80, "https": 443}
# IANA has given out no other unicast addresses; the rest was, or may come to be, somebody's inside.
_UNICAST = ipaddress.ip_network("2000::/3")
# Ranges that carry another address inside themselves, which may be a private one.
_CARRIERS = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class FetchError(Exception):
    """The picture could not be had; the message is a sentence for the seller."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found not in _UNICAST or any(found in network for network in _CARRIERS):
            return False
    return found.is_global and not found.is_multicast


async def fetch(
    url: str,
    *,
    allowed: Callable[[str], bool] = is_public,
    ports: frozenset[int] = frozenset(_PORTS.values()),
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """The body at `url`. Raises FetchError; never takes longer than TIMEOUT_SECONDS."""
    import httpx  # noqa: PLC0415 - 5 MB of every process, for the few files that name pictures

    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            async with httpx.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=TIMEOUT_SECONDS
            ) as client:
                return await _follow(client, url, allowed, ports, max_bytes)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise FetchError("The server did not send it. Check the address.") from error


async def _follow(
    client: httpx.AsyncClient,
    url: str,
    allowed: Callable[[str], bool],
    ports: frozenset[int],
    max_bytes: int,
) -> bytes:
    for _ in range(_MAX_HOPS):
        request = await _request(client, url, allowed, ports)
        response = await client.send(request, stream=True)
        try:
            if response.is_redirect:
                url = urljoin(url, response.headers.get("location", ""))
                continue
            if not response.is_success:
                raise FetchError(f"The server answered {response.status_code}. Check the address.")
            return await _body(response, max_bytes)
        finally:
            await response.aclose()
    raise FetchError("The address leads from one redirect to the next. Use the picture's own.")


async def _request(
    client: httpx.AsyncClient, url: str, allowed: Callable[[str], bool], ports: frozenset[int]
) -> httpx.Request:
    """A request to the checked address that names the host in its header and in TLS."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise FetchError("This is not an address.") from error
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or parts.username or port not in ports:
        raise FetchError("Only addresses that begin with https:// or http:// are fetched.")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(allowed(address) for address in addresses):
        raise FetchError("The address does not lead to the open internet.")
    target = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    query = f"?{parts.query}" if parts.query else ""
    named = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    return client.build_request(
        "GET",
        f"{parts.scheme}://{target}:{port}{parts.path or '/'}{query}",
        headers={"host": named, "accept": "image/*", "accept-encoding": "identity",
                 "user-agent": "Souk-Importer/1"},
        extensions={"sni_hostname": host},
    )  # fmt: skip


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > max_bytes:
            raise FetchError(f"The picture is larger than {max_bytes // 1_000_000} MB.")
        parts.append(chunk)
    return b"".join(parts)
