"""Calls the application in this process, to see which statements an answer costs."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar.types import ASGIApp, HTTPScope, Message

from souk import app as composition
from souk.platform.http import edge
from souk.platform.services import Services


class Caller:
    """The whole application, edge included, without a server."""

    def __init__(self, services: Services) -> None:
        self._app: ASGIApp = edge.Edge(composition.build_app(services), services.settings)

    async def ask(
        self, method: str, path: str, *, body: object = None, guest: str = ""
    ) -> tuple[int, bytes]:
        """The status and body of an answer. `body` is sent as JSON."""
        content = b"" if body is None else msgspec.json.encode(body)
        path, _, query = path.partition("?")
        headers = [(b"host", b"127.0.0.1"), (b"accept", b"application/json")]
        if guest:
            headers.append((b"souk-guest", guest.encode()))
        if body is not None:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", str(len(content)).encode()))
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "scheme": "http", "headers": headers, "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80), "state": {}, "extensions": {},
        }  # fmt: skip
        answer: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            answer.append(message)

        await self._app(cast("HTTPScope", scope), receive, send)
        return answer[0]["status"], b"".join(one.get("body", b"") for one in answer[1:])
