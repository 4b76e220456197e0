"""What every operation has in common: its place in the document, the errors that it may answer,
and text that can be kept.
"""

from __future__ import annotations

import inspect
import re

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from souk.kernel.errors import InvalidInput
from souk.platform.http.access import SIGNED, Access, Connection
from souk.platform.http.problems import MEDIA_TYPE, Problem

_ERRORS = {
    400: "The request could not be read.",
    401: "Nobody is signed in, or the credentials are not valid any more.",
    403: "The caller may not do this.",
    404: "It does not exist, or it belongs to somebody else.",
    405: "This address does not take that method.",
    409: "The state of things does not allow it; `code` says why.",
    413: "The body is too large.",
    415: "The body has a media type that is not understood here.",
    422: "Something that was sent is not valid; `problems` names the fields.",
    429: "Too often. `Retry-After` says when to try again.",
    503: "Something that is needed cannot be reached just now.",
}
ERROR_RESPONSES = {
    status: ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        description=description,
        media_type=MEDIA_TYPE,
    )
    for status, description in _ERRORS.items()
}
_READ = ("application/json", "application/x-www-form-urlencoded")
# An escaped backslash before `u0000` makes it six harmless characters.
_MANY = 200
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000|\x00|%00")


_CALLERS = {
    "public": "Anyone may call this.",
    "holder": "Anyone may call this; it answers with what belongs to the account, or to the guest "
    "whose token is in `Souk-Guest`.",
    "signed_in": "For people who are signed in.",
    "seller": "For sellers, about their own shop.",
    SIGNED.name: "For whoever can sign the body.",
}
_API = "/api/v1/"


def document(route: HTTPRouteHandler) -> None:
    """What the document says of a route: its group, its docstring, its callers, its errors."""
    route.responses = ERROR_RESPONSES | dict(route.responses or {})
    path = min(route.paths)
    if route.tags is None and path.startswith(_API):
        route.tags = [path.removeprefix(_API).split("/")[0]]
    first, _, rest = (inspect.getdoc(route.fn) or "").partition("\n\n")
    if route.summary is None and first:
        route.summary = " ".join(first.split()).rstrip(".")
    if route.description is None:
        rule: Access | None = route.opt.get("access")
        again = "Send an `Idempotency-Key` to be able to repeat it." * bool(
            route.opt.get("idempotent")
        )
        route.description = "\n\n".join(filter(None, [rest.strip(), _callers(rule), again]))


def _callers(rule: Access | None) -> str:
    if rule is None:
        return ""
    if rule.permission is not None:
        return f"For staff with the permission `{rule.permission}`."
    return _CALLERS[rule.name]


async def guard(connection: Connection) -> None:
    """Refuse what no handler can read or keep, wherever it comes in: the NUL character, which
    PostgreSQL cannot keep in text; bytes that are no text; and nesting without an end."""
    scope = connection.scope
    if "\x00" in scope["path"] or _NUL.search(scope["query_string"]):
        raise _refusal()
    if not isinstance(connection, Request):
        return
    kind = connection.headers.get("content-type", "").lower()
    decoded = "data" in scope["route_handler"].parsed_fn_signature.parameters
    if kind.startswith(_READ) or (decoded and not kind.startswith("multipart/")):
        _check_body(await connection.body())


def _check_body(body: bytes) -> None:
    if _NUL.search(body):
        raise _refusal()
    try:
        body.decode()
        # The decoder runs out of stack at some thousand levels; no body of ours has a dozen.
        if body.count(b"[") + body.count(b"{") > _MANY:
            msgspec.json.decode(body)
    except UnicodeDecodeError as error:
        raise InvalidInput("The body is not valid UTF-8. Encode it and send it again.") from error
    except RecursionError as error:
        raise InvalidInput("The body is nested too deeply. Send what the route takes.") from error
    except msgspec.DecodeError:
        # Not JSON at all: whoever reads it says so.
        return


def _refusal() -> InvalidInput:
    return InvalidInput(
        "The text has a NUL character, which cannot be stored. Remove it and send it again."
    )
