"""From bytes to lines of text in bounded memory, whatever wrote the file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

CHUNK = 1 << 18
SAMPLE = 1 << 16
MAX_LINE = 8_000_000
"""Characters. A longer line is cut there, and its row is refused."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = (
    "cp1252", "latin_1", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2",
    "mac_roman", "cp437", "cp850", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_WESTERN = {"cp1252", "latin_1"}
_HIGH_RUN = re.compile(r"[\u0080-\uffff]{3,}")
# Polish and Czech letters in cp1250 are these signs in cp1252, in the middle of words.
_SIGN_IN_WORD = re.compile(r"[^\W\d_][\xb3\xb9\xbf\xbc\xbe][^\W\d_]")
_NOT_TEXT = (
    (b"PK\x03\x04", "an Excel or zip file", "Open it in your spreadsheet and save it as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "Open it in your spreadsheet and save it as CSV."),
    (b"%PDF", "a PDF", "Export the products as CSV from your shop."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and upload the file inside."),
    (b"\x89PNG", "a picture", "Export the products as CSV from your shop."),
    (b"\xff\xd8\xff", "a picture", "Export the products as CSV from your shop."),
)


class Encoding(msgspec.Struct, frozen=True):
    """How to read the bytes. `skip` is the length of a byte-order mark."""

    name: str
    skip: int = 0
    guessed: bool = False
    damaged: bool = False


def not_text(head: bytes) -> str:
    """A sentence when the first bytes are those of a file that holds no table; else empty."""
    for magic, what, advice in _NOT_TEXT:
        if head.startswith(magic):
            return f"This is {what}, not a table of products. {advice}"
    return ""


def detect_encoding(stream: BinaryIO) -> Encoding:
    """The encoding of a seekable stream: BOM, UTF-8, UTF-16 without BOM, else the likeliest.

    Reads the stream once, since one stray byte at the end would break a later strict read.
    """
    stream.seek(0)
    head = stream.read(SAMPLE)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, skip=len(bom))
    wide = _utf16_without_bom(head)
    if wide:
        return Encoding(wide, guessed=True)
    bad = _first_bad_utf8(stream)
    if bad is None:
        return Encoding("utf-8")
    return _guess(stream, head, bad=bad)


def _utf16_without_bom(head: bytes) -> str:
    """Text in a Latin script as UTF-16 has a zero in every other byte."""
    pairs = len(head) // 2
    if pairs < 4:
        return ""
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if odd > pairs * 0.6 and even < pairs * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.6 and odd < pairs * 0.1 else ""


def _first_bad_utf8(stream: BinaryIO) -> int | None:
    """Where the stream stops being UTF-8, in bytes from its start."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    stream.seek(0)
    offset = 0
    while True:
        chunk = stream.read(CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            return offset
        if not chunk:
            return None
        offset += len(chunk)


def _guess(stream: BinaryIO, head: bytes, *, bad: int) -> Encoding:
    stream.seek(max(0, bad - 512))
    around = stream.read(SAMPLE)
    if _mostly_utf8(around):
        return Encoding("utf-8", guessed=True, damaged=True)
    sample = (head[:2048] + b"\n" + around).replace(b"\0", b"")
    if _western(sample):
        return Encoding("cp1252", guessed=True)
    import charset_normalizer  # noqa: PLC0415 - only files in neither UTF-8 nor cp1252 need it

    best = charset_normalizer.from_bytes(sample, cp_isolation=list(_CANDIDATES)).best()
    if best is None or best.encoding in _WESTERN:
        return Encoding("cp1252", guessed=True)
    return Encoding(best.encoding, guessed=True)


def _western(sample: bytes) -> bool:
    """Accents are single and inside words of plain letters, as in Western Europe's languages.

    Statistics over a short product list take cp1250 for cp1252 too easily.
    """
    text = sample.decode("cp1252", errors="replace")
    high = sum(1 for char in text if char > "\x7f")
    in_runs = sum(len(run) for run in _HIGH_RUN.findall(text))
    return in_runs * 5 <= high and len(_SIGN_IN_WORD.findall(text)) * 10 <= high


def _mostly_utf8(sample: bytes) -> bool:
    """Many proper multi-byte characters and few stray bytes: UTF-8 that something damaged."""
    text = sample.decode("utf-8", errors="replace")
    strange = text.count("\ufffd")
    proper = sum(1 for char in text if char > "\x7f" and char != "\ufffd")
    return proper >= 4 * strange


def read_text(stream: BinaryIO, encoding: Encoding) -> Iterator[str]:
    """Chunks of text with every newline as `\\n` and without NULs; bad bytes become U+FFFD."""
    name = encoding.name
    decoder = codecs.getincrementaldecoder(name)("replace")
    stream.seek(encoding.skip)
    carry = ""
    while True:
        chunk = stream.read(CHUNK)
        text = carry + decoder.decode(chunk, final=not chunk)
        # A carriage return at the end may be the first half of CR LF.
        carry = "\r" if chunk and text.endswith("\r") else ""
        if carry:
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        yield text.replace("\0", "") if "\0" in text else text
        if not chunk:
            return


def read_lines(chunks: Iterator[str]) -> Iterator[tuple[str, bool]]:
    """Lines with their newline, and whether the line was cut at MAX_LINE characters."""
    parts: list[str] = []
    size = 0
    cut = False
    for chunk in chunks:
        start = 0
        while True:
            end = chunk.find("\n", start)
            piece = chunk[start:] if end < 0 else chunk[start : end + 1]
            if size + len(piece) <= MAX_LINE:
                parts.append(piece)
                size += len(piece)
            else:
                cut = True
            if end < 0:
                break
            yield _ended("".join(parts)) if cut else "".join(parts), cut
            parts, size, cut = [], 0, False
            start = end + 1
    if size or cut:
        yield "".join(parts), cut


def _ended(line: str) -> str:
    return line if line.endswith("\n") else line + "\n"
