"""IP addresses are forgotten after as many days as operators choose, and no chain breaks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from souk.contexts.compliance import api as compliance
from souk.contexts.compliance import jobs as compliance_jobs
from souk.contexts.identity import api as identity
from souk.contexts.identity import jobs as identity_jobs
from souk.contexts.identity import store as identity_store
from souk.kernel.actor import Actor
from souk.kernel.clock import SettableClock
from souk.kernel.ids import uuid7
from souk.platform import audit, options, retention, upkeep
from souk.platform.database import Database, WriteTx
from souk.platform.services import Services

IP = "203.0.113.9"
AGENT = "Mozilla/5.0 Firefox/140.0"


async def keep_for(db: Database, days: int) -> None:
    known = {retention.ADDRESS_DAYS.key: retention.ADDRESS_DAYS}
    operator = Actor(kind="user", user_id=uuid7())
    await db.transact(
        lambda tx: options.change(
            tx, operator, known=known, key=retention.ADDRESS_DAYS.key, value=days
        )
    )


async def forget(services: Services) -> None:
    await upkeep.forget_addresses(services)
    await identity_jobs.forget_addresses(services)
    await compliance_jobs.forget_addresses(services)


async def somebody(db: Database) -> Actor:
    """A person who signed in, agreed to something and did something that is audited."""
    email = f"seen-{uuid7().hex[-10:]}@example.com"
    hashed = await identity.prepare_password("a quiet market at seven", inputs=[])

    async def work(tx: WriteTx) -> UUID:
        guest = Actor(kind="guest", ip=IP)
        await identity.register(
            tx, guest, email=email, password_hash=hashed, display_name="Seen Once"
        )
        user_id = await tx.fetchval("SELECT id FROM identity.account WHERE email = $1", email)
        actor = Actor(kind="user", user_id=user_id, ip=IP)
        await identity_store.add_session(
            tx, session_id=uuid7(), user_id=user_id, secret_hash=uuid7().bytes, ip=IP,
            user_agent=AGENT,
        )  # fmt: skip
        answers = {compliance.ConsentPurpose.ANALYTICS: True}
        subject = f"user:{user_id}"
        await compliance.record_consents(tx, actor, subject=subject, answers=answers)
        await audit.record(tx, actor, "test.seen", subject)
        return user_id

    return Actor(kind="user", user_id=await db.transact(work), ip=IP)


async def addresses(db: Database, person: Actor) -> list[str | None]:
    """In the order: session, browser, consent, audit."""
    subject = f"user:{person.user_id}"
    async with db.read() as conn:
        row = await conn.fetchrow(
            "SELECT s.ip, s.user_agent, c.ip AS consent, a.ip AS audit FROM identity.session s,"
            " compliance.consent c, platform.audit a WHERE s.user_id = $1 AND c.subject = $2"
            " AND a.subject = $2 AND a.action = 'test.seen'",
            person.user_id,
            subject,
        )
    assert row is not None
    return list(row.values())


async def broken(db: Database) -> int | None:
    async with db.read() as conn:
        return await audit.verify_chain(conn)


async def test_addresses_are_forgotten_in_time_and_the_chain_holds(
    services: Services, db: Database, clock: SettableClock
) -> None:
    person = await somebody(db)
    await db.transact(audit.seal)
    assert await addresses(db, person) == [IP, AGENT, IP, IP]
    clock.advance(timedelta(days=89))
    await forget(services)
    assert await addresses(db, person) == [IP, AGENT, IP, IP]
    fresh = await somebody(db)
    clock.advance(timedelta(days=2))
    await forget(services)
    assert await addresses(db, person) == [None, "", None, None]
    assert await addresses(db, fresh) == [IP, AGENT, IP, IP]
    assert await broken(db) is None
    # What is sealed only after its address was forgotten holds as well.
    clock.advance(timedelta(days=90))
    await forget(services)
    await db.transact(audit.seal)
    assert await addresses(db, fresh) == [None, "", None, None]
    assert await broken(db) is None


async def test_a_session_in_use_keeps_what_its_owner_knows_it_by(
    services: Services, db: Database, clock: SettableClock
) -> None:
    person = await somebody(db)
    clock.advance(timedelta(days=91))
    await db.transact(
        lambda tx: tx.execute(
            "UPDATE identity.session SET last_seen_at = $2 WHERE user_id = $1",
            person.user_id,
            clock.now(),
        )
    )
    await forget(services)
    assert (await addresses(db, person))[:2] == [None, AGENT]


async def test_operators_choose_how_long(
    services: Services, db: Database, clock: SettableClock
) -> None:
    person = await somebody(db)
    await keep_for(db, 0)
    clock.advance(timedelta(days=4_000))
    await forget(services)
    assert (await addresses(db, person))[0] == IP
    await keep_for(db, 3_650)
    await forget(services)
    assert await addresses(db, person) == [None, "", None, None]
    await keep_for(db, 90)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE platform.audit SET ip = '198.51.100.1' WHERE subject = $1",
        "UPDATE platform.audit SET ip_salt = '\\x00' WHERE subject = $1",
        "UPDATE platform.audit SET ip = NULL, ip_salt = NULL, actor = 'nobody' WHERE subject = $1",
        "UPDATE platform.audit SET ip = NULL WHERE subject = $1",
        "UPDATE compliance.consent SET ip = NULL, granted = false WHERE subject = $1",
        "UPDATE compliance.consent SET ip = '198.51.100.1' WHERE subject = $1",
    ],
)
async def test_nothing_but_the_address_can_be_taken_away(db: Database, change: str) -> None:
    person = await somebody(db)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await db.transact(lambda tx: tx.execute(change, f"user:{person.user_id}"))


@pytest.mark.parametrize(
    "change", ["ip = '198.51.100.1'", "ip_salt = NULL", "ip = NULL", "ip_proof = NULL"]
)
async def test_an_address_that_was_tampered_with_is_found_out(db: Database, change: str) -> None:
    person = await somebody(db)
    await db.transact(audit.seal)
    assert await broken(db) is None
    subject = f"user:{person.user_id}"

    async with db.read() as conn:
        was = await conn.fetchrow(
            "SELECT id, ip, ip_salt, ip_proof FROM platform.audit"
            " WHERE subject = $1 AND action = 'test.seen'",
            subject,
        )
    assert was is not None

    async def forge(tx: WriteTx) -> None:
        await tx.execute("ALTER TABLE platform.audit DISABLE TRIGGER append_only")
        await tx.execute(f"UPDATE platform.audit SET {change} WHERE id = $1", was["id"])

    async def mend(tx: WriteTx) -> None:
        await tx.execute(
            "UPDATE platform.audit SET ip = $2, ip_salt = $3, ip_proof = $4 WHERE id = $1",
            *was.values(),
        )
        await tx.execute("ALTER TABLE platform.audit ENABLE TRIGGER append_only")

    await db.transact(forge)
    assert await broken(db) is not None
    await db.transact(mend)
    assert await broken(db) is None
