"""Rate limits by endpoint class (`rate="login"` on a route), per caller.

Strict classes count in PostgreSQL, so that all workers share them; the broad ones count in the
process. Limits are windows of fixed length.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, IPv6Network, ip_address

from litestar.handlers.base import BaseRouteHandler

from souk.kernel.errors import DomainError, ErrorKind
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.access import Connection, actor_of
from souk.platform.settings import Settings


class TooMany(DomainError):
    """The caller used up the allowance of this class; `retry_after` seconds until the next."""

    code = "too_many_requests"
    kind = ErrorKind.LIMITED

    def __init__(self, *, retry_after: int) -> None:
        minutes = max(1, round(retry_after / 60))
        text = f"That was too often. Try again in {minutes} minutes."
        if retry_after < 90:
            text = f"That was too often. Try again in {retry_after} seconds."
        super().__init__(text, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Limit:
    """`hits` per `seconds`; `shared` ones are counted for all workers together."""

    hits: int
    seconds: int
    shared: bool


LIMITS = {
    "login": Limit(30, 900, shared=True),
    "mail": Limit(10, 3_600, shared=True),
    "download": Limit(10, 3_600, shared=True),
    "upload": Limit(300, 3_600, shared=True),
    "checkout": Limit(120, 60, shared=False),
    "write": Limit(240, 60, shared=False),
    "search": Limit(600, 60, shared=False),
}
_KEEP = 50_000


class Limiter:
    """Counts hits; one per process, kept in the application's state."""

    def __init__(self, db: Database, *, factor: float = 1.0) -> None:
        self._db = db
        self._factor = factor
        self._local: OrderedDict[tuple[str, int], int] = OrderedDict()

    async def hit(self, name: str, caller: str) -> None:
        """Count one hit of `caller` in class `name`; raises TooMany past the limit."""
        limit = LIMITS[name]
        now = time.time()
        window = int(now // limit.seconds)
        bucket = f"{name}:{caller}"
        hits = (
            await self._shared(bucket, window * limit.seconds)
            if limit.shared
            else self._count(bucket, window)
        )
        if hits > limit.hits * self._factor:
            raise TooMany(retry_after=max(1, int((window + 1) * limit.seconds - now)))

    def _count(self, bucket: str, window: int) -> int:
        key = (bucket, window)
        hits = self._local.pop(key, 0) + 1
        self._local[key] = hits
        if len(self._local) > _KEEP:
            self._local.popitem(last=False)
        return hits

    async def _shared(self, bucket: str, start: int) -> int:
        async def count(tx: WriteTx) -> int:
            return await tx.fetchval(
                "INSERT INTO platform.rate_limit (bucket, window_start, hits) VALUES ($1, $2, 1)"
                " ON CONFLICT (bucket, window_start)"
                " DO UPDATE SET hits = platform.rate_limit.hits + 1 RETURNING hits",
                bucket,
                datetime.fromtimestamp(start, UTC),
            )

        return await self._db.transact(count)


def client_ip(connection: Connection) -> str:
    """The caller's address: the socket's, or the one that our outermost trusted proxy saw."""
    settings: Settings = connection.app.state["settings"]
    # Some proxies append a line instead of an entry: all lines are one list (RFC 9110, 5.3).
    forwarded = ",".join(connection.headers.getall("x-forwarded-for", []))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    if settings.trusted_proxies and len(hops) >= settings.trusted_proxies:
        return hops[-settings.trusted_proxies]
    return connection.client.host if connection.client else "unknown"


def neighbourhood(address: str) -> str:
    """Who is counted as one: an address of IPv4, or the /64 of which an IPv6 customer has all."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, 64), strict=False))


async def admit(connection: Connection) -> None:
    """The route's rule and its limit, once per request. Raises what they raise."""
    scope = connection.scope
    if scope["state"].get("admitted"):
        return
    scope["state"]["admitted"] = True
    handler = scope["route_handler"]
    await access.guard(connection, handler)
    await guard(connection, handler)


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Count the request in its route's class, by account when signed in, else by address."""
    name = handler.opt.get("rate")
    if name is None:
        return
    limiter: Limiter = connection.app.state["limiter"]
    if name in {"login", "mail"}:
        caller = neighbourhood(client_ip(connection))
    else:
        actor = await actor_of(connection)
        caller = str(actor.user_id or neighbourhood(client_ip(connection)))
    await limiter.hit(name, caller)


async def forget_old(tx: WriteTx) -> None:
    """Drop windows that ended; run by a schedule."""
    await tx.execute(
        "DELETE FROM platform.rate_limit WHERE window_start < $1 - interval '2 hours'",
        tx.clock.now(),
    )
