"""What an import of a product file can refuse, beside the rows of the file."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind, NotFound


def run_not_found() -> NotFound:
    """The import is absent, or another seller's: the two look the same."""
    return NotFound("There is no such import. Go back to the list of your imports.")


class ImportBusy(DomainError):
    """Another import of the same seller is at work."""

    code = "import_busy"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "Another import of yours is at work. Wait until it has finished, then start this one."
        )


class FileTooLarge(DomainError):
    """The product file is beyond what is read."""

    code = "file_too_large"
    kind = ErrorKind.INVALID

    def __init__(self, *, limit: int) -> None:
        megabytes = limit // 1_000_000
        super().__init__(
            f"The file is larger than {megabytes} MB. Split it and import the parts one by one.",
            limit=limit,
        )


class EmptyUpload(DomainError):
    """The request brought no file."""

    code = "file_empty"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("No file arrived. Choose a product file and send it again.")
