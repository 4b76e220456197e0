"""Finishes the mails that carry a link which opens an account or a guest's order."""

from __future__ import annotations

from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.contexts.orders import api as orders
from souk.flows.notify.accounts import PATHS, SEND_LINK_MAIL, SendLinkMail
from souk.flows.notify.orders import SEND_ORDER_MAIL, SendOrderMail
from souk.platform.jobs import Schedule, job
from souk.platform.services import Services


async def send_link_mail(services: Services, payload: SendLinkMail) -> None:
    """Make the link and send the mail; drop it when the link was used or has ended meanwhile."""
    async with services.db.read() as conn:
        mail = await identity.link_mail(conn, token_id=payload.token_id)
    if mail is None:
        await notifications.drop(services, payload.message_id)
        return
    token = identity.link_token(payload.token_id, services.settings.secret_key)
    base = services.settings.base_url.rstrip("/")
    link = f"{base}{PATHS[mail.purpose]}?token={token}"
    await notifications.deliver(services, payload.message_id, link=link)


async def send_order_mail(services: Services, payload: SendOrderMail) -> None:
    """Make the link that opens the guest's order, and send the mail."""
    settings = services.settings
    key = orders.order_key(
        payload.order_id,
        expires_at=services.clock.now() + orders.LINK_LIFE,
        secret=settings.secret_key,
    )
    link = f"{settings.base_url.rstrip('/')}/account/orders/{payload.order_id}/open?key={key}"
    await notifications.deliver(services, payload.message_id, link=link)


job_types = [
    job(SEND_LINK_MAIL, SendLinkMail, send_link_mail),
    job(SEND_ORDER_MAIL, SendOrderMail, send_order_mail),
]
schedules: list[Schedule] = []
