"""How a role answers HTTP: Granian, in this process for one web worker, else in several."""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
import uvloop
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.errors import FatalError
from granian.server.embed import Server
from litestar.types import ASGIApp

from souk.platform.http.served import LEAVE

log = structlog.get_logger()
GRACE = 15.0
"""Seconds that open answers have to end when a process is told to stop."""
_OPTIONS: dict[str, Any] = {
    "interface": Interfaces.ASGI,
    "log_enabled": False,
    "websockets": False,
    "backpressure": 512,
}


def serve_here(target: str, *, host: str, port: int) -> None:
    """Serve what the factory `module:name` makes, in this very process, until a signal stops it.

    Granian's own supervisor would be a second process of 30 MB that does nothing but start again
    what died, which whoever started this process does as well. Ends the program with 1
    when the application cannot start.
    """
    module, _, name = target.partition(":")
    make: Callable[[], ASGIApp] = getattr(importlib.import_module(module), name)
    uvloop.run(_serve_here(make(), host, port))


async def _serve_here(app: ASGIApp, host: str, port: int) -> None:
    server = Server(app, address=host, port=port, **_OPTIONS)
    server.workers_kill_timeout = int(GRACE)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        os.kill(os.getpid(), LEAVE)
        server.stop()

    # Only the web has streams to end, and answers to it.
    signal.signal(LEAVE, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await server.serve()
    except FatalError:
        # What went wrong was logged where it happened.
        sys.exit(1)
    except TimeoutError:
        log.warning("answers_cut_off", seconds=GRACE)


def serve_in(processes: int, target: str, *, host: str, port: int) -> None:
    """Serve in several processes, started again when they die, until a signal stops all."""
    server = Granian(
        target,
        address=host,
        port=port,
        workers=processes,
        loop=Loops.uvloop,
        factory=True,
        workers_kill_timeout=int(GRACE),
        respawn_failed_workers=True,
        **_OPTIONS,
    )
    _end_streams_first(server)
    server.serve()


def _end_streams_first(server: Any) -> None:
    """Granian waits for open answers when it stops: streams are told to end before that."""
    stop = server.signal_handler_interrupt

    def announce(*args: object, **kwargs: object) -> None:
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, LEAVE)
        stop(*args, **kwargs)

    server.signal_handler_interrupt = announce
