"""The gateways that are set up, each behind retries and a circuit breaker."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
import stamina
import structlog
from prometheus_client import Counter

from souk.contexts.payments.errors import UnknownGateway
from souk.contexts.payments.ports import GatewayPort, GatewayRefused, GatewayUnreachable

log = structlog.get_logger()
T = TypeVar("T")
CALLS = Counter(
    "souk_gateway_calls_total", "Calls to payment gateways", ["gateway", "call", "result"]
)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long a buyer is kept waiting for a gateway that does not answer."""

    attempts: int = 3
    first_pause: timedelta = timedelta(milliseconds=100)
    longest: timedelta = timedelta(seconds=12)


class CircuitBreaker:
    """Stops calling a gateway that mostly fails, and tries one call after a pause.

    Opens when at least half of the last `window` calls failed and there were at least `least`.
    """

    def __init__(
        self,
        *,
        window: int = 20,
        least: int = 10,
        pause: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._results: deque[bool] = deque(maxlen=window)
        self._least = least
        self._pause = pause
        self._monotonic = monotonic
        self._closed_again_at = 0.0
        self._open = False

    def allows(self) -> bool:
        """True when a call may be made; after the pause, for one call at a time."""
        if not self._open:
            return True
        now = self._monotonic()
        if now < self._closed_again_at:
            return False
        self._closed_again_at = now + self._pause
        return True

    def succeeded(self) -> None:
        if self._open:
            self._open = False
            self._results.clear()
        self._results.append(True)

    def failed(self) -> None:
        self._results.append(False)
        bad = self._results.count(False)
        if self._open or (len(self._results) >= self._least and bad * 2 >= len(self._results)):
            self._open = True
            self._closed_again_at = self._monotonic() + self._pause


class Gateways:
    """Calls a gateway by name. One instance for a process: it keeps connections and breakers."""

    def __init__(self, ports: Sequence[GatewayPort], *, retry: RetryPolicy | None = None) -> None:
        self._ports = {port.name: port for port in ports}
        self._breakers = {port.name: CircuitBreaker() for port in ports}
        self._retry = retry or RetryPolicy()

    @property
    def names(self) -> list[str]:
        """The gateways that are offered, the default first."""
        return list(self._ports)

    def port(self, name: str) -> GatewayPort:
        """Raises UnknownGateway."""
        port = self._ports.get(name)
        if port is None:
            raise UnknownGateway(gateway=name, offered=self.names)
        return port

    async def call(self, name: str, what: str, work: Callable[[GatewayPort], Awaitable[T]]) -> T:
        """Run `work` with retries. GatewayUnreachable tells whether anything was ever sent."""
        port = self.port(name)
        sent = False
        try:
            async for attempt in stamina.retry_context(
                on=GatewayUnreachable,
                attempts=self._retry.attempts,
                timeout=self._retry.longest,
                wait_initial=self._retry.first_pause,
                wait_jitter=self._retry.first_pause,
                wait_max=timedelta(seconds=1),
            ):
                with attempt:
                    try:
                        return await self._once(port, what, work)
                    except GatewayUnreachable as error:
                        sent = sent or error.sent
                        raise
        except GatewayUnreachable as error:
            log.warning("gateway_unreachable", gateway=name, call=what, error=str(error))
            raise GatewayUnreachable(str(error), sent=sent) from error
        raise AssertionError("unreachable")

    async def _once(
        self, port: GatewayPort, what: str, work: Callable[[GatewayPort], Awaitable[T]]
    ) -> T:
        breaker = self._breakers[port.name]
        if not breaker.allows():
            CALLS.labels(port.name, what, "held_back").inc()
            raise GatewayUnreachable("held back by the circuit breaker", sent=False)
        try:
            result = await work(port)
        except GatewayUnreachable:
            breaker.failed()
            CALLS.labels(port.name, what, "unreachable").inc()
            raise
        except GatewayRefused as error:
            breaker.succeeded()
            CALLS.labels(port.name, what, "refused").inc()
            log.warning("gateway_refused", gateway=port.name, call=what, code=error.code)
            raise
        breaker.succeeded()
        CALLS.labels(port.name, what, "answered").inc()
        return result

    async def close(self) -> None:
        """Close the gateways' connections."""
        for port in self._ports.values():
            await port.close()
