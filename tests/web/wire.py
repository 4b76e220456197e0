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
        self._loss: tuple[bytes, int] | None = None
        self._left: dict[int, int] = {}
        self._gone = threading.Event()
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
                        target=self._carry, args=(one, other, one is near, id(near)), daemon=True
                    ).start()

    def _carry(self, one: socket.socket, other: socket.socket, asks: bool, pair: int) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                if asks:
                    self._note(data, pair)
                elif self._spent(len(data), pair):
                    self._gone.wait(60)
                    one.shutdown(socket.SHUT_RDWR)
                    other.shutdown(socket.SHUT_RDWR)
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def _note(self, request: bytes, pair: int) -> None:
        if self._loss is not None and request.startswith(b"GET " + self._loss[0]):
            self._left[pair] = self._loss[1]
            self._loss = None

    def _spent(self, size: int, pair: int) -> bool:
        """Whether this piece of an answer is one too many."""
        if pair not in self._left:
            return False
        self._left[pair] -= size
        return self._left[pair] <= 0

    def stall(self, path: str, *, after: int) -> None:
        """Carry no more than so many bytes of the answer to the next request for a path that
        begins so, until `lose`."""
        self._loss = (path.encode(), after)

    def lose(self) -> None:
        """Lose the connection that is stalled."""
        self._gone.set()

    def cut(self) -> None:
        """Nothing answers here any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
