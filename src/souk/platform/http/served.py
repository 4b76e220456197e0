"""What the server loads: an application that is built when it starts and closed when it stops."""

from __future__ import annotations

import gc
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import cast

import structlog
from litestar.types import ASGIApp, LifeSpanReceive, LifeSpanSend, Receive, Scope, Send

log = structlog.get_logger()
LEAVE = signal.SIGUSR1
"""Tells a serving process that it will be stopped in a moment."""


class Served:
    """`start` makes the application; what it enters on the stack is closed in the end."""

    def __init__(self, role: str, start: Callable[[AsyncExitStack], Awaitable[ASGIApp]]) -> None:
        self._role = role
        self._start = start
        self._stack = AsyncExitStack()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if cast("str", scope["type"]) == "lifespan":
            await self._lifespan(cast("LifeSpanReceive", receive), cast("LifeSpanSend", send))
            return
        assert self._app is not None
        await self._app(scope, receive, send)

    async def _lifespan(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    gc.disable()
                    self._app = await self._start(self._stack)
                    _settle()
                except Exception as error:
                    log.exception("start_failed", role=self._role)
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._stack.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _settle() -> None:
    """What was made at start stays for good: look for garbage only elsewhere, and less often.

    A request makes hardly any cycles, and most of its objects are gone when it ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()
