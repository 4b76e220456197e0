"""Summaries: what waited for the day or the week becomes one mail per person."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.notifications import store
from souk.contexts.notifications.commands import SEND_MAIL, SendMail
from souk.contexts.notifications.contents import Digest, Told
from souk.contexts.notifications.domain import Recipient, Say
from souk.contexts.notifications.topics import Cadence
from souk.platform import jobs
from souk.platform.database import WriteTx

_NAMED = 20


async def make(tx: WriteTx, *, user_id: UUID, cadence: Cadence) -> UUID | None:
    """Turn what waits for one person into a mail; None when nothing does. Repeatable."""
    items = await store.take_digest_items(tx, user_id, cadence=cadence)
    if not items:
        return None
    last = items[-1]
    say = Say(last.to.locale)
    letters = [item.content.letter(say) for item in items[:_NAMED]]
    told = [Told(letter.heading, letter.paragraphs[0]) for letter in letters]
    weekly = cadence is Cadence.WEEKLY
    message_id = await store.insert_message(
        tx,
        to=Recipient(last.to.email, last.to.name, last.to.locale, user_id),
        content=Digest(weekly=weekly, told=told, more=max(0, len(items) - _NAMED)),
        dedupe_key=f"digest:{cadence}:{last.id}",
    )
    if message_id is not None:
        await jobs.enqueue(tx, SEND_MAIL, SendMail(message_id))
    return message_id
