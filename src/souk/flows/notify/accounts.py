"""Mails about accounts. Those with a link are finished by a job, so that no link is ever stored."""

from __future__ import annotations

from uuid import UUID

import msgspec

from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.contexts.notifications.api import contents
from souk.flows.notify.people import account, tell
from souk.platform import jobs
from souk.platform.database import WriteTx
from souk.platform.events import EventMeta
from souk.published.identity import (
    EmailTokenIssued,
    PasswordChanged,
    RegistrationRepeated,
    SignedIn,
)

SEND_LINK_MAIL = "notify.send_link_mail"
PATHS = {
    "verify": "/verify-email",
    "reset": "/reset",
    "change_email_old": "/confirm-email",
    "change_email_new": "/confirm-email",
}


class SendLinkMail(msgspec.Struct, frozen=True):
    """A queued message, and the token whose link it gets when it is sent."""

    message_id: UUID
    token_id: UUID


def _content(purpose: str, name: str, new_email: str) -> notifications.AnyContent:
    if purpose == "verify":
        return contents.Welcome(name=name)
    if purpose == "reset":
        return contents.ResetPassword(name=name)
    if purpose == "change_email_old":
        return contents.ConfirmOldEmail(name=name, new_email=new_email)
    return contents.ConfirmNewEmail(name=name, new_email=new_email)


async def on_email_token(tx: WriteTx, event: EmailTokenIssued, meta: EventMeta) -> None:
    """Queue the mail of a link, unless the link is no longer good."""
    mail = await identity.link_mail(tx, token_id=event.token_id)
    if mail is None:
        return
    message_id = await notifications.send(
        tx,
        to=notifications.Recipient(mail.email, mail.name, mail.locale, mail.user_id),
        content=_content(mail.purpose, mail.name, mail.new_email or ""),
        dedupe_key=f"{meta.id}:link",
        by_job=False,
    )
    if message_id is not None:
        await jobs.enqueue(tx, SEND_LINK_MAIL, SendLinkMail(message_id, event.token_id))


async def on_registration_repeated(
    tx: WriteTx, event: RegistrationRepeated, meta: EventMeta
) -> None:
    """Tell the owner of the address; whoever tried learns nothing."""
    to = await account(tx, event.user_id)
    if to is not None:
        content = contents.AddressTaken(name=to.name)
        await notifications.send(tx, to=to, content=content, dedupe_key=f"{meta.id}:taken")


async def on_password_changed(tx: WriteTx, event: PasswordChanged, meta: EventMeta) -> None:
    """Tell the owner, by mail and inside."""
    to = await account(tx, event.user_id)
    await tell(tx, to, contents.PasswordChanged(name=to.name if to else ""), meta)


async def on_signed_in(tx: WriteTx, event: SignedIn, meta: EventMeta) -> None:
    """Tell the owner of a log-in from a new device."""
    to = await account(tx, event.user_id)
    await tell(tx, to, contents.NewSignIn(name=to.name if to else ""), meta)
