"""The provider as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import HTTPRouteHandler

from souk.kernel.errors import DomainError
from souk.platform.database import Database
from souk.sandbox_gateway import http, pages
from souk.sandbox_gateway.commands import Provider, error_body
from souk.sandbox_gateway.config import SandboxSettings
from souk.sandbox_gateway.model import Refused
from souk.sandbox_gateway.webhooks import Dispatcher

log = structlog.get_logger()
_LARGEST_BODY = 64 * 1024


@get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


def create_app(settings: SandboxSettings, db: Database) -> Litestar:
    """The service with its webhook dispatcher. The caller opens and closes `db`."""
    provider = Provider(db, settings)

    @asynccontextmanager
    async def dispatching(_app: Litestar) -> AsyncGenerator[None]:
        task = asyncio.create_task(Dispatcher(db, settings, provider.wake).run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    handlers: list[HTTPRouteHandler] = [health, *pages.handlers]
    return Litestar(
        [*handlers, http.router],
        state=State({"provider": provider}),
        lifespan=[dispatching] if settings.webhook_url else [],
        openapi_config=None,
        request_max_body_size=_LARGEST_BODY,
        exception_handlers={Exception: _failed},
        logging_config=None,
    )


def _failed(request: Request[object, object, State], error: Exception) -> Response[Any]:
    refused = _as_refused(error)
    public_url = http.provider_of(request.app.state).settings.public_url
    if not request.url.path.startswith("/v1/"):
        return pages.error_page(refused)
    return Response(
        error_body(refused, public_url),
        status_code=refused.status,
        media_type="application/json",
    )


def _as_refused(error: Exception) -> Refused:
    match error:
        case Refused():
            return error
        case ValidationException():
            first = error.extra[0] if isinstance(error.extra, list) and error.extra else None
            detail = f"{first.get('key', '')}: {first['message']}" if first else error.detail
            return Refused(400, "invalid_request_error", "parameter_invalid", detail)
        case HTTPException():
            return Refused(
                error.status_code, "invalid_request_error", "request_invalid", error.detail
            )
        case DomainError():
            return Refused(503, "api_error", error.code, error.message)
        case _:
            log.error("sandbox_request_failed", exc_info=error)
            return Refused(500, "api_error", "internal_error", "Something went wrong on our side.")
