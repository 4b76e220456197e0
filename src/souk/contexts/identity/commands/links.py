"""Issuing and following mailed links; used by the other commands of this context."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from souk.contexts.identity import store
from souk.contexts.identity.domain import LINK_LIFE, LINKS_PER_HOUR, LinkPurpose, User
from souk.contexts.identity.errors import LinkInvalid
from souk.contexts.identity.tokens import read_link
from souk.kernel.actor import Actor
from souk.kernel.ids import uuid7
from souk.platform import outbox
from souk.platform.database import WriteTx
from souk.published import identity as events


async def issue(
    tx: WriteTx,
    actor: Actor,
    *,
    user: User,
    purpose: LinkPurpose,
    new_email: str | None = None,
    change_id: UUID | None = None,
) -> bool:
    """Make a link and publish that its mail is due; the older ones of this purpose end.

    False, and nothing is done, when the person got `LINKS_PER_HOUR` of them in the last hour.
    """
    now = tx.clock.now()
    recent = await store.links_since(
        tx, user_id=user.id, purpose=purpose, since=now - timedelta(hours=1)
    )
    if recent >= LINKS_PER_HOUR:
        return False
    await store.expire_links(tx, user_id=user.id, purposes=[purpose])
    link = store.Link(
        id=uuid7(),
        user_id=user.id,
        purpose=purpose,
        new_email=new_email,
        change_id=change_id,
        expires_at=now + LINK_LIFE[purpose],
        used_at=None,
    )
    await store.add_link(tx, link)
    event = events.EmailTokenIssued(user_id=user.id, token_id=link.id, purpose=purpose.value)
    outbox.add(tx, event, actor=actor)
    return True


async def follow(
    tx: WriteTx, *, token: str, secret_key: str, purposes: set[LinkPurpose]
) -> tuple[store.Link, User]:
    """Use up a link, with its account locked. Raises LinkInvalid."""
    token_id = read_link(token, secret_key)
    found = await store.load_link(tx, token_id) if token_id else None
    if found is None or found.purpose not in purposes:
        raise LinkInvalid
    user = await store.lock_user(tx, found.user_id)
    # Read again under the account's lock: of two clicks at once, one finds the link used.
    link = await store.load_link(tx, found.id)
    if link is None or not link.is_good(tx.clock.now()):
        raise LinkInvalid
    await store.use_link(tx, link.id)
    return link, user
