"""The bytes of a demo picture, as an upload would bring them."""

from __future__ import annotations

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
