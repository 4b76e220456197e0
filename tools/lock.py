"""Compiles requirements/*.in to hashed locks without any registry's address in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
UV = Path(sys.executable).parent / "uv"

for source in sorted(FOLDER.glob("*.in")):
    command = [
        str(UV), "pip", "compile", "--quiet", "--generate-hashes", "--universal",
        "--python-version", "3.11", "--no-emit-index-url", "--no-emit-find-links", "--no-header",
        "--no-annotate", "--upgrade", str(source), "-o", str(source.with_suffix(".txt")),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    print(source.with_suffix(".txt").name)
