"""Legal texts, operators, shops and customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from souk.contexts.compliance import api as compliance
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.identity import api as identity
from souk.contexts.sellers import api as sellers
from souk.demo.fill_world import PASSWORD, Person, World
from souk.demo.model import BuyerSpec, SellerSpec
from souk.flows.seller_approval.flow import Decision, decide
from souk.flows.sign_up.flow import sign_up
from souk.kernel.actor import GUEST, Actor, Role
from souk.kernel.ids import uuid7
from souk.platform.database import ReadConn, WriteTx

ADMIN = "admin@example.com"
STAFF = {
    "moderator@example.com": ("Mirela Novak", Role.MODERATOR),
    "support@example.com": ("Samuel Okafor", Role.SUPPORT),
    "finance@example.com": ("Farida Haddad", Role.FINANCE),
}
_PREMIUM = ("alpenglow", "arboretum-kessler")
_NEIGHBOURS = ["AT", "BE", "DE", "ES", "FI", "FR", "IE", "IT", "NL", "PT"]


async def people(world: World) -> None:
    """Everybody who is not there yet, with the rights that their work needs."""
    marketplace = world.services.settings.marketplace_name
    await world.db.transact(lambda tx: compliance.install_defaults(tx, marketplace=marketplace))
    await _administrator(world)
    names = {email: name for email, (name, _) in STAFF.items()}
    names |= {shop.email: shop.owner for shop in world.demo.sellers}
    names |= {buyer.email: buyer.name for buyer in world.demo.buyers}
    await _sign_up_all(world, names)
    await _grant_roles(world)
    await _open_shops(world)
    await _save_addresses(world)


async def _administrator(world: World) -> None:
    async with world.db.read() as conn:
        known = await identity.user_id_of(conn, email=ADMIN)
    if known is None:
        await world.db.transact(
            lambda tx: identity.create_admin(
                tx, email=ADMIN, password=PASSWORD, display_name="Ada Lindqvist"
            )
        )
    async with world.db.read() as conn:
        world.people[ADMIN] = await _person(conn, ADMIN)


async def _person(conn: ReadConn, email: str) -> Person:
    user_id = await identity.user_id_of(conn, email=email)
    assert user_id is not None, f"{email} was signed up"
    user = await identity.user(conn, user_id=user_id)
    return Person(
        user_id=user.id,
        name=user.display_name,
        email=user.email,
        roles=frozenset(user.roles),
        email_verified=user.email_verified,
        seller_id=user.seller_id,
    )


async def _sign_up_all(world: World, names: dict[str, str]) -> None:
    marketplace = world.services.settings.marketplace_name
    for done, (email, name) in enumerate(names.items()):
        world.report("people", done, len(names))
        async with world.db.read() as conn:
            known = await identity.user_id_of(conn, email=email)
            verified = known is not None and (await _person(conn, email)).email_verified

        async def join(tx: WriteTx, email: str = email, name: str = name) -> None:
            await sign_up(
                tx,
                GUEST,
                email=email,
                password_hash=world.password_hash,
                display_name=name,
                locale="en",
                marketplace=marketplace,
            )

        if known is None:
            world.clock.advance(timedelta(minutes=7))
            await world.db.transact(join)
        elif not verified:
            await world.db.transact(
                lambda tx, email=email: identity.resend_verification(tx, GUEST, email=email)
            )
    await world.relay.drain()
    async with world.db.read() as conn:
        for email in names:
            world.people[email] = await _person(conn, email)
    world.report("people", len(names), len(names))


async def _grant_roles(world: World) -> None:
    admin = world.people[ADMIN].actor()
    for email, (_, role) in STAFF.items():
        person = world.people[email]
        if role not in person.roles:
            await world.db.transact(
                lambda tx, person=person, role=role: identity.grant_role(
                    tx, admin, user_id=person.user_id, role=role
                )
            )
            person.roles |= {role}


async def _open_shops(world: World) -> None:
    moderator = world.people["moderator@example.com"].actor()
    for spec in world.demo.sellers:
        owner = world.people[spec.email]
        world.clock.advance(timedelta(hours=2))
        if owner.seller_id is None:
            await world.db.transact(
                lambda tx, owner=owner, spec=spec: _open_shop(tx, moderator, owner, spec)
            )
            async with world.db.read() as conn:
                owner = world.people[spec.email] = await _person(conn, spec.email)
        world.shops[spec.slug] = owner
    await world.relay.drain()


async def _open_shop(tx: WriteTx, moderator: Actor, owner: Person, spec: SellerSpec) -> None:
    kind = sellers.SellerKind.PRIVATE if spec.private else sellers.SellerKind.BUSINESS
    shop = await sellers.apply(
        tx,
        owner.actor(),
        application=sellers.Application(spec.name, spec.country, kind, spec.slug, spec.bio),
    )
    await decide(
        tx, moderator, seller_id=shop.id, decision=Decision.APPROVE, reason="Papers are in order."
    )
    owner.seller_id = shop.id
    actor = owner.actor()
    await sellers.update_storefront(
        tx,
        actor,
        seller_id=shop.id,
        changes=sellers.Storefront(
            shipping_policy=spec.shipping_policy, returns_policy=spec.return_policy
        ),
    )
    if spec.slug in _PREMIUM:
        await sellers.set_tier(tx, moderator, seller_id=shop.id, tier=sellers.Tier.PREMIUM)
    for method in _methods(spec):
        await fulfilment.add_method(tx, actor, method=method)


def _methods(spec: SellerSpec) -> list[fulfilment.Method]:
    """Ways of delivery: by weight at home and abroad, express for shops, pick-up in town."""
    if spec.slug == "leaf-and-letter":
        return []
    abroad = [country for country in _NEIGHBOURS if country != spec.country]
    home = [fulfilment.Bracket(2_000, 490), fulfilment.Bracket(10_000, 890),
            fulfilment.Bracket(40_000, 2_490)]  # fmt: skip
    away = [fulfilment.Bracket(2_000, 1_190), fulfilment.Bracket(10_000, 1_890),
            fulfilment.Bracket(40_000, 4_990)]  # fmt: skip
    free = None if spec.private else 15_000
    parcel = fulfilment.Method(
        id=uuid7(), name="Parcel", kind="delivery", currency="EUR", position=1,
        rates=[
            fulfilment.Rate(countries=[spec.country], brackets=home, free_over=free,
                            min_days=1, max_days=3),
            fulfilment.Rate(countries=abroad, brackets=away, min_days=3, max_days=6),
        ],
    )  # fmt: skip
    pickup = fulfilment.Method(
        id=uuid7(), name=f"Pick up in {spec.city}", kind="pickup", currency="EUR", position=3,
        pickup_note=f"{spec.street}, {spec.postal_code} {spec.city}",
        rates=[fulfilment.Rate(countries=[spec.country], min_days=0, max_days=2)],
    )  # fmt: skip
    if spec.private:
        return [parcel, pickup]
    express = fulfilment.Method(
        id=uuid7(), name="Express", kind="delivery", currency="EUR", position=2,
        rates=[fulfilment.Rate(countries=[spec.country], amount=1_490, min_days=1, max_days=1),
               fulfilment.Rate(countries=abroad, amount=3_290, min_days=1, max_days=2)],
    )  # fmt: skip
    return [parcel, express, pickup]


def address_of(spec: BuyerSpec) -> fulfilment.Address:
    """Where a customer lives."""
    return fulfilment.Address(
        name=spec.name,
        line1=spec.street,
        city=spec.city,
        country=spec.country,
        region=spec.region,
        postal_code=spec.postal_code,
    )


async def _save_addresses(world: World) -> None:
    async with world.db.read() as conn:
        missing: Sequence[BuyerSpec] = [
            spec
            for spec in world.demo.buyers
            if not await fulfilment.saved_addresses(conn, world.people[spec.email].user_id)
        ]

    async def save(tx: WriteTx) -> None:
        for spec in missing:
            actor = world.people[spec.email].actor()
            await fulfilment.save_address(
                tx, actor, address=address_of(spec), label="Home", default=True
            )

    await world.db.transact(save)
