"""Hostile and broken input at every kind of door: a clear 4xx, nothing fails, nothing is stored."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from souk.contexts.identity import api as identity
from souk.kernel.actor import Role
from souk.kernel.clock import SettableClock
from tests.factories import market as factory
from tests.factories.market import HOME, TEST, Market

DEEP = b"[" * 60_000 + b"]" * 60_000
HUGE = b'"' + b"x" * 900_000 + b'"'
TEXTS = {
    "lone high surrogate": rb'"a\ud800b"',
    "lone low surrogate": rb'"a\udc00b"',
    "surrogates the wrong way round": rb'"\udc00\ud800"',
    "null character": rb'"a\u0000b"',
    "null byte": b'"a\x00b"',
    "control character": b'"a\x01b"',
    "invalid UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "cut off": b'"abc',
    "number": b"7",
    "list": b'["a"]',
    "object": b'{"a": {"$ne": null}}',
    "deep": DEEP,
    "deep objects": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    "huge": HUGE,
}
NUMBERS = {
    "past 64 bits": b"9223372036854775808",
    "below 64 bits": b"-9223372036854775809",
    "4,000 digits": b"9" * 4_000,
    "past the double": b"1e400",
    "fraction": b"1.5",
    "NaN": b"NaN",
    "infinity": b"Infinity",
    "word": b'"one"',
    "null": b"null",
    "hexadecimal": b"0x10",
    "leading zero": b"007",
    "true": b"true",
    "deep": DEEP,
    "negative": b"-1",
}
WORDS = (
    "\u202egnp.exe", "a\u200bb\u200d", "\ufeffBOM", "Z̸̡̛" * 30, "ＡＢＣ＇ OR 1=1 --",
    "ı̇İßﬀ", "🏳️‍🌈" * 20,
    "<script>alert(1)</script>", "{{7*7}}${7*7}<%= 7*7 %>", "../../etc/passwd",
    "'; DROP TABLE x;--",
    "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "%0d%0aSet-Cookie: x=1", "\r\nBcc: a@b.test",
    "\u2028\u2029",
)  # fmt: skip
# What is right for one field: stock may shrink, a version may be left open, seconds are a time.
TAKEN = {("delta", "negative"), ("version", "null"), ("valid_from", "number")}
KEPT = (
    "listings.listing", "listings.image", "listings.digital_file", "fulfilment.address",
    "fulfilment.shipping_method", "carts.line", "orders.checkout", "orders.transition",
    "inventory.movement", "catalog.category", "catalog.species", "catalog.attribute",
    "ledger.commission_rule", "identity.account", "sellers.seller", "platform.event",
)  # fmt: skip


@dataclass(frozen=True)
class Door:
    """A route with a body that it takes; `texts` and `numbers` are the fields that are spoilt."""

    method: str
    path: str
    body: dict[str, Any]
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    guest: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


RATE = {"country": "DE", "amount": 490}
DOORS = [
    Door("POST", "/api/v1/listings", {"kind": "goods", "title": "A fern"},
         ("title", "kind", "slug", "description", "location")),
    Door("PATCH", "/api/v1/listings/{listing_id}", {"title": "A fern", "version": 1},
         ("title", "seo_title", "condition_note"), ("version",)),
    Door("POST", "/api/v1/addresses", {"address": HOME, "label": "Home"}, ("label",)),
    Door("POST", "/api/v1/addresses/check", dict(HOME), ("name", "line1", "country")),
    Door("POST", "/api/v1/cart/items", {"variant_id": "{variant_id}", "quantity": 1},
         ("variant_id",), ("quantity",), guest=True),
    Door("POST", "/api/v1/checkouts",
         {"email": "ada@buyers.test", "items": [{"variant_id": "{variant_id}", "quantity": 1}]},
         ("email",), guest=True),
    Door("POST", "/api/v1/inventory/stock/{variant_id}/adjustments",
         {"reason": "restock", "delta": 1, "note": ""}, ("reason", "note"), ("delta",)),
    Door("PATCH", "/api/v1/inventory/stock/{variant_id}", {"low_stock_at": 3}, (),
         ("low_stock_at",)),
    Door("PATCH", "/api/v1/sellers/me/storefront", {"name": "Fern", "bio": ""}, ("name", "bio")),
    Door("PATCH", "/api/v1/auth/profile", {"display_name": "Ada"}, ("display_name", "locale")),
    Door("POST", "/api/v1/auth/login", {"email": "a@b.test", "password": "wrong horse"},
         ("email", "password"), guest=True),
    Door("POST", "/api/v1/auth/register",
         {"email": "new@b.test", "password": "correct horse battery", "display_name": "Ada",
          "accept_terms": True}, ("email", "password", "display_name"), guest=True),
    Door("POST", "/api/v1/auth/verify-email", {"token": "x" * 40}, ("token",), guest=True),
    Door("POST", "/api/v1/categories", {"name": "Ferns"}, ("name", "slug", "description")),
    Door("POST", "/api/v1/attributes", {"code": "size", "name": "Size", "type": "text"},
         ("code", "name", "type")),
    Door("POST", "/api/v1/species", {"scientific_name": "Ficus carica", "zone_min": 3},
         ("scientific_name", "family"), ("zone_min",)),
    Door("POST", "/api/v1/ledger/commission-rules",
         {"scope": "platform", "rate_bp": 1_000, "valid_from": "2030-01-01T00:00:00Z"},
         ("scope", "valid_from"), ("rate_bp",)),
    Door("POST", "/api/v1/orders/{order_id}/parts/{seller_order_id}/cancel",
         {"reason": "Too late"}, ("reason",), guest=True),
    Door("POST", "/api/v1/seller/orders/{seller_order_id}/ship",
         {"carrier": "dhl", "tracking": "1"}, ("carrier", "tracking")),
    Door("POST", "/api/v1/users/{user_id}/suspend", {"reason": "Spam"}, ("reason",)),
]  # fmt: skip
QUERIES = (
    "/api/v1/listings/search?q={}", "/api/v1/listings/suggest?prefix={}", "/search?q={}",
    "/api/v1/listings?category={}", "/api/v1/listings?limit={}", "/api/v1/listings?cursor={}",
    "/api/v1/listings/search?price_min={}", "/api/v1/listings/search?min.height={}",
    "/api/v1/species?zone={}", "/api/v1/orders?cursor={}", "/api/v1/listings/{}",
    "/api/v1/sellers/{}", "/c/{}", "/listing/{}", "/api/v1/downloads/{}", "/media/{}",
)  # fmt: skip


def cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


VALUES = (
    "%00", "a%00b", "%ff%fe", "%ed%a0%80", "%c0%af", "x" * 7_000, "9" * 400, "1e400", "NaN", "-1",
    "9223372036854775808", "..%2f..%2fetc%2fpasswd", "%2e%2e", "'--", "%u0041", "{{7*7}}", "%",
    cursor([10**30]), cursor(["2020-01-01", "x"]), cursor([[[[1]]]]), cursor({"a": 1}),
    cursor(["9999-12-31T23:59:59+00:00", "00000000-0000-0000-0000-000000000000"]),
    cursor(["\ud800", "\x00"]), "AAAA", "=",
)  # fmt: skip


def png_claiming(side: int) -> bytes:
    """A picture of next to nothing that would take gigabytes to decode."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        sum_of = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + sum_of

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 5_000_000, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


def zip_bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("leaf.png", b"\0" * 20_000_000)
    return made.getvalue()


SCRIPT = (
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
)
PICTURES = {
    "SVG with a script": SCRIPT,
    "XML that includes a file": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>',
    "zip bomb": zip_bomb(),
    "picture bomb": png_claiming(60_000),
    "GIF that is a script": b"GIF89a/*\x00" + b"*/=alert(1)//",
    "PDF that is a zip": b"%PDF-1.7\n" + zip_bomb(),
    "JPEG that is a page": b"\xff\xd8\xff\xe0<html><script>alert(1)</script>",
    "picture with a zip behind a damaged head": b"\x89PNG\r\n\x1a\n" + zip_bomb(),
    "page": b"<!doctype html><script>alert(1)</script>",
    "nothing": b"",
    "program": b"\x7fELF" + b"\0" * 400,
}


@dataclass
class World:
    market: Market
    owner: httpx.AsyncClient
    guest: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def filled(self, text: str) -> str:
        for name, value in self.ids.items():
            text = text.replace("{" + name + "}", value)
        return text

    async def send(
        self, door: Door, token: bytes, name: str, *, kind: str = "application/json"
    ) -> httpx.Response:
        """The door's body with one field replaced by these bytes."""
        mark = uuid4().hex
        text = self.filled(json.dumps(door.body | {name: mark})).encode()
        client = self.guest if door.guest else self.owner
        return await client.request(
            door.method,
            self.filled(door.path),
            content=text.replace(b'"' + mark.encode() + b'"', token),
            headers={"content-type": kind},
        )

    async def stored(self) -> dict[str, int]:
        async with self.market.db.read() as conn:
            return {table: await conn.fetchval(f"SELECT count(*) FROM {table}") for table in KEPT}


@pytest.fixture(scope="module")
async def world(db_url: str, clock: SettableClock) -> AsyncIterator[World]:
    async with factory.running(db_url, clock=clock) as market:
        shop = await market.shop()
        listing = await shop.goods()
        buyer = market.guest()
        order = await buyer.buy((listing, 1))
        await market.db.transact(
            lambda tx: identity.grant_role(tx, TEST, user_id=shop.owner.id, role=Role.ADMIN)
        )
        _, somebody = await market.member()
        transport = httpx.ASGITransport(market._asgi, raise_app_exceptions=False)
        base = "http://127.0.0.1:8000"
        bearer = {"authorization": f"Bearer {await market.bearer(shop.owner.id)}"}
        async with (
            httpx.AsyncClient(transport=transport, base_url=base, headers=bearer) as owner,
            httpx.AsyncClient(
                transport=transport, base_url=base, headers=buyer.http.headers
            ) as guest,
        ):
            ids = {
                "listing_id": str(listing.id),
                "variant_id": str(listing.variants[0].id),
                "order_id": order["id"],
                "seller_order_id": order["seller_orders"][0]["id"],
                "user_id": str(somebody.id),
            }
            yield World(market, owner, guest, ids)


def complaint(answer: httpx.Response) -> str:
    """What is wrong with a refusal; empty when it is a clear one."""
    if not 400 <= answer.status_code < 500:
        return f"answered {answer.status_code}"
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = answer.json()
        return "" if problem["code"] and len(problem["detail"]) > 10 else f"unclear: {problem}"
    return ""


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_spoilt_fields_are_refused_and_nothing_is_stored(world: World, door: Door) -> None:
    before, wrong = await world.stored(), list[str]()
    cases = [(name, what, token) for name in door.texts for what, token in TEXTS.items()]
    cases += [(name, what, token) for name in door.numbers for what, token in NUMBERS.items()]
    for name, what, token in cases:
        if (name, what) in TAKEN:
            continue
        said = complaint(await world.send(door, token, name))
        if said:
            wrong.append(f"{name}, {what}: {said}")
    assert wrong == []
    assert await world.stored() == before


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_bodies_that_are_none_are_refused(world: World, door: Door) -> None:
    before, client = await world.stored(), world.guest if door.guest else world.owner
    bodies = [
        b"", b"null", b"[]", b"1", b'""', b"{", b"{}{}", DEEP, b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"a=1&a=2", b'{"__proto__": {"admin": true}}', b"{" + b'"a":1,' * 9 + b'"b":2}',
        b"x" * 1_200_000, zlib.compress(b"{}"),
    ]  # fmt: skip
    wrong = list[str]()
    for body in bodies:
        for kind in ("application/json", "text/plain", "application/xml", "x", ""):
            headers = {"content-type": kind} if kind else {}
            answer = await client.request(
                door.method, world.filled(door.path), content=body, headers=headers
            )
            said = complaint(answer)
            if said:
                wrong.append(f"{body[:20]!r} as {kind!r}: {said}")
    assert wrong == []
    assert await world.stored() == before


@pytest.mark.parametrize("address", QUERIES)
async def test_strange_addresses_never_fail(world: World, address: str) -> None:
    before, wrong = await world.stored(), list[str]()
    for value in VALUES:
        answer = await world.guest.get(address.format(value))
        if answer.status_code >= 500 or answer.status_code in {201, 204}:
            wrong.append(f"{value[:40]}: {answer.status_code}")
        elif "%00" in value and not 400 <= answer.status_code < 500:
            wrong.append(f"{value}: {answer.status_code} in spite of the null byte")
    assert wrong == []
    assert await world.stored() == before


@pytest.mark.parametrize("words", WORDS)
async def test_strange_words_are_kept_as_they_are_or_refused(world: World, words: str) -> None:
    """They are text: a person may write them. They never become a header, a tag or a command."""
    for door in DOORS:
        for name in door.texts:
            answer = await world.send(door, json.dumps(words).encode(), name)
            assert answer.status_code < 500, (door, name, answer.text)
            assert "set-cookie" not in answer.headers or "x=1" not in answer.headers["set-cookie"]
    page = await world.guest.get("/search", params={"q": words})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "49" not in page.text.partition("<main")[2].partition("</main")[0].replace("€", "")[:400]


@pytest.mark.parametrize("what", PICTURES)
async def test_no_picture_is_stored_of_what_is_none(world: World, what: str) -> None:
    before = await world.stored()
    path = world.filled("/api/v1/listings/{listing_id}/images")
    for name, kind in (("leaf.png", "image/png"), ("../x.svg", "image/svg+xml"), ("\r\nx", "a/b")):
        answer = await world.owner.post(path, files={"file": (name, PICTURES[what], kind)})
        assert complaint(answer) == "", (name, answer.text)
    assert await world.stored() == before


FILES = {
    "zip bomb": zip_bomb(),
    "deep JSON lines": b'{"title": ' + DEEP + b"}\n",
    "lone surrogate": rb'{"external_id": "a", "title": "\ud800", "price": "5"}' + b"\n",
    "huge number": b'{"external_id": "a", "title": "A", "price": ' + b"9" * 5_000 + b"}\n",
    "formula": b"external_id,title,price\n=cmd|' /C calc'!A0,@SUM(1),-1+2\n",
    "null bytes": b"external_id,title,price\n\0\0,\0,5\n",
    "one endless line": b"external_id,title,price\n" + b"x" * 900_000,
    "open quote": b'external_id,title,price\n"a,' + b"b\n" * 5_000,
    "pictures inside": b"external_id,title,price,images\na,Fern,5,http://169.254.169.254/latest|file:///etc/passwd|http://[::1]/\n",
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
async def test_hostile_files_are_refused_or_previewed_without_a_failure(
    world: World, what: str
) -> None:
    before = await world.stored()
    for name in ("goods.csv", "goods.jsonl", "..%2fx"):
        answer = await world.owner.post(
            f"/api/v1/imports?filename={name}",
            content=FILES[what],
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code < 500, (name, answer.text)
    after = await world.stored()
    assert after["listings.listing"] == before["listings.listing"]
