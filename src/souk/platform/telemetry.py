"""Logs, metrics, traces and error reports; each is off, or costs next to nothing, until set."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from typing import TYPE_CHECKING, Any, cast

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import EventDict, Processor, WrappedLogger

from souk.platform.settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer
    from sentry_sdk.types import Event

_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "api_key", "card")
REQUESTS = Counter("souk_http_requests_total", "Answers by route", ["method", "route", "status"])
LATENCY = Histogram(
    "souk_http_seconds",
    "Time to answer by route",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
EVENT_LAG = Gauge("souk_event_lag_seconds", "Age of the oldest undelivered event")
EVENTS_PENDING = Gauge("souk_event_deliveries_pending", "Deliveries that wait")
EVENTS_DEAD = Gauge("souk_event_deliveries_dead", "Deliveries in the dead-letter list")


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "[redacted]"
    return event


def set_up(settings: Settings, *, role: str) -> None:
    """Configure this process once. `role` is web, worker, sandbox… and appears in every line.

    Raises SettingsError when the log file cannot be written.
    """
    _set_up_logs(settings, role=role)
    if settings.sentry_dsn:
        _set_up_sentry(settings)
    if settings.otlp_endpoint:
        _set_up_traces(settings, role=role)


def _without_secrets(event: Event, _hint: dict[str, Any]) -> Event:
    """Mailed links carry their key in the query or in the path: a report names the route alone."""
    request = cast("dict[str, Any]", event.get("request", {}))
    for name in ("url", "query_string", "cookies", "headers", "data"):
        request.pop(name, None)
    return event


# Both libraries take long to import; a program that reports to neither starts without them.
def _set_up_sentry(settings: Settings) -> None:
    import sentry_sdk  # noqa: PLC0415

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.environment,
        send_default_pii=False,
        max_request_body_size="never",
        # Values in frames are passwords, tokens and the settings with their keys.
        include_local_variables=False,
        # That of the framework reads every body, and turns what it cannot read into a failure.
        auto_enabling_integrations=False,
        before_send=_without_secrets,
        before_send_transaction=_without_secrets,
    )


def _set_up_traces(settings: Settings, *, role: str) -> None:
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({"service.name": "souk", "service.instance.role": role})
    )
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint))
    )
    trace.set_tracer_provider(provider)


def _set_up_logs(settings: Settings, *, role: str) -> None:
    level = getattr(logging, settings.log_level.upper())
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
    handler = _log_file(settings.log_file) if settings.log_file else logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "pgqueuer", "alembic", "_granian"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def _log_file(path: str) -> logging.Handler:
    try:
        return logging.handlers.RotatingFileHandler(
            path, maxBytes=20_000_000, backupCount=10, encoding="utf-8"
        )
    except OSError as error:
        raise SettingsError(
            f"The log {path} cannot be written: {error.strerror}. Set SOUK_LOG_FILE to a file in a"
            " folder that is there and that this user may write."
        ) from error


def tracer() -> Tracer:
    """The tracer; one that records nothing until an OTLP endpoint is set."""
    from opentelemetry import trace  # noqa: PLC0415

    return trace.get_tracer("souk")
