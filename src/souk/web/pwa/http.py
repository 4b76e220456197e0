"""`/manifest.webmanifest`, `/sw.js` and `/offline`."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec
from litestar import Response, get

from souk.platform.http import access
from souk.platform.options import MARKETPLACE_NAME, Options
from souk.platform.settings import Settings
from souk.web.assets import Assets
from souk.web.locale import N_, locale_of
from souk.web.page import Req, draw_alone, language_of, translate

_ICONS = (
    ("icons/app-192.png", "192x192", "any"),
    ("icons/app-512.png", "512x512", "any"),
    ("icons/maskable-512.png", "512x512", "maskable"),
)
# What the offline page needs, and what the next page will need first.
_SHELL = ("souk.css", "souk.js", "icons.svg", "favicon.svg")

_SHORTCUTS = ((N_("Search"), "/search"), (N_("Cart"), "/cart"), (N_("Orders"), "/account/orders"))


@get("/manifest.webmanifest", access=access.PUBLIC, include_in_schema=False)
async def manifest(request: Req, settings: Settings, options: Options) -> Response[bytes]:
    """What a system needs to know of the shop to install it."""
    assets: Assets = request.app.state["assets"]
    language = language_of(request)
    name = options[MARKETPLACE_NAME] or settings.marketplace_name
    body = {
        "id": "/",
        "name": name,
        "short_name": name[:12],
        "description": translate(
            request, "A market of many sellers: plants, goods, files and second-hand finds."
        ),
        "lang": language,
        "dir": locale_of(language).direction,
        "start_url": "/?from=app",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbf8f2",
        "theme_color": "#fbf8f2",
        "categories": ["shopping"],
        "icons": [
            {"src": assets.url(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in _ICONS
        ],
        "shortcuts": [{"name": translate(request, text), "url": url} for text, url in _SHORTCUTS],
    }
    return Response(
        msgspec.json.encode(body),
        media_type="application/manifest+json",
        headers={
            "Cache-Control": "private, max-age=3600",
            "Content-Language": language,
            "Vary": "Accept-Language, Cookie",
        },
    )


@get("/sw.js", access=access.PUBLIC, include_in_schema=False)
async def service_worker(request: Req) -> Response[bytes]:
    """The service worker, with the addresses of this version's files written into it.

    A new version of any of them is a new worker, which drops what the old one kept.
    """
    assets: Assets = request.app.state["assets"]
    found = assets.find("service-worker.js")
    assert found is not None
    shell = [assets.url(name) for name in _SHELL]
    version = blake2b("".join(shell).encode() + found.content, digest_size=6).hexdigest()
    head = f"const VERSION = {msgspec.json.encode(version).decode()};\n"
    head += f"const SHELL = {msgspec.json.encode(shell).decode()};\n"
    return Response(
        head.encode() + found.content,
        media_type="text/javascript",
        headers={"Cache-Control": "no-cache"},
    )


@get("/offline", access=access.PUBLIC, include_in_schema=False)
async def offline(request: Req) -> Response[bytes]:
    """What the service worker shows when the network is away. The same for everybody."""
    return draw_alone(request, "errors/offline.html")


routes: list[Any] = [manifest, service_worker, offline]
