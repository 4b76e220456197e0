"""The part of the listings facade that imports product files."""

from __future__ import annotations

from souk.contexts.listings.importing.commands import (
    Batch,
    UndoneBatch,
    begin,
    create_run,
    fail,
    finish,
    listings_to_undo,
    note_completed,
    note_file,
    undo_some,
    work_off,
)
from souk.contexts.listings.importing.drafts import (
    ImageRef,
    ProductDraft,
    ProductRecord,
    RowProblem,
    Severity,
    VariantDraft,
)
from souk.contexts.listings.importing.errors import EmptyUpload, FileTooLarge, ImportBusy
from souk.contexts.listings.importing.export import write_own_csv
from souk.contexts.listings.importing.planning import Placement, StockChange
from souk.contexts.listings.importing.queries import (
    ResultView,
    RunView,
    Unfinished,
    results,
    run,
    runs_of,
    stale_runs,
    unfinished,
    view_of,
)
from souk.contexts.listings.importing.reader import ProductFile, open_products
from souk.contexts.listings.importing.runs import (
    MAX_FILE_SIZE,
    Counts,
    Outcome,
    Phase,
    Run,
    RunState,
)

__all__ = [
    "MAX_FILE_SIZE",
    "Batch",
    "Counts",
    "EmptyUpload",
    "FileTooLarge",
    "ImageRef",
    "ImportBusy",
    "Outcome",
    "Phase",
    "Placement",
    "ProductDraft",
    "ProductFile",
    "ProductRecord",
    "ResultView",
    "RowProblem",
    "Run",
    "RunState",
    "RunView",
    "Severity",
    "StockChange",
    "UndoneBatch",
    "Unfinished",
    "VariantDraft",
    "begin",
    "create_run",
    "fail",
    "finish",
    "listings_to_undo",
    "note_completed",
    "note_file",
    "open_products",
    "results",
    "run",
    "runs_of",
    "stale_runs",
    "undo_some",
    "unfinished",
    "view_of",
    "work_off",
    "write_own_csv",
]
