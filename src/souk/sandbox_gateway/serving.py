"""The sandbox as a process of its own. Nothing of the marketplace is loaded with it."""

from __future__ import annotations

from contextlib import AsyncExitStack

from litestar.types import ASGIApp

from souk.platform.database import Database
from souk.platform.http.served import Served
from souk.platform.settings import Settings
from souk.sandbox_gateway.app import create_app
from souk.sandbox_gateway.config import SandboxSettings


def sandbox_application(settings: Settings) -> ASGIApp:
    """What is served as `souk sandbox`."""

    async def start(stack: AsyncExitStack) -> ASGIApp:
        db = await Database.connect(
            settings.database_url,
            size=settings.database_pool_size,
            statement_timeout_ms=settings.statement_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
            application_name="souk sandbox",
            plan_writes_once=True,
        )
        stack.push_async_callback(db.close)
        app = create_app(SandboxSettings.from_settings(settings), db)
        await stack.enter_async_context(app.lifespan())
        return app

    return Served("sandbox", start)
