"""JSON routes of fulfilment."""

from __future__ import annotations

from typing import Any

from souk.contexts.fulfilment.http import addresses, downloads, methods, shipments

routes: list[Any] = [
    *addresses.routes,
    *methods.routes,
    *shipments.routes,
    *downloads.routes,
]
