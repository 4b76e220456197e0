"""Telling open pages at once. A signal is what a page hears; a notice is what a person keeps."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from souk.contexts.notifications import store
from souk.platform.database import WriteTx

ORDERS = "orders"
SALES = "sales"


async def signal(
    tx: WriteTx,
    *,
    user_ids: Iterable[UUID],
    kind: str,
    subject: UUID | None,
    dedupe_key: str,
    title: str = "",
    url: str = "",
) -> None:
    """Let the open pages of these people know; without a title they only refresh. Repeatable."""
    for user_id in user_ids:
        await store.insert_signal(
            tx,
            user_id=user_id,
            kind=kind,
            subject=subject,
            title=title,
            url=url,
            dedupe_key=f"{dedupe_key}:{user_id}",
        )
