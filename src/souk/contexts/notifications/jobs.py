"""Handing mails to the mail server, with retries; forgetting old ones."""

from __future__ import annotations

from uuid import UUID

import aiosmtplib

from souk.contexts.notifications import digests, store
from souk.contexts.notifications.commands import SEND_MAIL, SendMail
from souk.contexts.notifications.domain import MAX_ATTEMPTS, MessageState, Say
from souk.contexts.notifications.rendering import mail_of
from souk.contexts.notifications.topics import Cadence
from souk.contexts.notifications.wishes import unsubscribe_link
from souk.platform.database import WriteTx
from souk.platform.jobs import Schedule, job
from souk.platform.options import MARKETPLACE_NAME
from souk.platform.services import Services

_MONDAY = 0
_AT_ONCE = 500


async def deliver(services: Services, message_id: UUID, *, link: str = "") -> None:
    """Send a queued message; any other is left alone, so that a repeated job sends nothing.

    An address that the server refuses for good (RFC 5321: 5yz) bounces. Anything else is raised for
    the job to be tried again, and fails for good with the last attempt.
    """
    async with services.db.read() as conn:
        message = await store.load_message(conn, message_id)
    if message is None or message.state is not MessageState.QUEUED:
        return
    settings = services.settings
    name = services.options[MARKETPLACE_NAME] or settings.marketplace_name
    say = Say(message.to.locale, marketplace=name)
    mail = mail_of(
        message.content.letter(say, link=link),
        say,
        to=message.to.email,
        base_url=settings.base_url,
        message_id=message.id,
        unsubscribe=unsubscribe_link(message.to, message.content, secret=settings.secret_key),
    )
    try:
        await services.mailer.send(mail)
    except Exception as error:
        if _refused_for_good(error):
            await _note(services, message_id, MessageState.BOUNCED, error=repr(error))
            return
        last = message.attempts + 1 >= MAX_ATTEMPTS
        state = MessageState.FAILED if last else MessageState.QUEUED
        await _note(services, message_id, state, error=repr(error))
        raise
    await _note(services, message_id, MessageState.SENT)


async def drop(services: Services, message_id: UUID) -> None:
    """What the message was to say is no longer true: it is not sent."""
    await _note(services, message_id, MessageState.DROPPED)


def _refused_for_good(error: Exception) -> bool:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(500 <= refusal.code < 600 for refusal in error.recipients)
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code in {550, 551, 553}


async def _note(
    services: Services, message_id: UUID, state: MessageState, *, error: str = ""
) -> None:
    async def note(tx: WriteTx) -> None:
        await store.note_attempt(tx, message_id, state=state, error=error)

    await services.db.transact(note)


async def send_mail(services: Services, payload: SendMail) -> None:
    """Send one message."""
    await deliver(services, payload.message_id)


async def forget_old(services: Services) -> None:
    """Mail records and notices are kept for a year."""
    await services.db.transact(store.forget_old)


async def send_digests(services: Services) -> None:
    """The summaries of the day, on Mondays those of the week too. Runs once a day."""
    due = [Cadence.DAILY]
    if services.clock.now().weekday() == _MONDAY:
        due.append(Cadence.WEEKLY)
    for cadence in due:
        await _send(services, cadence)


async def _send(services: Services, cadence: Cadence) -> None:
    after: UUID | None = None
    while True:
        async with services.db.read() as conn:
            people = await store.digest_people(conn, cadence=cadence, after=after, limit=_AT_ONCE)
        for user_id in people:

            async def work(tx: WriteTx, user_id: UUID = user_id) -> None:
                await digests.make(tx, user_id=user_id, cadence=cadence)

            await services.db.transact(work)
        if len(people) < _AT_ONCE:
            return
        after = people[-1]


job_types = [job(SEND_MAIL, SendMail, send_mail)]
schedules = [
    Schedule("notifications.forget_old", "41 3 * * *", forget_old),
    Schedule("notifications.digests", "10 6 * * *", send_digests),
]
