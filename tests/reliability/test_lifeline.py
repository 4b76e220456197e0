"""What a killed supervisor leaves behind: nothing that answers or works, and a whole database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from souk.platform import lifeline
from tests.reliability.test_kill import children, command, installation, ready

PATIENCE = 20.0


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


@pytest.mark.reliability
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_children_of_a_killed_supervisor_end(server_url: str, template: str) -> None:
    async with installation(server_url, template) as made:
        assert made.process is not None
        roles = [pid for pid in children(made.process.pid) if "souk.cli" in command(pid)]
        assert len(roles) == 3, [command(pid) for pid in roles]
        made.process.send_signal(signal.SIGKILL)
        made.process.wait()
        assert within(PATIENCE, lambda: all(gone(pid) for pid in roles)), made.log()
        # Ports are free and the database is well: the next start serves.
        made.start()
        await ready(f"http://127.0.0.1:{made.port}")


_CHILD = """
import subprocess, sys
from souk.platform import lifeline
child = subprocess.Popen([sys.executable, "-c", {held!r}], env=lifeline.environment({parent}),
                         preexec_fn={tie})
print(child.pid, flush=True)
sys.stdin.read()
"""
_HOLDS = "from souk.platform import lifeline; lifeline.hold(); import time; time.sleep(60)"
_BARE = "import time; time.sleep(60)"


def _parent(held: str, *, tie: str, parent: str) -> tuple[subprocess.Popen[str], int]:
    program = _CHILD.format(held=held, tie=tie, parent=parent)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells")
def test_the_kernel_ends_what_was_tied() -> None:
    process, child = _parent(_BARE, tie="lifeline.tied(__import__('os').getpid())", parent="1")
    try:
        assert not gone(child)
    finally:
        process.kill()
        process.wait()
    assert within(5, lambda: gone(child))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_child_ends_whose_parent_was_gone_before_it_was_tied() -> None:
    code = subprocess.run(
        [sys.executable, "-c", _BARE], preexec_fn=lifeline.tied(1), timeout=10, check=False
    ).returncode
    assert code == 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_where_no_kernel_tells_the_child_watches() -> None:
    held = _HOLDS.replace("lifeline.hold()", "import os; os.environ['_SOUK_PARENT'] = str("
                          "os.getppid()); lifeline.hold()")  # fmt: skip
    process, child = _parent(held, tie="None", parent="1")
    try:
        time.sleep(1.5)
        assert not gone(child)
    finally:
        process.kill()
        process.wait()
    assert within(5, lambda: gone(child))
