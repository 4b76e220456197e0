"""Who has to be told, and how they are reached."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.contexts.sellers import api as sellers
from souk.platform.database import ReadConn, WriteTx
from souk.platform.events import EventMeta

AnyContent = notifications.AnyContent


async def account(conn: ReadConn, user_id: UUID) -> notifications.Recipient | None:
    """A member; None when the account is gone."""
    contact = (await identity.contacts(conn, [user_id])).get(user_id)
    if contact is None:
        return None
    return notifications.Recipient(contact.email, contact.name, contact.locale, user_id)


async def buyer(conn: ReadConn, *, email: str, user_id: UUID | None) -> notifications.Recipient:
    """Whoever bought: at the address of the purchase, in the language of the account."""
    known = await account(conn, user_id) if user_id else None
    if known is None:
        locale = await notifications.language_of(conn, address=email)
        return notifications.Recipient(email, locale=locale or "en")
    return notifications.Recipient(email, known.name, known.locale, user_id)


async def shop_name(conn: ReadConn, seller_id: UUID) -> str:
    """How the shop is called; empty when it is gone."""
    card = (await sellers.cards(conn, [seller_id])).get(seller_id)
    return card.name if card else ""


def dedupe_key(content: AnyContent, meta: EventMeta, whom: object, about: object = "") -> str:
    """Names one message of one event to one person, so that a replay sends nothing twice."""
    return f"{meta.id}:{type(content).__name__}:{about}:{whom}"


async def tell(
    tx: WriteTx,
    to: notifications.Recipient | None,
    content: AnyContent,
    meta: EventMeta,
    *,
    about: object = "",
) -> None:
    """Mail a person, and show members the same inside. `about` tells apart one event's messages."""
    if to is None:
        return
    await notifications.send(
        tx, to=to, content=content, dedupe_key=dedupe_key(content, meta, to.email, about)
    )
    if to.user_id is not None:
        await notifications.in_app(
            tx,
            user_id=to.user_id,
            content=content,
            dedupe_key=dedupe_key(content, meta, to.user_id, about),
            locale=to.locale,
        )


async def tell_shop(
    tx: WriteTx, seller_id: UUID, content: AnyContent, meta: EventMeta, *, about: object = ""
) -> None:
    """Mail the owner of a shop, and show everyone who works there the same inside."""
    people = await identity.members(tx, seller_id=seller_id)
    contacts = await identity.contacts(tx, people)
    for position, user_id in enumerate(person for person in people if person in contacts):
        contact, key = contacts[user_id], dedupe_key(content, meta, user_id, about)
        if position == 0:
            to = notifications.Recipient(contact.email, contact.name, contact.locale, user_id)
            await notifications.send(tx, to=to, content=content, dedupe_key=key)
        await notifications.in_app(
            tx,
            user_id=user_id,
            content=content,
            dedupe_key=key,
            locale=contact.locale,
        )
