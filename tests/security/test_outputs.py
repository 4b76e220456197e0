"""What leaves the program for other programs: tables, names of files, cookies, requests."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Response

from souk.contexts.identity import passwords
from souk.contexts.identity.errors import WeakPassword
from souk.contexts.listings.api import importing
from souk.contexts.listings.importing.text import neutralise_formula, read_formula
from souk.contexts.listings.uploads import store_file
from souk.flows.import_listings.fetch import is_public
from souk.flows.publish_listing.export import Head
from souk.platform.http import csv as tables
from souk.platform.http.access import cookie_name
from souk.platform.http.holder import Holder, forget_guest, hand_over
from souk.platform.settings import Settings
from souk.platform.storage import FileStore

STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def cells_for(content: bytes, delimiter: str) -> list[str]:
    text = content.decode("utf-8-sig")
    return [
        cell
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cell in row
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", STARTS)
def test_no_cell_begins_a_formula_however_the_table_is_taken_apart(
    start: str, delimiter: str
) -> None:
    """Spreadsheets split at what the country of their user takes for a separator."""
    evil = [f"{start}1+1", f"Ada;{start}1+1;", f"Ada\t{start}1+1\t", f"a;;{start}1", f";{start}1;b"]
    evil += [f"Ada\n{start}1", f'b,"c;{start}1']
    made = tables.whole("t", [f"{start}column", *"bcdefg"], [evil])
    for cell in cells_for(bytes(made.content), delimiter):
        assert not cell.startswith(tuple(STARTS)), (cell, made.content)


@pytest.mark.parametrize("start", STARTS)
def test_products_are_read_back_as_they_were_exported(start: str) -> None:
    text = f"{start}SUM(1)"
    cell = neutralise_formula(text)
    assert not cell.startswith(tuple(STARTS))
    assert read_formula(cell) == text
    head = Head(importing.own_columns([]), {})
    made = tables.whole("t", ["title", "description"], [head.cells({"title": cell})[:2]])
    assert cell in cells_for(bytes(made.content), ",")
    kept = tables.safe_cell(tables.Ready("Height&nbsp;-&nbsp;2 m"))
    assert kept == "Height&nbsp;-&nbsp;2 m"


@pytest.mark.parametrize(
    "address",
    ["::127.0.0.1", "::7f00:1", "fec0::1", "5f00::1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1%eth0", "fd00::1", "ff02::1", "100::1",
     "::", "::1", "0.0.0.0", "100.64.0.1", "169.254.169.254", "192.0.0.1", "198.18.0.1",
     "224.0.0.1", "255.255.255.255", "::ffff:10.0.0.1", "240.0.0.1"],
)  # fmt: skip
def test_pictures_are_not_fetched_from_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_pictures_are_fetched_from_outside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("guide\u202efdp.exe", "guidefdp.exe"), ("a\u2066b\u2069.pdf", "ab.pdf"),
     ("../../etc/passwd", "passwd"), ("..\\..\\boot.ini", "boot.ini"), ("دليل.pdf", "دليل.pdf"),
     ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie: x.pdf")],
)  # fmt: skip
async def test_the_name_of_a_file_shows_its_type(tmp_path: Path, given: str, kept: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    files = FileStore.in_folder(tmp_path)
    assert (await store_file(files, chunks(), filename=given)).filename == kept


def test_over_https_no_other_site_can_plant_the_cookie() -> None:
    here, there = Settings(), Settings(base_url="https://souk.test")
    assert cookie_name("souk_guest", here) == "souk_guest"
    assert cookie_name("souk_guest", there) == "__Host-souk_guest"
    for response in (Response(b""), Response(b"")):
        hand_over(response, Holder(new_token="x" * 32), there)
        [cookie] = response.cookies
        # What browsers ask of the prefix (RFC 6265bis, 4.1.3.2).
        assert cookie.secure and cookie.path == "/" and cookie.domain is None and cookie.httponly
    gone = Response(b"")
    forget_guest(gone, there)
    [cookie] = gone.cookies
    assert (cookie.key, cookie.secure, cookie.max_age) == ("__Host-souk_guest", True, 0)


@pytest.mark.parametrize("signs", ["4@8({[</369&#!1/|0$5+7%2" * 3, "@4%2!1|0$5+7<369({[8"])
def test_a_password_of_signs_is_judged_in_a_moment(signs: str) -> None:
    begun = time.process_time()
    passwords.check_strength(signs, inputs=["ada@b.test"])
    assert time.process_time() - begun < 2
    with pytest.raises(WeakPassword):
        passwords.check_strength("p@$$w0rd123", inputs=[])
