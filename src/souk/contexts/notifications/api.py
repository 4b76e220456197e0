"""The facade of notifications: all that flows and pages may use."""

from __future__ import annotations

from souk.contexts.notifications import contents
from souk.contexts.notifications.commands import in_app, mark_all_read, mark_read, send
from souk.contexts.notifications.contents import AnyContent
from souk.contexts.notifications.domain import Recipient
from souk.contexts.notifications.jobs import deliver, drop
from souk.contexts.notifications.queries import Notice, notices, unread_count

__all__ = [
    "AnyContent",
    "Notice",
    "Recipient",
    "contents",
    "deliver",
    "drop",
    "in_app",
    "mark_all_read",
    "mark_read",
    "notices",
    "send",
    "unread_count",
]
