"""What reaches the logs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_FAIL = """
import logging
import structlog
from souk.platform import settings, telemetry

telemetry.set_up(settings.load(), role="{role}")

def pay(password):
    card = "4242424242424242"
    raise ValueError("declined")

try:
    pay("correct horse")
except ValueError:
    structlog.get_logger().exception("failed", token="hunter2", order="A-1")
    logging.getLogger("library").exception("failed there")
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("role", ["web", "sandbox"])
def test_a_failure_is_logged_without_the_values_in_its_frames(log_format: str, role: str) -> None:
    environ = {
        "SOUK_LOG_FORMAT": log_format,
        "SOUK_SECRET_KEY": "a-test-secret-key-of-more-than-32-characters",
        "PYTHONPATH": "src",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-c", _FAIL.format(role=role)],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said = done.stderr + done.stdout
    assert said.count("declined") == 2
    assert "A-1" in said
    assert role in said
    for secret in ("4242424242424242", "hunter2", "a-test-secret-key"):
        assert secret not in said
    # The call is quoted as it stands in the source, so only the value in the frame may be absent.
    assert "password = " not in said
    assert "password='" not in said
