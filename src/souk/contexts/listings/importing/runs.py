"""The life of one import: uploaded, looked at, run, perhaps undone. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from souk.contexts.listings.importing.drafts import RowProblem
from souk.kernel.errors import IllegalTransition

MAX_FILE_SIZE = 500_000_000


class RunState(StrEnum):
    """Where an import is in its life."""

    UPLOADED = "uploaded"
    PREVIEWING = "previewing"
    PREVIEWED = "previewed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


class Phase(StrEnum):
    """Which of the two passes over a file a result belongs to."""

    PREVIEW = "preview"
    IMPORT = "import"


class Outcome(StrEnum):
    """What became, or would become, of one product."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


AT_WORK = frozenset({RunState.PREVIEWING, RunState.RUNNING, RunState.UNDOING})
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.UPLOADED: frozenset({RunState.PREVIEWING, RunState.RUNNING}),
    RunState.PREVIEWING: frozenset({RunState.PREVIEWED, RunState.FAILED}),
    RunState.PREVIEWED: frozenset({RunState.PREVIEWING, RunState.RUNNING, RunState.UPLOADED}),
    RunState.RUNNING: frozenset({RunState.DONE, RunState.FAILED}),
    RunState.DONE: frozenset({RunState.UNDOING}),
    RunState.FAILED: frozenset({RunState.UNDOING, RunState.UPLOADED}),
    RunState.UNDOING: frozenset({RunState.UNDONE, RunState.FAILED}),
    RunState.UNDONE: frozenset(),
}


class Counts(msgspec.Struct, frozen=True):
    """Products by outcome, and the warnings and errors of their rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    warnings: int = 0
    errors: int = 0
    undone: int = 0
    kept: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(
            *(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__)
        )


class Run(msgspec.Struct, kw_only=True):
    """One import of one file by one seller.

    `position` counts the products worked off in the present phase: the checkpoint from which a
    worker goes on after a crash. `total` is known once the file has been read to its end.
    `mapping` is the seller's own reading of the columns, by normalised header.
    """

    id: UUID
    seller_id: UUID
    actor: str
    filename: str
    file_key: str
    file_size: int
    currency: str
    state: RunState = RunState.UPLOADED
    format: str = ""
    source: str = ""
    mapping: dict[str, str] | None = None
    problems: list[RowProblem] = msgspec.field(default_factory=list[RowProblem])
    failure: str = ""
    position: int = 0
    total: int | None = None
    counts: Counts = Counts()
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None

    @property
    def at_work(self) -> bool:
        return self.state in AT_WORK

    def move_to(self, wanted: RunState, *, now: datetime) -> None:
        """The one place where the state changes. Raises IllegalTransition."""
        if wanted not in TRANSITIONS[self.state]:
            raise IllegalTransition(subject="import", current=self.state, wanted=wanted)
        self.state = wanted
        self.updated_at = now
        if wanted in AT_WORK:
            self.position = 0
            self.failure = ""
            self.finished_at = None
            if wanted is not RunState.UNDOING:
                self.counts = Counts()
        else:
            self.finished_at = now

    def remap(self, mapping: dict[str, str], *, now: datetime) -> None:
        """Read the columns otherwise: the file is looked at anew.

        Raises IllegalTransition once listings were written, and while it is at work.
        """
        if self.state is not RunState.UPLOADED:
            if self.state is RunState.FAILED and self.position:
                raise IllegalTransition(
                    subject="import", current=self.state, wanted=RunState.UPLOADED
                )
            self.move_to(RunState.UPLOADED, now=now)
        self.mapping = mapping
        self.updated_at = now
        self.position, self.total, self.counts = 0, None, Counts()
        self.problems, self.failure, self.finished_at = [], "", None

    def fail(self, reason: str, *, now: datetime) -> None:
        """The file cannot be read, or its import is given up; what has landed stays."""
        self.move_to(RunState.FAILED, now=now)
        self.failure = reason

    def advance(self, *, by: int, counts: Counts, now: datetime) -> None:
        """Note that `by` more products were worked off."""
        self.position += by
        self.counts = self.counts.plus(counts)
        self.updated_at = now
