"""Liveness, readiness and metrics."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from souk.kernel.errors import DomainError, ErrorKind, Forbidden
from souk.platform import migrate, relay
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.platform.telemetry import EVENT_LAG, EVENTS_DEAD, EVENTS_PENDING

_LOOPBACK = {"127.0.0.1", "::1"}
# A proxy on this machine asks from loopback as well, on behalf of everybody.
_BY_PROXY = {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}


class Health(msgspec.Struct, frozen=True):
    """`status` is `ok`: the process answers."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """`migration` is the revision of the database's schema."""

    status: str
    migration: str
    event_lag_seconds: float


class SchemaBehind(DomainError):
    """The database has not been brought to this program's schema yet."""

    code = "schema_behind"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database is at {revision}, this program needs {_HEAD}. Run `souk migrate`.",
            migration=revision,
        )


_HEAD = migrate.head()


@get("/health", access=access.PUBLIC, sync_to_thread=False)
def health() -> Health:
    """The process is alive. Says nothing about the database."""
    return Health()


@get("/ready", access=access.PUBLIC)
async def ready(db: Database) -> Readiness:
    """Ready for traffic: the database answers and has this program's schema, or a newer one, which
    the program before it can always work with. Raises SchemaBehind."""
    async with db.read() as conn:
        revision = await conn.fetchval("SELECT version_num FROM public.alembic_version")
        # Revisions are named by their number.
        if revision < _HEAD:
            raise SchemaBehind(revision)
        lag = await relay.lag(conn)
    return Readiness("ready", revision, lag.oldest_seconds)


@get("/metrics", access=access.PUBLIC, include_in_schema=False)
async def metrics(
    request: Request[Any, Any, Any], db: Database, settings: Settings
) -> Response[bytes]:
    """Prometheus metrics, for the bearer of the metrics token or for loopback."""
    if settings.metrics_token:
        sent = request.headers.get("authorization", "").encode("utf-8", "replace")
        allowed = hmac.compare_digest(sent, f"Bearer {settings.metrics_token}".encode())
    else:
        here = request.client is not None and request.client.host in _LOOPBACK
        allowed = here and _BY_PROXY.isdisjoint(request.headers)
    if not allowed:
        raise Forbidden("Metrics are not public. Send the metrics token as a bearer token.")
    async with db.read() as conn:
        lag = await relay.lag(conn)
    EVENT_LAG.set(lag.oldest_seconds)
    EVENTS_PENDING.set(lag.pending)
    EVENTS_DEAD.set(lag.dead)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


routes = [health, ready, metrics]
