"""Application factories, one per served role."""

from __future__ import annotations

import os

from litestar.types import ASGIApp

from souk.platform import lifeline, telemetry
from souk.platform import settings as configuration


def web() -> ASGIApp:
    """Pages and API."""
    from souk.app import web_application  # noqa: PLC0415 - each process loads its own role

    settings = configuration.load()
    telemetry.set_up(settings, role="web")
    return web_application(settings)


def web_worker() -> ASGIApp:
    """Pages and API in a process that Granian started, and that ends when Granian is killed."""
    lifeline.tied(os.getppid())()
    return web()


def sandbox() -> ASGIApp:
    """The sandbox gateway."""
    from souk.sandbox_gateway.serving import sandbox_application  # noqa: PLC0415

    settings = configuration.load()
    telemetry.set_up(settings, role="sandbox")
    return sandbox_application(settings)
