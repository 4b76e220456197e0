"""Compliance's facade: the only file of this context that others import."""

from __future__ import annotations

from souk.contexts.compliance.commands import (
    accept,
    discard_draft,
    install_defaults,
    publish,
    record_consents,
    save_draft,
)
from souk.contexts.compliance.domain import ConsentPurpose, DocumentKind
from souk.contexts.compliance.errors import DocumentChanged, DocumentNotFound, NotEffectiveYet
from souk.contexts.compliance.http import routes
from souk.contexts.compliance.queries import (
    AcceptanceView,
    ConsentView,
    DocumentTitle,
    DocumentView,
    acceptances,
    all_versions,
    consented,
    consents,
    current,
    missing_acceptances,
    titles,
    to_accept,
    version,
)

__all__ = [
    "AcceptanceView",
    "ConsentPurpose",
    "ConsentView",
    "DocumentChanged",
    "DocumentKind",
    "DocumentNotFound",
    "DocumentTitle",
    "DocumentView",
    "NotEffectiveYet",
    "accept",
    "acceptances",
    "all_versions",
    "consented",
    "consents",
    "current",
    "discard_draft",
    "install_defaults",
    "missing_acceptances",
    "publish",
    "record_consents",
    "routes",
    "save_draft",
    "titles",
    "to_accept",
    "version",
]
