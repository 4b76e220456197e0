"""Runs every command of docs/api-walkthrough.md against a fresh `souk up`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.marketplace import Marketplace

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.reliability
def test_every_command_of_the_walkthrough_works(tmp_path):
    text = (ROOT / "docs" / "api-walkthrough.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) >= 9
    with Marketplace() as market:
        market.cli("admin", "create", "admin@example.com", "--password", "correct-horse-battery-7")
        script = tmp_path / "walkthrough.sh"
        script.write_text("set -euo pipefail\n" + "\n".join(blocks))
        done = subprocess.run(
            ["bash", "-x", str(script)],
            env=market.environment | {"BASE": market.base},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        told = done.stdout[-3000:] + done.stderr[-5000:] + market.log()[-3000:]
        assert done.returncode == 0, told
        assert "Every invariant holds" in market.cli("verify")
