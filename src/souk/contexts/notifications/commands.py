"""Asking for a message, adding a notice, noting that it was read."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.notifications import store, wishes
from souk.contexts.notifications.contents import AnyContent, kind_of
from souk.contexts.notifications.domain import Recipient, Say
from souk.contexts.notifications.errors import no_notice
from souk.contexts.notifications.signals import ORDERS, SALES, signal
from souk.contexts.notifications.topics import Cadence, Topic, topic_of
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
    """Mail `content` after the commit; None when this key was mailed before, or is not wanted.

    What the person wants in summaries waits for the next one.

    With `by_job` off, the caller queues its own job, which adds a secret link and then calls
    `deliver`. The key is the event's id and what is made of it, so that a replay sends nothing.
    """
    wanted = await wishes.choice(tx, wishes.subject_of(to), topic_of(kind_of(content)))
    if wanted.email is Cadence.NEVER:
        return None
    if wanted.email is not Cadence.NOW and to.user_id is not None:
        await store.insert_digest_item(
            tx, to=to, content=content, choice=wanted, dedupe_key=dedupe_key
        )
        return None
    message_id = await store.insert_message(tx, to=to, content=content, dedupe_key=dedupe_key)
    if message_id is not None and by_job:
        await jobs.enqueue(tx, SEND_MAIL, SendMail(message_id))
    return message_id


async def in_app(
    tx: WriteTx, *, user_id: UUID, content: AnyContent, dedupe_key: str, locale: str
) -> None:
    """Show `content` among the person's notices, in the words of its mail. Repeatable.

    Open pages hear of it; they say it aloud only to those who want notices about it.
    """
    letter = content.letter(Say(locale))
    topic = topic_of(kind_of(content))
    wanted = await wishes.choice(tx, f"user:{user_id}", topic)
    if wanted.in_app:
        await store.insert_notice(
            tx,
            user_id=user_id,
            kind=kind_of(content),
            title=letter.heading,
            text=letter.paragraphs[0],
            url=letter.path,
            dedupe_key=dedupe_key,
        )
    await signal(
        tx,
        user_ids=[user_id],
        kind=_KINDS.get(topic, topic),
        subject=getattr(content, "seller_order_id", None) or getattr(content, "order_id", None),
        title=letter.heading if wanted.in_app else "",
        url=letter.path,
        dedupe_key=dedupe_key,
    )


_KINDS = {
    Topic.ACCOUNT: ORDERS,
    Topic.ORDER: ORDERS,
    Topic.DELIVERY: ORDERS,
    Topic.SALE: SALES,
}


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
