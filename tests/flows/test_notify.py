"""Events become mails and notices, once each, to the right people."""

from __future__ import annotations

import re
from uuid import UUID

import msgspec
import pytest

from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.identity import api as identity
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.notifications import api as notifications
from souk.contexts.orders import api as orders
from souk.contexts.sellers import api as sellers
from souk.flows.deliver_digital.handlers import subscriptions as digital_subscriptions
from souk.flows.notify.accounts import SendLinkMail
from souk.flows.notify.handlers import subscriptions
from souk.flows.notify.jobs import send_link_mail
from souk.kernel.actor import Actor, Permission, system
from souk.kernel.ids import uuid7
from souk.platform import outbox, relay
from souk.platform.database import Database, WriteTx
from souk.platform.events import Event, EventWriter
from souk.platform.mail import LocalMail, local_mails
from souk.platform.relay import Relay
from souk.platform.services import Services
from souk.published.identity import PasswordChanged, RegistrationRepeated, SignedIn
from souk.published.orders import CheckoutReversed
from souk.published.payments import PaymentFailed, PaymentRefunded
from tests.fulfilment import factories as sales
from tests.identity.factories import PASSWORD, VISITOR, Person, make_person, new_email
from tests.listings import factories as listing_factories

OPERATOR = Actor(kind="user", user_id=uuid7(), permissions=frozenset({Permission.LISTINGS_REVIEW}))
TEST = system("test")


@pytest.fixture(scope="module")
def event_writer() -> EventWriter:
    return EventWriter([*subscriptions, *digital_subscriptions])


async def drain(db: Database, writer: EventWriter) -> None:
    await Relay(db, writer).drain()
    async with db.read() as conn:
        assert await relay.dead_letters(conn) == []


async def publish(db: Database, event: Event) -> None:
    async def work(tx: WriteTx) -> None:
        outbox.add(tx, event, actor=TEST)

    await db.transact(work)


async def queued(db: Database, address: str) -> list[str]:
    """The kinds of mail that wait for an address, in their order."""
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT kind FROM notifications.message WHERE address = $1 ORDER BY id", address
        )
    return [row["kind"] for row in rows]


async def noticed(db: Database, user_id: UUID) -> list[str]:
    async with db.read() as conn:
        page = await notifications.notices(conn, user_id)
    return sorted(notice.kind for notice in page.items)


async def content(db: Database, address: str, kind: str) -> dict[str, object]:
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT content FROM notifications.message WHERE address = $1 AND kind = $2",
            address,
            kind,
        )


async def shop(db: Database) -> tuple[sellers.Seller, Person]:
    """An approved shop and its owner."""
    owner = await make_person(db, name="Fern")
    applicant = Actor(kind="user", user_id=owner.id, email_verified=True)
    application = sellers.Application(name=f"Fern {uuid7().hex[-10:]}", country="DE")
    seller = await db.transact(lambda tx: sellers.apply(tx, applicant, application=application))
    await db.transact(lambda tx: sellers.approve(tx, OPERATOR, seller_id=seller.id))
    await db.transact(
        lambda tx: identity.add_membership(
            tx, TEST, user_id=owner.id, seller_id=seller.id, role=identity.MemberRole.OWNER
        )
    )
    return seller, owner


async def work_off_links(services: Services, address: str) -> list[LocalMail]:
    """Run the jobs of mails with links; answers what the address received."""
    async with services.db.read() as conn:
        rows = await conn.fetch(
            "SELECT payload FROM jobs.pgqueuer WHERE entrypoint = 'notify.send_link_mail'"
        )
    for row in rows:
        await send_link_mail(services, msgspec.json.decode(row["payload"], type=SendLinkMail))
    async with services.db.read() as conn:
        return await local_mails(conn, recipient=address)


async def test_a_new_account_is_welcomed_with_a_working_link(
    services: Services, event_writer: EventWriter
) -> None:
    person = await make_person(services.db)
    await drain(services.db, event_writer)
    for _ in range(2):
        mails = await work_off_links(services, person.email)
    assert len(mails) == 1
    link = re.search(r"http://127\.0\.0\.1:8000/verify-email\?token=(\S+)", mails[0].plain)
    assert link is not None
    await services.db.transact(
        lambda tx: identity.verify_email(
            tx, TEST, token=link.group(1), secret_key=services.settings.secret_key
        )
    )
    async with services.db.read() as conn:
        kept = await conn.fetchval(
            "SELECT count(*) FROM notifications.message m WHERE m::text LIKE '%' || $1 || '%'",
            link.group(1),
        )
    assert kept == 0


async def test_a_forgotten_password_and_a_changed_one(
    services: Services, event_writer: EventWriter
) -> None:
    person = await make_person(services.db)
    await services.db.transact(
        lambda tx: identity.request_password_reset(tx, VISITOR, email=person.email)
    )
    await publish(services.db, PasswordChanged(user_id=person.id, how="reset"))
    await drain(services.db, event_writer)
    assert await queued(services.db, person.email) == [
        "welcome",
        "reset_password",
        "password_changed",
    ]
    mails = await work_off_links(services, person.email)
    assert any("/reset?token=" in mail.plain for mail in mails)


async def test_a_change_of_address_is_asked_at_both(
    services: Services, event_writer: EventWriter
) -> None:
    person, new = await make_person(services.db), new_email()
    proof = await identity.log_in(services.db, VISITOR, email=person.email, password=PASSWORD)
    await services.db.transact(
        lambda tx: identity.request_email_change(tx, VISITOR, proof=proof, new_email=new)
    )
    await drain(services.db, event_writer)
    assert "confirm_old_email" in await queued(services.db, person.email)
    assert await queued(services.db, new) == ["confirm_new_email"]
    (mail,) = await work_off_links(services, new)
    assert "/confirm-email?token=" in mail.plain


async def test_a_link_that_was_used_meanwhile_is_not_mailed(
    services: Services, event_writer: EventWriter
) -> None:
    person = await make_person(services.db)
    await drain(services.db, event_writer)
    await services.db.transact(
        lambda tx: tx.execute(
            "UPDATE identity.email_token SET used_at = $2 WHERE user_id = $1",
            person.id,
            tx.clock.now(),
        )
    )
    assert await work_off_links(services, person.email) == []
    async with services.db.read() as conn:
        state = await conn.fetchval(
            "SELECT state FROM notifications.message WHERE address = $1", person.email
        )
    assert state == "dropped"


async def test_the_owner_of_an_address_hears_of_a_second_registration(
    services: Services, event_writer: EventWriter
) -> None:
    person = await make_person(services.db)
    await publish(services.db, RegistrationRepeated(user_id=person.id))
    await drain(services.db, event_writer)
    assert await queued(services.db, person.email) == ["welcome", "address_taken"]
    assert await noticed(services.db, person.id) == []


async def test_a_new_device_is_told_by_mail_and_inside(
    db: Database, event_writer: EventWriter
) -> None:
    person = await make_person(db)
    await publish(db, SignedIn(user_id=person.id, session_id=uuid7()))
    await drain(db, event_writer)
    assert "new_sign_in" in await queued(db, person.email)
    assert await noticed(db, person.id) == ["new_sign_in"]


async def test_an_order_tells_the_buyer_and_each_seller(
    services: Services, event_writer: EventWriter
) -> None:
    db = services.db
    (first, owner), (second, other) = await shop(db), await shop(db)
    person = await make_person(db)
    placed = await sales.order(
        db,
        [
            sales.Sold(first.id, quantity=2),
            await sales.digital(db, services.files, second.id),
        ],
        email=person.email,
        user_id=person.id,
    )
    await drain(db, event_writer)
    await db.transact(lambda tx: relay.replay(tx, event_writer))
    await drain(db, event_writer)
    mails = await queued(db, person.email)
    assert sorted(mails) == ["download_ready", "purchase_confirmed", "welcome"]
    assert await noticed(db, person.id) == ["download_ready", "purchase_confirmed"]
    confirmation = await content(db, person.email, "purchase_confirmed")
    assert (confirmation["number"], confirmation["total"]) == (placed.number, 2_000 + 490 + 1_000)
    goods = await content(db, owner.email, "sale")
    assert (goods["total"], goods["earning"], goods["to_ship"]) == (2_490, 2_490 - 120, True)
    files = await content(db, other.email, "sale")
    assert (files["earning"], files["to_ship"]) == (880, False)
    assert (await queued(db, owner.email)).count("sale") == 1
    assert await noticed(db, owner.id) == ["sale", "seller_approved"]


async def test_a_guest_is_told_at_the_address_of_the_order(
    db: Database, event_writer: EventWriter
) -> None:
    email = new_email()
    seller, _ = await shop(db)
    placed = await sales.order(db, [sales.Sold(seller.id)], email=email, guest=b"g" * 32)
    part = placed.seller_orders[0]
    await db.transact(
        lambda tx: fulfilment.ship(
            tx,
            TEST,
            seller_order_id=part.id,
            seller_id=seller.id,
            lines=[fulfilment.ShipLine(part.lines[0].id, 1)],
            carrier="dhl",
            tracking="0034",
            days=(1, 3),
        )
    )
    await drain(db, event_writer)
    assert await queued(db, email) == ["purchase_confirmed", "shipped"]
    shipped = await content(db, email, "shipped")
    assert (shipped["seller"], shipped["carrier"]) == (seller.name, "DHL")


@pytest.mark.parametrize("state", ["delivered", "cancelled"])
async def test_the_end_of_an_order_is_told(
    db: Database, event_writer: EventWriter, state: str
) -> None:
    email = new_email()
    seller, _ = await shop(db)
    placed = await sales.order(db, [sales.Sold(seller.id)], email=email, guest=b"h" * 32)
    part_id = placed.seller_orders[0].id

    async def step(tx: WriteTx) -> None:
        part = await orders.lock_part(tx, seller_order_id=part_id)
        if state == "cancelled":
            previous = part.cancel()
        else:
            part.fulfil({part.lines[0].id: 1})
            previous = part.state
            for to in ("processing", "shipped", "delivered"):
                part.move(orders.SellerOrderState(to))
        await orders.save_step(tx, TEST, part, previous=previous, reason="Because.")

    await db.transact(step)
    await drain(db, event_writer)
    kind = {"delivered": "delivered", "cancelled": "order_cancelled"}[state]
    assert await queued(db, email) == ["purchase_confirmed", kind]


async def test_sellers_hear_of_missing_keys(services: Services, event_writer: EventWriter) -> None:
    db = services.db
    seller, owner = await shop(db)
    sold = await sales.digital(db, services.files, seller.id, quantity=3)
    at_work = Actor(kind="user", user_id=owner.id, seller_id=seller.id)
    await db.transact(
        lambda tx: fulfilment.add_licence_keys(
            tx, at_work, variant_id=sold.variant_id, keys=["ONE"]
        )
    )
    await sales.order(db, [sold], email=new_email(), guest=b"k" * 32)
    await drain(db, event_writer)
    assert (await content(db, owner.email, "keys_missing"))["count"] == 2


async def test_a_shop_hears_what_runs_low(services: Services, event_writer: EventWriter) -> None:
    db = services.db
    seller, owner = await shop(db)
    sold = await sales.digital(db, services.files, seller.id)
    stock = inventory.StockSetUp(sold.variant_id, sold.listing_id, seller.id, 9)
    await db.transact(lambda tx: inventory.set_up(tx, TEST, items=[stock]))
    await db.transact(
        lambda tx: inventory.adjust(
            tx, TEST, seller_id=seller.id, variant_id=sold.variant_id, absolute=2,
            reason=inventory.Reason.LOSS,
        )
    )  # fmt: skip
    await drain(db, event_writer)
    told = await content(db, owner.email, "low_stock")
    assert (told["on_hand"], told["variant_id"]) == (2, str(sold.variant_id))


async def test_money_that_did_not_come_or_went_back(
    db: Database, event_writer: EventWriter
) -> None:
    email = new_email()
    line = sales.Sold(uuid7())
    failed = await sales.checkout(db, [line], email=email, guest=b"f" * 32)
    money = {"payment_id": uuid7(), "amount": 1_490, "currency": "EUR", "gateway": "sandbox"}
    await publish(
        db, PaymentFailed(checkout_id=failed.id, decline_code="insufficient_funds", **money)
    )
    await publish(
        db,
        CheckoutReversed(
            checkout_id=failed.id,
            payment_id=uuid7(),
            buyer_id=None,
            amount=1_490,
            currency="EUR",
        ),
    )
    placed = await sales.order(db, [line], email=email, guest=b"f" * 32)
    async with db.read() as conn:
        order = await orders.order(conn, placed.id, any_holder=True)
    refund = {"refund_id": uuid7(), "refund_key": "k", "refunded_total": 500, "reason": "r"}
    for checkout_id in (order.checkout_id, failed.id, uuid7()):
        await publish(db, PaymentRefunded(checkout_id=checkout_id, **(money | refund)))
    await publish(db, PaymentFailed(checkout_id=uuid7(), decline_code="x", **money))
    await drain(db, event_writer)
    assert sorted(await queued(db, email)) == [
        "payment_failed",
        "purchase_confirmed",
        "refunded",
        "sold_out_refunded",
    ]


async def test_applicants_hear_every_decision(db: Database, event_writer: EventWriter) -> None:
    person = await make_person(db)
    applicant = Actor(kind="user", user_id=person.id, email_verified=True)
    application = sellers.Application(name=f"Moss {uuid7().hex[-10:]}", country="DE")
    seller = await db.transact(lambda tx: sellers.apply(tx, applicant, application=application))
    await db.transact(
        lambda tx: sellers.ask_more(tx, OPERATOR, seller_id=seller.id, question="Which town?")
    )
    await db.transact(lambda tx: sellers.apply(tx, applicant, application=application))
    await db.transact(
        lambda tx: sellers.reject(tx, OPERATOR, seller_id=seller.id, reason="No answer.")
    )
    await drain(db, event_writer)
    assert await queued(db, person.email) == ["welcome", "seller_asked", "seller_rejected"]
    rejected = await content(db, person.email, "seller_rejected")
    assert (rejected["shop"], rejected["reason"]) == (application.name, "No answer.")


async def test_shops_hear_what_moderators_decide_and_not_what_they_did(
    db: Database, event_writer: EventWriter
) -> None:
    seller, owner = await shop(db)
    at_work = Actor(kind="user", user_id=owner.id, seller_id=seller.id)
    await listing_factories.active(db, at_work)
    category = uuid7()
    changes = {"category_id": category, "category_path": [category]}
    reviewed = [await listing_factories.create(db, at_work, **changes) for _ in range(2)]

    async def submit(tx: WriteTx, listing_id: UUID) -> None:
        await listing_factories.with_image(tx, listing_id)
        await listings.submit(
            tx,
            at_work,
            seller_id=seller.id,
            listing_id=listing_id,
            in_stock=True,
            trusted=False,
        )

    for listing in reviewed:
        await db.transact(lambda tx, listing=listing: submit(tx, listing.id))
    await db.transact(lambda tx: listings.approve(tx, OPERATOR, listing_id=reviewed[0].id))
    await db.transact(
        lambda tx: listings.reject(tx, OPERATOR, listing_id=reviewed[1].id, reason="Blurred.")
    )
    await db.transact(
        lambda tx: listings.take_down(tx, OPERATOR, listing_id=reviewed[0].id, reason="A forgery.")
    )
    await drain(db, event_writer)
    kinds = await queued(db, owner.email)
    assert kinds.count("listing_approved") == 1
    assert kinds.count("listing_taken_down") == 1
    taken = await content(db, owner.email, "listing_taken_down")
    assert (taken["listing_id"], taken["reason"]) == (str(reviewed[0].id), "A forgery.")
    assert kinds.count("listing_rejected") == 1
    approved = await content(db, owner.email, "listing_approved")
    assert approved["listing_id"] == str(reviewed[0].id)


async def test_an_account_that_is_gone_is_not_told(db: Database, event_writer: EventWriter) -> None:
    before = uuid7()
    await publish(db, SignedIn(user_id=before, session_id=uuid7()))
    await drain(db, event_writer)
    assert await noticed(db, before) == []
