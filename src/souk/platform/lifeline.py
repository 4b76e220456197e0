"""A process that ends when the one that started it is gone, however that ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PARENT = "_SOUK_PARENT"
_PAUSE = 1.0
_BEFORE_EXEC: Callable[[int, int], int] | None = (
    ctypes.CDLL(None).prctl if sys.platform == "linux" else None
)
"""Found before any fork: a child between fork and exec should load nothing."""


def tied(parent: int) -> Callable[[], None]:
    """For `preexec_fn` of a child of `parent`: on Linux the kernel sends it SIGTERM when the
    thread that started it ends (prctl(2)), also while it is still loading."""

    def tie() -> None:
        if _BEFORE_EXEC is not None:
            _BEFORE_EXEC(_PR_SET_PDEATHSIG, signal.SIGTERM)
            # It may have died between the fork and the call, when nobody would tell any more.
            if os.getppid() != parent:
                os._exit(1)

    return tie


def environment(parent: int) -> dict[str, str]:
    """This process's variables and, where the kernel does not tell, whom a child has to watch."""
    return {**os.environ} if _BEFORE_EXEC is not None else {**os.environ, _PARENT: str(parent)}


def hold() -> None:
    """Called by a role when it starts: watches whom `environment` named, if anybody."""
    named = os.environ.pop(_PARENT, "")
    if named:
        threading.Thread(target=_watch, args=(int(named),), daemon=True, name="lifeline").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os.kill(os.getpid(), signal.SIGTERM)
