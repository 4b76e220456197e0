"""Draws the application's icons as PNG from their SVG in `static/icons`.

The PNG are committed: a browser that installs the shop wants them, and they change hardly ever.
"""

from __future__ import annotations

from pathlib import Path

import pyvips

FOLDER = Path(__file__).resolve().parent.parent / "src/souk/web/static/icons"
WANTED = {
    "app-192.png": ("app.svg", 192),
    "app-512.png": ("app.svg", 512),
    "maskable-512.png": ("maskable.svg", 512),
    "touch-180.png": ("maskable.svg", 180),
}


def main() -> None:
    for name, (source, side) in WANTED.items():
        drawn = pyvips.Image.thumbnail(str(FOLDER / source), side, height=side)
        drawn.pngsave(str(FOLDER / name), compression=9, palette=True, Q=95, effort=10, strip=True)
        print(f"{name}: {(FOLDER / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
