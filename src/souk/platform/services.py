"""What jobs, handlers and routes are given to work with, built once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, cast

from souk.kernel.clock import Clock
from souk.platform.database import Database
from souk.platform.mail import Mailer
from souk.platform.options import Options
from souk.platform.settings import Settings
from souk.platform.storage import FileStore

T = TypeVar("T")


@dataclass(slots=True)
class Services:
    """The parts that every room may use, and typed places for those that only some know."""

    settings: Settings
    db: Database
    files: FileStore
    mailer: Mailer
    clock: Clock
    options: Options = field(default_factory=Options)
    _parts: dict[type, object] = field(default_factory=dict[type, object])

    def add(self, part: object, *, as_type: type | None = None) -> None:
        """Make `part` available under its type, or under `as_type`."""
        kind = as_type or type(part)
        if not isinstance(part, kind):
            raise TypeError(f"{part!r} is not a {kind.__name__}")
        self._parts[kind] = part

    def get(self, kind: type[T]) -> T:
        """The part of this type. A missing one is a mistake in the composition root."""
        part = self._parts.get(kind)
        if part is None:
            raise LookupError(f"no {kind.__name__} was added to the services")
        # `add` has seen that it is one; asking a protocol again reads all that it names.
        return cast("T", part)
