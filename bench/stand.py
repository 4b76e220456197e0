"""The programs under measurement: the real roles, each its own process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from souk.platform.settings import Settings

SOURCE = Path(__file__).parent.parent / "src"


def free_port() -> int:
    """A TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Role:
    """A running `souk <name>` with its children."""

    name: str
    process: subprocess.Popen[bytes]
    seconds_to_ready: float = 0.0

    def cpu_seconds(self) -> float:
        """User and system time of the role so far, its children included."""
        return sum(_ticks(pid) for pid in _tree(self.process.pid)) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Bytes of the role alone: pages that its processes share count once (PSS, proc(5))."""
        return sum(_pss(pid) for pid in _tree(self.process.pid))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _tree(int(child)))]


def _ticks(pid: int) -> int:
    # The name of the program may hold spaces, and stands in parentheses.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def environment(settings: Settings) -> dict[str, str]:
    """The variables that give a child process these settings."""
    chosen = {
        "SOUK_ENVIRONMENT": settings.environment,
        "SOUK_DATA_DIR": str(settings.data_dir),
        "SOUK_DATABASE_URL": settings.database_url,
        "SOUK_SECRET_KEY": settings.secret_key,
        "SOUK_PORT": str(settings.port),
        "SOUK_BASE_URL": settings.base_url,
        "SOUK_SANDBOX_URL": settings.sandbox_url,
        "SOUK_SANDBOX_PORT": str(settings.sandbox_port),
        "SOUK_RATE_LIMIT_FACTOR": str(settings.rate_limit_factor),
        "SOUK_LOG_LEVEL": settings.log_level,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    # A start on an existing installation finds compiled modules, whatever this shell has set.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    chosen["PYTHONPYCACHEPREFIX"] = str(settings.data_dir / "compiled")
    return kept | chosen | {"PYTHONPATH": str(SOURCE)}


def start(name: str, settings: Settings, *, port: int | None) -> Role:
    """Start `souk <name>`; with `port`, wait until it answers there."""
    began = time.perf_counter()
    log = (settings.data_dir / f"{name}.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "souk.cli", name],
        env=environment(settings),
        stdout=log,
        stderr=log,
    )
    log.close()
    role = Role(name, process)
    if port is not None:
        wait_for(process, port)
        role.seconds_to_ready = time.perf_counter() - began
    return role


def wait_for(process: subprocess.Popen[bytes], port: int, *, seconds: float = 60) -> None:
    """Return when `port` answers; raises RuntimeError when the process ends or takes too long."""
    request = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"a role ended with {process.returncode} instead of serving")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(request)
                if connection.recv(12)[9:12] != b"":
                    return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"a role did not answer within {seconds:.0f} seconds")


@contextmanager
def running(
    settings: Settings, *, worker: bool = False, web: bool = True
) -> Generator[dict[str, Role]]:
    """The sandbox gateway and the roles that a measurement needs, stopped at the end."""
    roles: dict[str, Role] = {}
    try:
        roles["sandbox"] = start("sandbox", settings, port=settings.sandbox_port)
        if worker:
            roles["worker"] = start("worker", settings, port=None)
        if web:
            roles["serve"] = start("serve", settings, port=settings.port)
        yield roles
    finally:
        for role in roles.values():
            role.stop()
