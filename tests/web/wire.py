"""A connection to the market that can be lost."""

from __future__ import annotations

import contextlib
import socket
import threading


class Wire:
    """Carries bytes to the market from a port of its own, until it is cut: the server is away."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._to = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._left: int | None = None
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._carry, args=(one, other, one is far), daemon=True
                    ).start()

    def _carry(self, one: socket.socket, other: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                if answers and self._spent(len(data)):
                    one.shutdown(socket.SHUT_RDWR)
                    other.shutdown(socket.SHUT_RDWR)
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def _spent(self, size: int) -> bool:
        """Whether this piece of an answer is one too many."""
        if self._left is None:
            return False
        self._left -= size
        if self._left > 0:
            return False
        self._left = None
        return True

    def lose_after(self, size: int) -> None:
        """Lose the connection once, that on which the answers from now on pass `size` bytes."""
        self._left = size

    def cut(self) -> None:
        """Nothing answers here any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
