"""People who work at the desks, and something on them."""

from __future__ import annotations

from uuid import UUID

from souk.contexts.identity import api as identity
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.publish_listing import flow
from souk.flows.seller_approval.flow import Decision, decide
from souk.kernel.actor import GUEST, Actor, Role, system
from souk.kernel.ids import uuid7
from souk.platform.database import Database, WriteTx
from tests.web.conftest import PASSWORD, Visitor

OPERATOR = system("tests")


async def log_in(visitor: Visitor, email: str) -> None:
    answer = await visitor.submit("/login", {"email": email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text[:1_000]


async def member(db: Database) -> tuple[str, Actor]:
    """An account with a verified address, and its actor."""
    email = f"desk-{uuid7().hex[-10:]}@example.com"
    hashed = await identity.prepare_password(PASSWORD, inputs=[])
    await db.transact(
        lambda tx: identity.register(
            tx, GUEST, email=email, password_hash=hashed, display_name="Olga Seller"
        )
    )

    async def verify(tx: WriteTx) -> UUID:
        await tx.execute(
            "UPDATE identity.account SET email_verified_at = now() WHERE email = $1", email
        )
        return await tx.fetchval("SELECT id FROM identity.account WHERE email = $1", email)

    user_id = await db.transact(verify)
    return email, Actor(kind="user", user_id=user_id, email_verified=True, name="Olga Seller")


async def seller(db: Database, visitor: Visitor) -> sellers.Seller:
    """A seller with an open shop, logged in as `visitor`."""
    email, actor = await member(db)

    async def work(tx: WriteTx) -> sellers.Seller:
        application = sellers.Application(name=f"Stall {uuid7().hex[-6:]}", country="DE")
        made = await sellers.apply(tx, actor, application=application)
        return await decide(
            tx, OPERATOR, seller_id=made.id, decision=Decision.APPROVE, reason="A good stall."
        )

    shop = await db.transact(work)
    await log_in(visitor, email)
    return shop


async def admin(db: Database, visitor: Visitor) -> None:
    """An administrator, logged in as `visitor`."""
    email = f"admin-{uuid7().hex[-10:]}@example.com"
    await db.transact(lambda tx: identity.create_admin(tx, email=email, password=PASSWORD))
    await log_in(visitor, email)


async def draft(db: Database, shop: sellers.Seller, *, title: str = "Fig tree") -> listings.Listing:
    """A listing of the shop with one variant and five in stock."""
    actor = Actor(kind="user", user_id=shop.user_id, seller_id=shop.id)
    new = listings.NewListing(kind=listings.Kind.GOODS, title=title, currency="EUR")
    variant = flow.VariantStock(variant=listings.VariantInput(price=1_900), on_hand=5)
    return await db.transact(
        lambda tx: flow.create(tx, actor, seller_id=shop.id, data=new, variants=[variant])
    )


async def staff(db: Database, visitor: Visitor, role: Role) -> None:
    """Somebody with one staff role, logged in as `visitor`."""
    email, actor = await member(db)
    user_id = actor.user_id
    assert user_id is not None
    await db.transact(lambda tx: identity.grant_role(tx, OPERATOR, user_id=user_id, role=role))
    await log_in(visitor, email)
