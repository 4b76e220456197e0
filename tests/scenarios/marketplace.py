"""A whole marketplace as an operator runs it: `souk up` in a folder of its own, on free ports."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import httpx

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Marketplace:
    """Starts everything on entry and stops it on exit; `environment` runs further commands."""

    def __init__(self, *, start_seconds: float = 90, **settings: str) -> None:
        # Not below pytest's own folder, which no other account may enter: as root, PostgreSQL runs
        # as an account of its own.
        folder = Path(tempfile.mkdtemp(prefix="souk-market-"))
        port, sandbox = free_port(), free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.sandbox = f"http://127.0.0.1:{sandbox}"
        self.folder = folder
        self._start_seconds = start_seconds
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SOUK_")}
        self.environment = kept | {
            "PYTHONPATH": str(ROOT / "src"),
            "SOUK_DATA_DIR": str(folder / "data"),
            "SOUK_PORT": str(port),
            "SOUK_SANDBOX_PORT": str(sandbox),
            "SOUK_BASE_URL": self.base,
            "SOUK_SANDBOX_URL": self.sandbox,
            "SOUK_LOG_FORMAT": "console",
            "SOUK_RATE_LIMIT_FACTOR": "1000",
            **{f"SOUK_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Marketplace:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, *arguments: str) -> None:
        """Start `souk up` and wait until it is ready."""
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "souk.cli", "up", *arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until web and sandbox answer; fails with the log after a while."""
        deadline = time.monotonic() + self._start_seconds
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log()[-4000:]
            try:
                ready = httpx.get(f"{self.base}/ready", timeout=2).status_code == 200
                if ready and httpx.get(f"{self.sandbox}/health", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise AssertionError("the marketplace did not start: " + self.log()[-4000:])

    def stop(self) -> None:
        """Stop as a person would, with a signal; nothing is left behind."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=10)
        self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def cli(self, *arguments: str, seconds: float = 120) -> str:
        """Run a `souk` command beside the running marketplace; its output."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "souk.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log(self) -> str:
        return (self.folder / "up.log").read_text(errors="replace")
