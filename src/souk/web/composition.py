"""What the web adds to the application."""

from __future__ import annotations

from typing import Any

from souk.platform.services import Services
from souk.web.admin.frame import queues
from souk.web.assets import Assets
from souk.web.errors import ErrorPage
from souk.web.live.hub import LiveHub
from souk.web.page import Pages
from souk.web.sell.frame import desk_counts

_DESKS = {"layouts/sell.html": desk_counts, "layouts/admin.html": queues}


def page_options(services: Services) -> dict[str, Any]:
    """Arguments for the edge's `build`."""
    assets = Assets()
    services.add(LiveHub(services))
    return {
        "state": {
            "assets": assets,
            "pages": Pages(services, assets, desks=_DESKS),
            "error_page": ErrorPage,
        }
    }
