"""What the web adds to the application."""

from __future__ import annotations

from typing import Any

from souk.platform.services import Services
from souk.web.assets import Assets
from souk.web.live.hub import LiveHub
from souk.web.page import Pages, error_page


def page_options(services: Services) -> dict[str, Any]:
    """Arguments for the edge's `build`."""
    assets = Assets()
    services.add(LiveHub(services))
    return {
        "state": {
            "assets": assets,
            "pages": Pages(services, assets),
            "error_page": error_page,
        }
    }
