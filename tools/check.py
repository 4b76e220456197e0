"""Everything that can be said of the code without running it; exits non-zero on any finding."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
STEPS = {
    "ruff": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "types": [BIN / "basedpyright", "--level", "error"],
    "messages": [sys.executable, "tools/messages.py", "--check"],
    "imports": [BIN / "lint-imports", "--no-cache"],
    "architecture": [sys.executable, "-m", "pytest", "tests/architecture", "-q"],
    "migrations": [
        BIN / "squawk", "--config", "migrations/squawk.toml",
        *sorted(ROOT.glob("migrations/sql/*.sql")),
    ],
}  # fmt: skip


def step(name: str) -> tuple[str, int, str, float]:
    started = time.monotonic()
    done = subprocess.run(
        [str(part) for part in STEPS[name]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return name, done.returncode, done.stdout + done.stderr, time.monotonic() - started


def main() -> None:
    failed = False
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, code, output, seconds in pool.map(step, STEPS):
            print(f"{'ok  ' if code == 0 else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)
            if code:
                failed = True
                print(output, flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
