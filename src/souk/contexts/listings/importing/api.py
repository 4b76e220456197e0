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
    set_mapping,
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
from souk.contexts.listings.importing.export import own_columns, own_rows
from souk.contexts.listings.importing.mapping import (
    NEEDED,
    SAMPLE_BYTES,
    Column,
    Inspection,
    ValueKind,
    inspect,
    open_mapped,
)
from souk.contexts.listings.importing.own import COLUMNS
from souk.contexts.listings.importing.planning import Placement, StockChange
from souk.contexts.listings.importing.queries import (
    ResultView,
    RunView,
    Unfinished,
    remembered_columns,
    results,
    run,
    runs_of,
    stale_runs,
    unfinished,
    view_of,
)
from souk.contexts.listings.importing.reader import ProductFile, open_products
from souk.contexts.listings.importing.report import report_head, report_lines
from souk.contexts.listings.importing.runs import (
    MAX_FILE_SIZE,
    Counts,
    Outcome,
    Phase,
    Run,
    RunState,
)

__all__ = [
    "COLUMNS",
    "MAX_FILE_SIZE",
    "NEEDED",
    "SAMPLE_BYTES",
    "Batch",
    "Column",
    "Counts",
    "EmptyUpload",
    "FileTooLarge",
    "ImageRef",
    "ImportBusy",
    "Inspection",
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
    "ValueKind",
    "VariantDraft",
    "begin",
    "create_run",
    "fail",
    "finish",
    "inspect",
    "listings_to_undo",
    "note_completed",
    "note_file",
    "open_mapped",
    "open_products",
    "own_columns",
    "own_rows",
    "remembered_columns",
    "report_head",
    "report_lines",
    "results",
    "run",
    "runs_of",
    "set_mapping",
    "stale_runs",
    "undo_some",
    "unfinished",
    "view_of",
    "work_off",
]
