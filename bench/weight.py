"""What a first visit fetches, how much is installed, and how long a first set-up takes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import msgspec

from bench import stand
from bench.load import Answer, connect, request

ROOT = Path(__file__).parent.parent
_ASSET = re.compile(rb"""(?:href|src)=["'](/static/[^"']+)["']""")
_PICTURES = (".png", ".jpg", ".webp", ".avif", ".ico", ".svg")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_PATIENCE = 600.0


class Weight(msgspec.Struct, kw_only=True):
    """Compressed bytes of a page's HTML and of everything that it loads, pictures aside."""

    name: str
    html: int
    rest: int


async def page_weight(port: int, name: str, path: str) -> Weight:
    """Fetch a page as a browser does that has nothing yet."""
    connection = await connect(port)

    async def get(one: str, accept: str) -> Answer:
        headers = {"accept": accept, "accept-encoding": "gzip"}
        answer = await connection.ask(request("GET", one, headers=headers))
        if answer.status != 200:
            raise AssertionError(f"{one}: {answer.status}")
        return answer

    try:
        page = await get(path, "text/html")
        body = _unpacked(page)
        rest = 0
        wanted = {match.decode() for match in _ASSET.findall(body)}
        for asset in sorted(wanted):
            if asset.partition("?")[0].endswith(_PICTURES):
                continue
            rest += len((await get(asset, "*/*")).body)
        return Weight(name=name, html=len(page.body), rest=rest)
    finally:
        connection.close()


def _unpacked(answer: Answer) -> bytes:
    packed = answer.header("content-encoding") == "gzip"
    return zlib.decompress(answer.body, 31) if packed else answer.body


def installed_bytes() -> int:
    """Bytes of the packages that running needs, PostgreSQL included, Python itself not."""
    pins = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    files: set[Path] = set()
    for name in _PINNED.findall(pins):
        # What is pinned for other systems only is not here.
        with suppress(metadata.PackageNotFoundError):
            files.update(
                Path(str(file.locate())) for file in metadata.distribution(name).files or []
            )
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


def first_set_up() -> float | None:
    """Seconds from a clean clone to the demo marketplace's first answer; None when it failed.

    Packages come from where the machine gets them, its cache included.
    """
    folder = Path(tempfile.mkdtemp(prefix="souk-clone-"))
    began = time.perf_counter()
    process: subprocess.Popen[bytes] | None = None
    try:
        clone = folder / "souk"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        port, sandbox = stand.free_port(), stand.free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
        kept.pop("VIRTUAL_ENV", None)
        kept |= {
            "SOUK_PORT": str(port),
            "SOUK_BASE_URL": f"http://127.0.0.1:{port}",
            "SOUK_SANDBOX_PORT": str(sandbox),
            "SOUK_SANDBOX_URL": f"http://127.0.0.1:{sandbox}",
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["make", "run"], cwd=clone, env=kept, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        stand.wait_for(process, port, seconds=_PATIENCE)
        return time.perf_counter() - began
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        log_text = (folder / "log").read_text(errors="replace") if process else ""
        print(f"first set-up not measured: {error}\n{log_text[-2_000:]}", file=sys.stderr)
        return None
    finally:
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)
