"""The roles of the one program, and the supervisor that runs them all on one machine."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import structlog

from souk.platform import embedded, lifeline, migrate, telemetry
from souk.platform.settings import CannotStart, Settings

log = structlog.get_logger()
_GRACE = 15.0
_PATIENCE = 3.0
"""Seconds that the roles of a supervisor that was killed have to let go of their ports."""
_STEADY = 30.0
"""Seconds after which the earlier deaths of a role are forgotten."""


@contextmanager
def database(settings: Settings) -> Generator[str]:
    """The URL of a running server: the configured one, or the embedded one, started if need be.

    An embedded server that was started here is stopped at the end.
    """
    if settings.database_url:
        yield settings.database_url
        return
    server = embedded.start(settings.data_dir / "postgres")
    asyncio.run(embedded.ensure_database(server.url))
    try:
        yield server.url
    finally:
        if server.started_here:
            server.stop()


class PortTaken(CannotStart):
    """Another program answers where this one should, or this user may not."""


def _await(host: str, port: int, setting: str) -> None:
    """Like `_claim`, for the first process of all: those of a killed one may still be ending."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return _claim(host, port, setting)
        except PortTaken:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _claim(host: str, port: int, setting: str) -> None:
    """See that a port is free, before a database is started for nothing. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections that are closed but remembered do not hold a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            mend = f"Set {setting} to another port"
            if error.errno == errno.EADDRINUSE:
                mend = f"Stop the program that has it, perhaps another Souk, or s{mend[1:]}"
            raise PortTaken(
                f"Port {port} of {host} cannot be used: {error.strerror}. {mend}."
            ) from error


def serve(settings: Settings) -> None:
    """Serve pages and API until a signal stops it. Raises PortTaken."""
    lifeline.hold()
    _claim(settings.host, settings.port, "SOUK_PORT")
    telemetry.set_up(settings, role="web")
    with database(settings) as url:
        migrate.upgrade(url)
        os.environ["SOUK_DATABASE_URL"] = url
        from souk import serving  # noqa: PLC0415 - the supervisor only starts processes

        if settings.web_workers == 1:
            serving.serve_here("souk.asgi:web", host=settings.host, port=settings.port)
        else:
            serving.serve_in(
                settings.web_workers, "souk.asgi:web_worker", host=settings.host, port=settings.port
            )


def sandbox(settings: Settings) -> None:
    """Serve the sandbox gateway until a signal stops it. Raises PortTaken."""
    lifeline.hold()
    _claim(settings.host, settings.sandbox_port, "SOUK_SANDBOX_PORT")
    telemetry.set_up(settings, role="sandbox")
    with database(settings) as url:
        migrate.upgrade(url)
        os.environ["SOUK_DATABASE_URL"] = url
        from souk import serving  # noqa: PLC0415 - the supervisor only starts processes

        serving.serve_here("souk.asgi:sandbox", host=settings.host, port=settings.sandbox_port)


def work(settings: Settings) -> None:
    """Run jobs, schedules and the relay until SIGTERM or SIGINT, then finish what has begun."""
    lifeline.hold()
    telemetry.set_up(settings, role="worker")
    with database(settings) as url:
        migrate.upgrade(url)
        os.environ["SOUK_DATABASE_URL"] = url
        from souk import app as composition  # noqa: PLC0415 - the others only start processes

        asyncio.run(composition.work(msgspec.structs.replace(settings, database_url=url)))


@dataclass(slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    due: float | None = None
    """When a dead one is started again."""


class Supervisor:
    """Keeps the database and one process per role alive; a dead one is started again.

    When it is killed itself, its processes end too. The embedded database stays, since nothing may
    happen to what it holds, and is taken over by the next start.
    """

    def __init__(self, settings: Settings, names: tuple[str, ...]) -> None:
        self._settings = settings
        self._names = names
        self._children: dict[str, _Child] = {}
        self._server: embedded.EmbeddedServer | None = None
        self._stopping = False

    def start(self, *, prepare: Callable[[], None] | None = None) -> None:
        """Start the database, migrate it, let `prepare` do its work alone, then every role."""
        url = self._start_database()
        try:
            migrate.upgrade(url)
            os.environ["SOUK_DATABASE_URL"] = url
            if prepare is not None:
                prepare()
        except BaseException:
            self._shut_down()
            raise
        for name in self._names:
            self._spawn(name)

    def _start_database(self) -> str:
        if self._settings.database_url:
            return self._settings.database_url
        self._server = embedded.start(self._settings.data_dir / "postgres")
        asyncio.run(embedded.ensure_database(self._server.url))
        return self._server.url

    def _spawn(self, name: str, *, deaths: int = 0) -> None:
        me = os.getpid()
        process = subprocess.Popen(
            [sys.executable, "-m", "souk.cli", name],
            env=lifeline.environment(me),
            preexec_fn=lifeline.tied(me),  # noqa: PLW1509 - one thread here, two system calls there
        )
        self._children[name] = _Child(name, process, time.monotonic(), deaths)

    def watch(self, *, announce: Callable[[], None] | None = None) -> None:
        """Look after the children until a signal comes; `announce` when the pages answer."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while not self._stopping:
            time.sleep(0.2)
            if announce is not None and _answers(self._settings):
                announce()
                announce = None
            self._revive_database()
            for child in list(self._children.values()):
                if child.process.poll() is not None and not self._stopping:
                    self._revive(child, now=time.monotonic())
        self._shut_down()

    def _revive_database(self) -> None:
        if self._server is not None and not _alive(self._server):
            self._restart_database()

    def _restart_database(self) -> None:
        log.warning("database_restart")
        try:
            self._server = embedded.start(self._settings.data_dir / "postgres")
        except embedded.EmbeddedError as error:
            # Processes of a killed server may hold its memory for a moment: it is tried again.
            log.warning("database_not_back_yet", error=str(error)[-500:])
            time.sleep(0.5)

    def _revive(self, child: _Child, *, now: float) -> None:
        """Start a dead one again, after a pause that grows with the deaths in a row. Nobody else is
        kept waiting meanwhile: another role, or the database, may be dead as well."""
        if child.due is None:
            child.deaths = 0 if now - child.started > _STEADY else child.deaths + 1
            child.due = now + min(0.2 * 2**child.deaths, 10)
            code = child.process.returncode
            log.warning("role_died", died=child.name, code=code, deaths=child.deaths)
        elif now >= child.due:
            self._spawn(child.name, deaths=child.deaths)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _shut_down(self) -> None:
        for child in self._children.values():
            child.process.terminate()
        deadline = time.monotonic() + _GRACE
        for child in self._children.values():
            try:
                child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
        if self._server is not None:
            self._server.stop()


def _answers(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - compared
    try:
        with socket.create_connection((host, settings.port), timeout=0.5):
            return True
    except OSError:
        return False


def _alive(server: embedded.EmbeddedServer) -> bool:
    try:
        pid = int((server.folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


def up(
    settings: Settings,
    *,
    prepare: Callable[[], None] | None = None,
    announce: Callable[[], None] | None = None,
) -> None:
    """Everything on one machine. `prepare` runs before the roles, `announce` when they answer.

    Raises PortTaken before anything was started.
    """
    telemetry.set_up(settings, role="supervisor")
    _await(settings.host, settings.port, "SOUK_PORT")
    if not settings.is_production:
        _await(settings.host, settings.sandbox_port, "SOUK_SANDBOX_PORT")
    names = ("serve", "worker") if settings.is_production else ("sandbox", "serve", "worker")
    supervisor = Supervisor(settings, names)
    supervisor.start(prepare=prepare)
    supervisor.watch(announce=announce)
