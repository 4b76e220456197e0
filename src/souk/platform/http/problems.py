"""Every error as RFC 9457 problem details, or as a page for people who use a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from souk.kernel.errors import DomainError, ErrorKind

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
STATUS = {
    ErrorKind.INVALID: 422,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.LIMITED: 429,
    ErrorKind.UNAVAILABLE: 503,
}
_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
_HTTP_CODES = {
    400: ("bad_request", "The request could not be read. Check its syntax."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request is too large. Send a smaller one."),
    415: ("unsupported_media_type", "Send the body as application/json."),
}


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457. `code` is stable; `detail` is a sentence for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str


ErrorPage = Callable[[Request[Any, Any, Any], int, Problem], Response[Any]]


def _answer(
    request: Request[Any, Any, Any],
    *,
    status: int,
    code: str,
    detail: str,
    fields: dict[str, object],
) -> Response[Any]:
    problem = Problem(
        type=f"/problems/{code}",
        title=_TITLES.get(status, "Error"),
        status=status,
        code=code,
        detail=detail,
        request_id=str(request.scope["state"].get("request_id", "")),
    )
    headers: dict[str, str] = {}
    retry_after = fields.get("retry_after")
    if isinstance(retry_after, int):
        headers["Retry-After"] = str(retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    page: ErrorPage | None = request.app.state.get("error_page")
    if page is not None and _wants_page(request):
        response = page(request, status, problem)
        response.headers.update(headers)
        return response
    body = msgspec.structs.asdict(problem) | {
        k: v for k, v in fields.items() if k not in problem.__struct_fields__
    }
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a person is to read it. Whatever is below /api is read by programs."""
    path: str = request.scope["path"]
    if path == "/api" or path.startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "")


def _domain(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    if error.kind in {ErrorKind.FORBIDDEN, ErrorKind.LIMITED}:
        # Who tries doors that are closed shows here first.
        actor = request.scope["state"].get("actor")
        log.warning(
            "refused",
            code=error.code,
            route=str(request.scope.get("path_template") or "unmatched"),
            actor=actor.label() if actor else None,
            ip=actor.ip if actor else None,
        )
    return _answer(
        request,
        status=STATUS[error.kind],
        code=error.code,
        detail=error.message,
        fields=error.fields,
    )


def _validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    extra = error.extra if isinstance(error.extra, list) else []
    problems = [
        {"path": item.get("key", ""), "code": "invalid", "message": item.get("message", "")}
        for item in extra
        if isinstance(item, dict)
    ]
    detail = "Some of what was sent is not valid. Correct the fields named here and send it again."
    return _answer(
        request,
        status=422,
        code="invalid_input",
        detail=detail,
        fields={"problems": problems} if problems else {},
    )


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= 500:
        return _unexpected(request, error)
    code, detail = _HTTP_CODES.get(error.status_code, ("refused", error.detail))
    response = _answer(request, status=error.status_code, code=code, detail=detail, fields={})
    response.headers.update(error.headers or {})
    return response


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    # Not the path: that of a download is a key to it.
    route = str(request.scope.get("path_template") or "unmatched")
    log.exception("unhandled", route=route, exc_info=error)
    return _answer(
        request,
        status=500,
        code="internal",
        detail="Something went wrong on our side and nothing was changed. Try again in a moment; "
        "if it happens again, tell support the request id.",
        fields={},
    )


HANDLERS: ExceptionHandlersMap = {
    DomainError: _domain,
    ValidationException: _validation,
    HTTPException: _http,
    Exception: _unexpected,
}
