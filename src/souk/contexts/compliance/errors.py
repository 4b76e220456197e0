"""Every refusal that compliance can give."""

from __future__ import annotations

from souk.kernel.errors import DomainError, ErrorKind


class DocumentNotFound(DomainError):
    """No such document, version or draft."""

    code = "not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such document. Open the list of documents to find it.")


class DocumentChanged(DomainError):
    """Another version is in force than the one that was to be accepted."""

    code = "document_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self, *, document: str, current: int) -> None:
        super().__init__(
            "This document was changed in the meantime. Read the present version and accept it.",
            document=document,
            current=current,
        )


class NotEffectiveYet(DomainError):
    """The day from which a version counts is past, before its predecessor's, or years ahead."""

    code = "effective_date_wrong"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__(
            "The day from which the document counts must lie between today, or the day of the "
            "version it replaces, and three years ahead. Choose another day."
        )
