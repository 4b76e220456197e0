"""Accounts for tests, made by the real commands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from souk.contexts.identity import api as identity
from souk.contexts.identity import passwords
from souk.kernel.actor import GUEST, Actor, Role, system
from souk.kernel.ids import uuid7
from souk.platform.database import Database

PASSWORD = "marmalade-orbits-quietly"
OTHER_PASSWORD = "seventeen violet anvils"
VISITOR = replace(GUEST, ip="203.0.113.7")
_hashes: dict[str, identity.PasswordHash] = {}


@dataclass(frozen=True)
class Person:
    id: UUID
    email: str


def new_email() -> str:
    return f"u{uuid4().hex[:16]}@people.test"


async def known_hash() -> identity.PasswordHash:
    """The hash of PASSWORD, computed once."""
    if PASSWORD not in _hashes:
        _hashes[PASSWORD] = await passwords.prepare(PASSWORD, inputs=[])
    return _hashes[PASSWORD]


async def make_person(db: Database, *, email: str | None = None, name: str = "Ada") -> Person:
    address = email or new_email()
    password_hash = await known_hash()
    made = await db.transact(
        lambda tx: identity.register(
            tx, VISITOR, email=address, password_hash=password_hash, display_name=name
        )
    )
    return Person(made.user_id, address.lower())


async def make_admin(db: Database) -> Actor:
    person = await make_person(db, name="Admin")
    user = await db.transact(
        lambda tx: identity.grant_role(tx, system("test"), user_id=person.id, role=Role.ADMIN)
    )
    return user.actor(session_id=uuid7())


async def actor_of(db: Database, person: Person) -> Actor:
    """The person, logged in in a new browser session."""
    proof = await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    opened = await db.transact(lambda tx: identity.open_session(tx, VISITOR, proof=proof))
    return opened.user.actor(session_id=opened.session_id, ip="203.0.113.7")


async def newest_link(db: Database, person_id: UUID, purpose: str) -> UUID | None:
    """The id of the last link that was issued, as the event tells it."""
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT (payload->>'token_id')::uuid FROM platform.event"
            " WHERE name = 'identity.email_token_issued.v1' AND aggregate_id = $1"
            " AND payload->>'purpose' = $2 ORDER BY seq DESC LIMIT 1",
            person_id,
            purpose,
        )


async def events_of(db: Database, person_id: UUID) -> list[str]:
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT name FROM platform.event WHERE aggregate_id = $1 ORDER BY seq", person_id
        )
    return [row["name"] for row in rows]


async def audit_of(db: Database, person_id: UUID) -> list[str]:
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT action FROM platform.audit WHERE subject = $1 ORDER BY id", f"user:{person_id}"
        )
    return [row["action"] for row in rows]
