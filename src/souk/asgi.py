"""What Granian loads: application factories, one per served role."""

from __future__ import annotations

import ctypes
import signal
import sys

from litestar.types import ASGIApp

from souk.platform import settings as configuration
from souk.platform import telemetry

_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """A serving process ends when the one that started it is killed, and frees its port (prctl(2)).

    Linux only; elsewhere an orphan has to be ended by hand.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def web() -> ASGIApp:
    """Pages and API."""
    from souk.app import web_application  # noqa: PLC0415 - each process loads its own role

    _end_with_parent()
    settings = configuration.load()
    telemetry.set_up(settings, role="web")
    return web_application(settings)


def sandbox() -> ASGIApp:
    """The sandbox gateway."""
    from souk.sandbox_gateway.serving import sandbox_application  # noqa: PLC0415

    _end_with_parent()
    settings = configuration.load()
    telemetry.set_up(settings, role="sandbox")
    return sandbox_application(settings)
