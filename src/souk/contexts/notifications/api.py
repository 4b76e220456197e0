"""The facade of notifications: all that flows and pages may use."""

from __future__ import annotations

from souk.contexts.notifications import contents
from souk.contexts.notifications.commands import in_app, mark_all_read, mark_read, send
from souk.contexts.notifications.contents import AnyContent
from souk.contexts.notifications.domain import Recipient
from souk.contexts.notifications.jobs import deliver, drop
from souk.contexts.notifications.queries import (
    Notice,
    notice,
    notices,
    unread_count,
    unread_counts,
)
from souk.contexts.notifications.signals import ORDERS, SALES, signal
from souk.contexts.notifications.store import Signal, language_of, remember_language, signals
from souk.contexts.notifications.topics import (
    CHANGEABLE,
    GATHERED,
    OF_SELLERS,
    SUMMARY,
    Cadence,
    Choice,
    Topic,
)
from souk.contexts.notifications.wishes import (
    Wish,
    choices,
    choose,
    end_mails,
    link_token,
    read_link,
    resume_mails,
)

__all__ = [
    "CHANGEABLE",
    "GATHERED",
    "OF_SELLERS",
    "ORDERS",
    "SALES",
    "SUMMARY",
    "AnyContent",
    "Cadence",
    "Choice",
    "Notice",
    "Recipient",
    "Signal",
    "Topic",
    "Wish",
    "choices",
    "choose",
    "contents",
    "deliver",
    "drop",
    "end_mails",
    "in_app",
    "language_of",
    "link_token",
    "mark_all_read",
    "mark_read",
    "notice",
    "notices",
    "read_link",
    "remember_language",
    "resume_mails",
    "send",
    "signal",
    "signals",
    "unread_count",
    "unread_counts",
]
