"""Asking for a message, adding a notice, noting that it was read."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.notifications import store
from souk.contexts.notifications.contents import AnyContent, kind_of
from souk.contexts.notifications.domain import Recipient, Say
from souk.contexts.notifications.errors import no_notice
from souk.kernel.actor import Actor
from souk.kernel.errors import NotSignedIn
from souk.platform import jobs
from souk.platform.database import WriteTx

SEND_MAIL = "notifications.send_mail"


class SendMail(msgspec.Struct, frozen=True):
    """The job that hands one message to the mail server."""

    message_id: UUID


async def send(
    tx: WriteTx, *, to: Recipient, content: AnyContent, dedupe_key: str, by_job: bool = True
) -> UUID | None:
    """Mail `content` after the commit; None when this key was mailed before.

    With `by_job` off, the caller queues its own job, which adds a secret link and then calls
    `deliver`. The key is the event's id and what is made of it, so that a replay sends nothing.
    """
    message_id = await store.insert_message(tx, to=to, content=content, dedupe_key=dedupe_key)
    if message_id is not None and by_job:
        await jobs.enqueue(tx, SEND_MAIL, SendMail(message_id))
    return message_id


async def in_app(
    tx: WriteTx, *, user_id: UUID, content: AnyContent, dedupe_key: str, locale: str
) -> None:
    """Show `content` among the person's notices, in the words of its mail. Repeatable."""
    letter = content.letter(Say(locale))
    await store.insert_notice(
        tx,
        user_id=user_id,
        kind=kind_of(content),
        title=letter.heading,
        text=letter.paragraphs[0],
        url=letter.path,
        dedupe_key=dedupe_key,
    )


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotSignedIn("Log in to see your notifications.")
    return actor.user_id


async def mark_read(tx: WriteTx, actor: Actor, *, notice_id: UUID) -> None:
    """Note that the caller saw a notice. Raises NotFound."""
    if not await store.mark_read(tx, user_id=_person(actor), notice_id=notice_id):
        raise no_notice()


async def mark_all_read(tx: WriteTx, actor: Actor) -> None:
    """Note that the caller saw all of them."""
    await store.mark_all_read(tx, user_id=_person(actor))
