"""Errors as pages for people: they look like the shop, with the categories and one's own menu."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import structlog
from litestar import Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from souk.kernel.actor import Actor
from souk.platform.database import STATEMENT_ERRORS
from souk.platform.http.problems import Problem
from souk.web.page import Req, Viewer, frame_of, nav_of, pages_of, redirect, respond, viewer_of

log = structlog.get_logger()
_OWN = {403, 404, 429, 500, 503}


class ErrorPage(Response[bytes]):
    """What people see instead of problem details.

    The framework asks for an answer to an error without waiting; what stands around the error has
    to be looked up first, which is done when the answer is sent.
    """

    def __init__(self, request: Req, status: int, problem: Problem) -> None:
        super().__init__(b"", status_code=status)
        self._request = request
        self._problem = problem

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return _Drawn(self)

    async def draw(self) -> Response[bytes]:
        """The page, or the way to the log-in when that is what is missing."""
        request, status = self._request, self._problem.status
        if status == 401:
            back = request.scope["path"] if request.method == "GET" else "/account"
            return redirect(f"/login?next={quote(back)}")
        viewer, frame = await _around(request, status)
        template = f"errors/{status if status in _OWN else 'problem'}.html"
        context: dict[str, object] = {
            "title": None,
            "detail": self._problem.detail,
            "request_id": self._problem.request_id,
            "action": None,
            **frame,
        }
        return respond(request, template, status=status, viewer=viewer, context=context)


class _Drawn(ASGIResponse):
    def __init__(self, page: ErrorPage) -> None:
        super().__init__(status_code=page.status_code or 500)
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._page.draw()
        response.headers.update(self._page.headers)
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        await response.to_asgi_response(app=None, request=request)(scope, receive, send)


async def _around(request: Req, status: int) -> tuple[Viewer | None, dict[str, object]]:
    """Who looks, and what the head of the page shows.

    When the database does not answer, which may be why there is an error, it shows what this
    process knows already.
    """
    if status != 503:
        try:
            viewer = await viewer_of(request)
            return viewer, await frame_of(request, viewer)
        except STATEMENT_ERRORS:
            log.warning("error_page_without_frame", status=status)
    actor: Actor | None = request.scope["state"].get("actor")
    tree = pages_of(request).tree
    known = None if actor is None or actor.user_id is None else Viewer.of(actor)
    return known, {"nav_categories": nav_of(tree) if tree else []}
