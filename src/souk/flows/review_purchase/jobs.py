"""Buyers are asked for a review some days after the delivery; standings follow the calendar."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from souk.contexts.compliance import api as compliance
from souk.contexts.identity import api as identity
from souk.contexts.notifications import api as notifications
from souk.contexts.orders import api as orders
from souk.contexts.reviews import api as reviews
from souk.contexts.sellers import api as sellers
from souk.flows.notify.orders import mail_guest
from souk.flows.notify.people import buyer
from souk.flows.review_purchase.flow import REFRESH_RECORD, RefreshRecord, refresh_record
from souk.platform.database import WriteTx
from souk.platform.jobs import JobType, Schedule, job
from souk.platform.services import Services

ASK_AFTER = timedelta(days=5)
ASK_UNTIL = timedelta(days=30)
_BATCH = 100
_FIRST = UUID(int=0)


async def ask_for_reviews(services: Services) -> int:
    """Ask every buyer once per delivery that is not reviewed yet; returns how many were asked."""
    asked, after = 0, _FIRST
    while True:
        async with services.db.read() as conn:
            now = conn.clock.now()
            parts = await orders.delivered_parts(
                conn, since=now - ASK_UNTIL, until=now - ASK_AFTER, after=after, limit=_BATCH
            )
            done = await reviews.of_orders(conn, [part.id for part in parts])
        reviewed = {seller_order_id for seller_order_id, _ in done}
        for part in parts:
            if part.id not in reviewed:
                asked += await services.db.transact(lambda tx, part=part: _ask(tx, part))
        if len(parts) < _BATCH:
            return asked
        after = parts[-1].id


async def _ask(tx: WriteTx, part: orders.DeliveredPart) -> bool:
    if not await reviews.note_asked(tx, seller_order_id=part.id):
        return False
    content = notifications.contents.ReviewWanted(
        order_id=part.order_id, number=part.number, titles=part.titles
    )
    key = f"review_wanted:{part.id}"
    if part.buyer_id is None:
        # Every such mail has a link with which guests end them: `send` asks for that.
        to = await buyer(tx, email=part.email, user_id=None)
        return await mail_guest(tx, to, content, key, order_id=part.order_id)
    person = (await identity.contacts(tx, [part.buyer_id])).get(part.buyer_id)
    if person is None:
        return False
    await notifications.in_app(
        tx, user_id=part.buyer_id, content=content, dedupe_key=key, locale=person.locale
    )
    # Asking by mail is advertising in law: whoever refused that is only asked inside.
    answers = await compliance.consents(tx, subject=f"user:{part.buyer_id}")
    if not any(_refuses_mail(answer) for answer in answers):
        to = notifications.Recipient(person.email, person.name, person.locale, part.buyer_id)
        await notifications.send(tx, to=to, content=content, dedupe_key=key)
    return True


def _refuses_mail(answer: compliance.ConsentView) -> bool:
    mail = answer.purpose == compliance.ConsentPurpose.MARKETING_MAIL
    return mail and answer.recorded_at is not None and not answer.granted


async def refresh_one(services: Services, payload: RefreshRecord) -> None:
    """Count one shop's record anew."""
    await services.db.transact(lambda tx: refresh_record(tx, seller_id=payload.seller_id))


async def refresh_records(services: Services) -> None:
    """Orders that were not sent in time, and those of more than half a year ago, change a shop's
    standing without any event."""
    async with services.db.read() as conn:
        shops = await sellers.ids(conn)
    for seller_id in shops:
        await services.db.transact(
            lambda tx, seller_id=seller_id: refresh_record(tx, seller_id=seller_id)
        )


job_types: list[JobType] = [job(REFRESH_RECORD, RefreshRecord, refresh_one)]
schedules: list[Schedule] = [
    Schedule("reviews.ask", "20 8 * * *", ask_for_reviews),
    Schedule("reviews.records", "50 3 * * *", refresh_records),
]
