"""The bytes of a demo picture, as an upload would bring them."""

from __future__ import annotations

import random
from threading import Lock

import pyvips

from souk.demo.model import PhotoSpec

_SVG_LOADER = "VipsForeignLoadSvg"
# libvips' block is one switch for the whole process: who opens it must be the only one to shut it.
_OPENED_ALONE = Lock()


def read_picture(photo: PhotoSpec) -> bytes:
    """JPEG or WebP bytes of a photograph; a drawing is rendered as PNG, 900 pixels wide."""
    if photo.path is not None:
        return photo.path.read_bytes()
    # Uploads may not reach the SVG loader, so it stays shut but for these drawings of our own.
    with _OPENED_ALONE:
        pyvips.operation_block_set(_SVG_LOADER, False)  # noqa: FBT003 - libvips has no keywords
        try:
            image = pyvips.Image.svgload_buffer(photo.svg.encode())
            return image.flatten(background=[255, 255, 255]).pngsave_buffer(compression=6)
        finally:
            pyvips.operation_block_set(_SVG_LOADER, True)  # noqa: FBT003 - libvips has no keywords


def snapshot(photo: PhotoSpec, rng: random.Random) -> bytes:
    """A part of a photograph, nearer and in another light: as a customer might take it. JPEG."""
    whole = pyvips.Image.new_from_buffer(read_picture(photo), "")
    if whole.hasalpha():
        # Without one libvips would take the last colour for it.
        whole = whole.flatten(background=[255, 255, 255])
    part, shape = rng.uniform(0.6, 0.85), rng.choice((0.75, 1, 1.33))
    side = min(whole.width, whole.height) * part
    width, height = int(side * min(1, shape)), int(side / max(1, shape))
    left, top = rng.randint(0, whole.width - width), rng.randint(0, whole.height - height)
    near = whole.crop(left, top, width, height)
    return (near * rng.uniform(0.88, 1.04)).cast("uchar").jpegsave_buffer(Q=84)
