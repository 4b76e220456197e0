"""Uploaded pictures made safe and small: what is stored is always our own encoding. No I/O.

The type is read from the content and each type has its one decoder, so that a file that pretends
to be a picture never reaches a parser that would run it. Encoding anew drops EXIF, GPS, comments
and anything appended to the picture.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Any

# Read by libvips when it starts: loaders that are not hardened against hostile files stay off.
os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")

import pyvips

from souk.contexts.listings.errors import BadImage
from souk.contexts.listings.rendering import rendition_widths

# A damaged upload makes the decoder complain once for every row of it.
logging.getLogger("pyvips").setLevel(logging.CRITICAL)
MAX_BYTES = 10_000_000
MAX_PIXELS = 50_000_000
MAX_SIDE = 12_000
MIN_SIDE = 16
_FULL_SIDE = 2_048
_FULL_QUALITY = 82
"""Kept to make the smaller ones from, and shown when somebody looks closely."""
_QUALITY = 72
_TAKEN = "Upload a JPEG, PNG, WebP or AVIF picture."


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to be stored: WebP, upright, without metadata; sides in pixels."""

    content: bytes
    width: int
    height: int


def loader_of(content: bytes) -> str | None:
    """The decoder for what the content is, whatever its name says; None for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpegload_buffer"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "pngload_buffer"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webpload_buffer"
    if content[4:8] == b"ftyp" and content[8:12] in {b"avif", b"avis"}:
        return "heifload_buffer"
    return None


def prepare(content: bytes) -> Picture:
    """Check an upload and encode it anew, at most 2,048 pixels a side. Raises BadImage."""
    if len(content) > MAX_BYTES:
        limit = MAX_BYTES // 1_000_000
        raise BadImage(f"This picture is larger than {limit} MB. Upload a smaller one.")
    loader = loader_of(content)
    if loader is None:
        raise BadImage(f"This file is not a picture that we can show. {_TAKEN}")
    try:
        # Only the header is read here: the size is judged before any pixel is decoded.
        decode = getattr(pyvips.Image, loader)
        image: Any = decode(content, access="sequential", fail_on="truncated")
        _check_size(image.width, image.height)
        upright: Any = image.thumbnail_image(_FULL_SIDE, height=_FULL_SIDE, size="down")
        encoded = _encode(upright, _FULL_QUALITY)
    except pyvips.Error as error:
        raise BadImage(f"This picture is damaged and cannot be read. {_TAKEN}") from error
    return Picture(encoded, upright.width, upright.height)


def _check_size(width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE:
        raise BadImage(f"This picture is too small. Use at least {MIN_SIDE} pixels a side.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise BadImage(
            f"This picture has {width} × {height} pixels, which is too many. "
            f"Use at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side."
        )


def renditions(content: bytes, *, width: int) -> dict[int, bytes]:
    """Smaller WebP encodings of a stored picture, by width; none is wider than the picture."""
    whole: Any = pyvips.Image.new_from_buffer(content, "").copy_memory()
    return {
        each: _encode(whole.thumbnail_image(each, height=MAX_SIDE, size="down"), _QUALITY)
        for each in rendition_widths(width)
    }


def _encode(image: Any, quality: int) -> bytes:
    return image.webpsave_buffer(Q=quality, keep="none", effort=2)
