"""What Granian loads: application factories, one per served role."""

from __future__ import annotations

from litestar.types import ASGIApp

from souk import app as composition
from souk.platform import settings as configuration
from souk.platform import telemetry


def web() -> ASGIApp:
    """Pages and API."""
    settings = configuration.load()
    telemetry.set_up(settings, role="web")
    return composition.web_application(settings)


def sandbox() -> ASGIApp:
    """The sandbox gateway."""
    settings = configuration.load()
    telemetry.set_up(settings, role="sandbox")
    return composition.sandbox_application(settings)
