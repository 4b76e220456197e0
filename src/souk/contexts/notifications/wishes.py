"""What people wish to be told, and the signed links with which they end it.

`commands` asks here before it queues anything. A link names the subject and the topic and is signed
with the secret key; it does not expire, because an old mail must still be able to end the mails.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from uuid import UUID

import msgspec

from souk.contexts.notifications import store
from souk.contexts.notifications.contents import AnyContent, kind_of
from souk.contexts.notifications.domain import Recipient
from souk.contexts.notifications.errors import bad_link
from souk.contexts.notifications.topics import (
    CHANGEABLE,
    SUMMARY,
    Cadence,
    Choice,
    Topic,
    fitting,
    topic_of,
)
from souk.kernel.actor import Actor
from souk.kernel.errors import NotSignedIn
from souk.platform.database import ReadConn, WriteTx


class Wish(msgspec.Struct, frozen=True):
    """What an unsubscribe link asks for; `topic` is a topic or `summary`."""

    subject: str
    topic: str


def subject_of(to: Recipient) -> str:
    """Whose wishes count for a message: the member's, or those of a bare address."""
    return f"user:{to.user_id}" if to.user_id else f"mail:{to.email.strip().lower()}"


async def choice(conn: ReadConn, subject: str, topic: Topic) -> Choice:
    """What the subject wishes for a topic."""
    if topic is Topic.ACCOUNT:
        return Choice(topic)
    found = await store.load_choices(conn, subject, topic=topic)
    return found.get(topic) or Choice(topic)


async def choices(conn: ReadConn, user_id: UUID) -> list[Choice]:
    """What a member wishes, topic by topic, in their order; what was never changed included."""
    found = await store.load_choices(conn, f"user:{user_id}")
    return [found.get(topic) or Choice(topic) for topic in CHANGEABLE]


async def choose(tx: WriteTx, actor: Actor, *, wanted: list[Choice]) -> list[Choice]:
    """Keep the caller's wishes; topics that are not named stay. Answers all of them."""
    if actor.user_id is None:
        raise NotSignedIn("Log in to see your notifications.")
    for each in wanted:
        if each.topic is not Topic.ACCOUNT:
            await _keep(tx, f"user:{actor.user_id}", fitting(each), user_id=actor.user_id)
    return await choices(tx, actor.user_id)


async def _keep(tx: WriteTx, subject: str, wanted: Choice, *, user_id: UUID | None) -> None:
    await store.save_choice(tx, subject, wanted)
    if user_id is not None:
        await store.move_digest_items(tx, user_id, topic=wanted.topic, cadence=wanted.email)


async def end_mails(tx: WriteTx, wish: Wish) -> list[Topic]:
    """Send no more mails of the wish's topic; answers which topics that were. Repeatable."""
    found = await store.load_choices(tx, wish.subject)
    if wish.topic == SUMMARY:
        topics = [t for t, c in found.items() if c.email in {Cadence.DAILY, Cadence.WEEKLY}]
    else:
        topics = [Topic(wish.topic)]
    await _set(tx, wish.subject, found, topics, Cadence.NEVER)
    return topics


async def resume_mails(tx: WriteTx, wish: Wish, topics: list[Topic]) -> None:
    """Take back what `end_mails` did."""
    found = await store.load_choices(tx, wish.subject)
    allowed = [Topic(wish.topic)] if wish.topic != SUMMARY else topics
    email = Cadence.WEEKLY if wish.topic == SUMMARY else Cadence.NOW
    await _set(tx, wish.subject, found, allowed, email)


async def _set(
    tx: WriteTx, subject: str, found: dict[Topic, Choice], topics: list[Topic], email: Cadence
) -> None:
    user_id = UUID(subject.removeprefix("user:")) if subject.startswith("user:") else None
    for topic in topics:
        if topic is not Topic.ACCOUNT:
            kept = found.get(topic) or Choice(topic)
            new = fitting(msgspec.structs.replace(kept, email=email))
            await _keep(tx, subject, new, user_id=user_id)


def unsubscribe_link(to: Recipient, content: AnyContent, *, secret: str) -> str:
    """The path of the page that ends mails like this one; empty for what is told in any case."""
    kind = kind_of(content)
    topic = SUMMARY if kind == "digest" else str(topic_of(kind))
    if topic == Topic.ACCOUNT:
        return ""
    return f"/unsubscribe?token={link_token(Wish(subject_of(to), topic), secret)}"


def link_token(wish: Wish, secret: str) -> str:
    """The signed text of an unsubscribe link."""
    body = base64.urlsafe_b64encode(f"{wish.topic}|{wish.subject}".encode()).decode().rstrip("=")
    return f"{body}.{_sign(body, secret)}"


def read_link(token: str, secret: str) -> Wish:
    """What a link asks for. Raises NotFound when it is not whole."""
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _sign(body, secret).encode()):
        raise bad_link()
    text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    topic, _, subject = text.partition("|")
    return Wish(subject, topic)


def _sign(body: str, secret: str) -> str:
    signed = hmac.new(secret.encode(), b"unsubscribe:" + body.encode(), sha256).digest()
    return base64.urlsafe_b64encode(signed[:18]).decode()
