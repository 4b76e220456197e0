"""The outermost layer: request ids, kept answers, metrics; and the app's assembly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import structlog
from litestar import Litestar, Request, Router
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import Parameter
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from souk.kernel.actor import Actor
from souk.kernel.ids import uuid7
from souk.platform.database import Database
from souk.platform.http import access, contract, limits, problems
from souk.platform.http.answer import Answer
from souk.platform.http.holder import Holder, holder_of
from souk.platform.http.idempotency import Idempotency
from souk.platform.http.kept import KeptAnswers
from souk.platform.options import Options
from souk.platform.services import Services
from souk.platform.settings import Settings
from souk.platform.storage import FileStore
from souk.platform.telemetry import LATENCY, REQUESTS, tracer

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

log = structlog.get_logger()
_MAX_BODY = 1_000_000
_SLOW = 1.0
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'{forms}; frame-ancestors 'none'; base-uri 'none'"
)


_KNOWS_CALLER = {"actor", "holder", "request", "headers", "cookies", "scope", "state", "socket"}


class RouteError(Exception):
    """A route was declared wrongly; the program does not start."""


class Edge:
    """ASGI wrapper around the whole application. Without `kept` every request is asked anew."""

    def __init__(
        self, app: ASGIApp, settings: Settings, *, kept: KeptAnswers | None = None
    ) -> None:
        self._app = app
        self._kept = kept
        self._tracer = tracer() if settings.otlp_endpoint else None
        # Browsers apply form-action to the redirects that follow a form, the gateway's page too.
        forms = "" if settings.is_production else f" {settings.sandbox_url}"
        self._headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"x-frame-options", b"DENY"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
            (b"content-security-policy", CSP.format(forms=forms).encode()),
        ]
        if settings.secure_cookies:
            hsts = b"max-age=31536000; includeSubDomains"
            self._headers.append((b"strict-transport-security", hsts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = uuid7().hex
        scope.setdefault("state", {})["request_id"] = request_id
        answer = Answer(scope, send, self._headers, request_id)
        try:
            if self._tracer is None:
                await self._respond(scope, receive, answer)
            else:
                await self._traced(self._tracer, scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            route = str(scope.get("path_template") or "unmatched")
            _requests(scope["method"], route, answer.status).inc()
            # A stream lasts as long as somebody listens: that says nothing of how quick we are.
            streams = scope["state"].get("streams", False)
            if not streams:
                _latency(route).observe(seconds)
            if seconds > _SLOW and not streams:
                log.warning("slow_request", route=route, seconds=round(seconds, 3))

    async def _respond(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        if self._kept is None:
            await self._app(scope, receive, answer)
        else:
            await self._kept.respond(scope, answer, lambda: self._app(scope, receive, answer))

    async def _traced(self, tracer: Tracer, scope: Scope, receive: Receive, answer: Answer) -> None:
        with tracer.start_as_current_span("http.request") as span:
            try:
                await self._respond(scope, receive, answer)
            finally:
                span.set_attribute("http.route", str(scope.get("path_template") or "unmatched"))
                span.set_attribute("http.response.status_code", answer.status)


# Looking up a child by its labels takes a lock and builds a key, several times per request.
@lru_cache(maxsize=4_096)
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@lru_cache(maxsize=1_024)
def _latency(route: str) -> Histogram:
    return LATENCY.labels(route)


def check_routes(app: Litestar) -> None:
    """Every HTTP route has an access rule that is asked; raises RouteError naming the others."""
    bare = sorted(
        {
            f"{'/'.join(sorted(handler.http_methods))} {route.path}"
            for route in app.routes
            for handler in getattr(route, "route_handlers", [])
            if "OPTIONS" not in handler.http_methods
            and ("access" not in handler.opt or handler.resolve_before_request() is not _admit)
        }
    )
    if bare:
        raise RouteError(f"These routes do not declare who may call them: {', '.join(bare)}")
    personal = sorted(
        route.path
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if "shared" in handler.opt and not _answers_all_alike(handler)
    )
    if personal:
        raise RouteError(f"Answers of these routes cannot be shared: {', '.join(personal)}")
    other = [route.path for route in app.routes if not isinstance(route, HTTPRoute)]
    if other:
        raise RouteError(f"Only HTTP routes can be guarded: {', '.join(other)}")


class _Souk(Litestar):
    """Litestar without the plugins of libraries whose types no route has.

    Importing pydantic, which is installed because the job queue uses it, took a third of the start
    and 20 MB of every web process.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


class _Documents(Router):
    """Where the API's document is served, without the framework's own page for every other address
    below it: those answer with a problem like the rest of the API."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        if isinstance(value, HTTPRouteHandler) and "/{path:str}" in value.paths:
            return []
        return super().register(value)


def _answers_all_alike(handler: HTTPRouteHandler) -> bool:
    """Public, not counted by caller, and blind to who asks."""
    return (
        handler.opt["access"] == access.PUBLIC
        and "rate" not in handler.opt
        and _KNOWS_CALLER.isdisjoint(handler.parsed_fn_signature.parameters)
    )


async def _admit(request: Request[Any, Any, Any]) -> None:
    """The access rule, the text and the limits of the route, before the handler is called.

    Not as guards: Litestar copies the whole route handler for each guard of each request.
    """
    handler = request.scope["route_handler"]
    await limits.admit(request)
    # From here on the body is read, which costs as much as it is long.
    await contract.guard(request)
    await access.prove(request, handler)


def _with_all_methods(router: Router) -> Router:
    """Let OPTIONS name every method of a path: Litestar keeps the answer it made for the first
    handler of a path, unless there is none when the routes are taken into the application."""
    for route in router.routes:
        if isinstance(route, HTTPRoute):
            route.route_handlers = [
                handler for handler in route.route_handlers if "OPTIONS" not in handler.http_methods
            ]
    return router


def _resolve_in_turn(app: Litestar) -> None:
    """Resolve dependencies one after the other.

    Litestar starts a task for each of several; none of ours waits long enough to be worth one.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = [
                    {dependency} for batch in model.dependency_batches for dependency in batch
                ]


async def _provide_actor(request: Request[Any, Any, Any]) -> Actor:
    return await access.actor_of(request)


async def _provide_holder(request: Request[Any, Any, Any]) -> Holder:
    return await holder_of(request)


def _provide(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)


_NAMES = {
    kind.__name__: kind
    for kind in (Actor, Database, FileStore, Holder, Options, Services, Settings)
} | {"Parameter": Parameter}


_EXPOSED = ["ETag", "Idempotency-Replayed", "Retry-After", "X-Request-Id"]
"""What scripts of other sites may read beside the body."""


def build(
    services: Services,
    *,
    routes: Sequence[ControllerRouterHandler],
    authenticator: access.Authenticator | None,
    state: dict[str, object] | None = None,
    provide: dict[str, object] | None = None,
    title: str = "Souk",
    version: str = "0",
    **litestar_options: Any,
) -> Litestar:
    """Assemble the application; `provide` adds dependencies by name.

    Raises RouteError when a route lacks its access rule.
    """
    settings = services.settings
    for route in routes:
        if isinstance(route, HTTPRouteHandler):
            contract.document(route)
            if route.opt.get("idempotent"):
                route.middleware = [Idempotency]
    app = _Souk(
        route_handlers=[_with_all_methods(Router("/", route_handlers=list(routes)))],
        before_request=_admit,
        exception_handlers=problems.HANDLERS,
        dependencies={
            "db": _provide(services.db),
            "settings": _provide(settings),
            "files": _provide(services.files),
            "services": _provide(services),
            "options": _provide(services.options),
            "actor": Provide(_provide_actor),
            "holder": Provide(_provide_holder),
            **{name: _provide(value) for name, value in (provide or {}).items()},
        },
        signature_namespace=_NAMES,
        cors_config=(
            CORSConfig(
                allow_origins=list(settings.cors_origins), expose_headers=_EXPOSED, max_age=600
            )
            if settings.cors_origins
            else None
        ),
        openapi_config=OpenAPIConfig(
            title=title,
            version=version,
            openapi_router=_Documents(
                "/api/v1", route_handlers=[], opt={"access": access.PUBLIC}, include_in_schema=False
            ),
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        request_max_body_size=_MAX_BODY,
        logging_config=None,
        **litestar_options,
    )
    app.state["settings"] = settings
    app.state["db"] = services.db
    app.state["services"] = services
    app.state["authenticator"] = authenticator
    app.state["limiter"] = limits.Limiter(services.db, factor=settings.rate_limit_factor)
    for key, value in (state or {}).items():
        app.state[key] = value
    check_routes(app)
    _resolve_in_turn(app)
    return app
