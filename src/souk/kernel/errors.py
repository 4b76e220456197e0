"""The one base of every refusal that Souk can give.

A context lists its refusals in its `errors.py` as subclasses of `DomainError`. The HTTP edge maps
`kind` to a status once and renders RFC 9457 problem details from `code`, message and fields.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class ErrorKind(StrEnum):
    """What sort of refusal this is; each kind has exactly one HTTP status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """A refusal with a stable machine code and a sentence for people that says what to do next.

    Subclasses set `code` and `kind`; there is no default for either. Keyword arguments become
    `fields`, which appear as members of the problem document, so they hold JSON primitives only
    and never a secret.
    """

    code: ClassVar[str]
    kind: ClassVar[ErrorKind]

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        super().__init_subclass__()
        if not abstract and not (hasattr(cls, "code") and hasattr(cls, "kind")):
            raise TypeError(f"{cls.__name__} must declare `code` and `kind`")


class InvalidInput(DomainError):
    """One or more fields of a request are wrong. `problems` lists each with its path."""

    code = "invalid_input"
    kind = ErrorKind.INVALID

    def __init__(self, message: str, *, problems: list[FieldProblem] | None = None) -> None:
        self.problems = problems or []
        super().__init__(
            message,
            problems=[
                {"path": p.path, "code": p.code, "message": p.message} for p in self.problems
            ],
        )


class FieldProblem:
    """What is wrong with one field: `path` is a JSON path such as `variants[0].price`."""

    __slots__ = ("code", "message", "path")

    def __init__(self, path: str, code: str, message: str) -> None:
        self.path = path
        self.code = code
        self.message = message


class NotFound(DomainError):
    """The thing does not exist, or is not visible to this caller: the two look the same."""

    code = "not_found"
    kind = ErrorKind.NOT_FOUND


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"
    kind = ErrorKind.FORBIDDEN


class NotSignedIn(DomainError):
    """The route needs an identity and the request carries none that is valid."""

    code = "not_signed_in"
    kind = ErrorKind.UNAUTHENTICATED


class IllegalTransition(DomainError):
    """A state machine was asked for a step that its table does not have; names both states."""

    code = "illegal_transition"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, subject: str, current: str, wanted: str) -> None:
        super().__init__(
            f"This {subject} is {current.replace('_', ' ')} and cannot become "
            f"{wanted.replace('_', ' ')}. Reload it to see what can be done now.",
            subject=subject,
            current=current,
            wanted=wanted,
        )
