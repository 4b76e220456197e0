"""The role `souk sandbox` as its own process, killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.payments.conftest import free_port

pytestmark = pytest.mark.reliability
ROOT = Path(__file__).parents[2]
HEADERS = {"authorization": "Bearer sk_sandbox_local"}


@contextmanager
def role(db_url: str, port: int, base_url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`souk sandbox` with its own process group, gone at the end whatever happens."""
    settings = {
        "SOUK_DATABASE_URL": db_url,
        "SOUK_SANDBOX_PORT": str(port),
        "SOUK_SANDBOX_URL": f"http://127.0.0.1:{port}",
        "SOUK_BASE_URL": base_url,
        "SOUK_DATA_DIR": str(folder),
        "PYTHONPATH": str(ROOT / "src"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    process = subprocess.Popen(
        [sys.executable, "-c", "from souk.cli import main; main()", "sandbox"],
        env=kept | settings,
        start_new_session=True,
    )
    try:
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200, 30)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(seen: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        with suppress(httpx.HTTPError):
            if seen():
                return
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.1)


def test_payments_and_webhooks_survive_a_kill(db_url: str, tmp_path: Path) -> None:
    port, deaf = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    body = {
        "amount": 1_234, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": True,
    }  # fmt: skip
    headers = HEADERS | {"idempotency-key": "kill-1"}
    with role(db_url, port, f"http://127.0.0.1:{deaf}", tmp_path):
        made = httpx.post(f"{url}/v1/payment_intents", json=body, headers=headers).json()
        assert made["status"] == "succeeded"
    received: list[bytes] = []
    with listening(deaf, received), role(db_url, port, f"http://127.0.0.1:{deaf}", tmp_path):
        again = httpx.post(f"{url}/v1/payment_intents", json=body, headers=headers).json()
        assert again == made
        wait_for(lambda: any(made["id"].encode() in one for one in received), 45)


@contextmanager
def listening(port: int, received: list[bytes]) -> Iterator[None]:
    """A listener for webhooks in a thread."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/v1/payments/webhooks/sandbox"
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
