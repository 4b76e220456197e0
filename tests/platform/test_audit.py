"""The audit log: appended, sealed in a chain, and changed by nobody unnoticed."""

from __future__ import annotations

import asyncpg
import pytest

from souk.kernel.actor import Actor
from souk.kernel.ids import uuid7
from souk.platform import audit

ACTOR = Actor(kind="user", user_id=uuid7(), ip="203.0.113.9")


@pytest.fixture
async def owner(db_url):
    raw = await asyncpg.connect(db_url)
    yield raw
    await raw.close()


@pytest.fixture
async def rows(db):
    subject = f"thing:{uuid7()}"

    async def work(tx):
        for number in range(5):
            await audit.record(tx, ACTOR, "test.done", subject, number=number)

    await db.transact(work)
    await db.transact(audit.seal)
    async with db.read() as conn:
        return await audit.recent(conn, subject=subject)


async def broken_at(db):
    async with db.read() as conn:
        return await audit.verify_chain(conn, batch=2)


async def seal_of(db, row):
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT seq FROM platform.audit_seal WHERE audit_id = $1", row.id
        )


async def test_rows_tell_who_did_what_and_from_where(db, rows):
    assert {row.detail["number"] for row in rows} == {0, 1, 2, 3, 4}
    newest = rows[0]
    assert (newest.actor, newest.action, newest.ip, newest.sealed) == (
        ACTOR.label(),
        "test.done",
        "203.0.113.9",
        True,
    )
    async with db.read() as conn:
        page = await audit.recent(conn, subject=newest.subject, before=rows[1].id, limit=2)
        none = await audit.recent(conn, subject=newest.subject, action_prefix="other.")
    assert [row.id for row in page] == [rows[2].id, rows[3].id]
    assert none == []


async def test_sealing_goes_on_where_it_stopped(db, rows):
    assert await db.transact(audit.seal) == 0
    for number in range(3):
        await db.transact(
            lambda tx, n=number: audit.record(tx, ACTOR, "test.more", "thing:more", number=n)
        )
    assert await db.transact(lambda tx: audit.seal(tx, limit=2)) == 2
    assert await broken_at(db) is None
    assert await db.transact(lambda tx: audit.seal(tx, limit=2)) == 1
    assert await broken_at(db) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE platform.audit SET actor = 'nobody'",
        "DELETE FROM platform.audit",
        "TRUNCATE platform.audit",
        "UPDATE platform.audit_seal SET hash = '\\x00'",
        "DELETE FROM platform.audit_seal",
        "UPDATE platform.event SET actor = 'nobody'",
    ],
)
async def test_the_database_refuses_changes(db, rows, owner, statement):
    await owner.execute(
        "INSERT INTO platform.event (id, name, aggregate_id, actor, occurred_at, payload)"
        " VALUES ($1, 'test.kept.v1', $1, 'guest', now(), '{}')",
        uuid7(),
    )
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await owner.execute(statement)
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.transact(lambda tx: tx.execute(statement))
    assert await broken_at(db) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE platform.audit SET actor = 'user:somebody' WHERE id = $1",
        "UPDATE platform.audit SET action = 'test.undone' WHERE id = $1",
        "UPDATE platform.audit SET subject = 'thing:other' WHERE id = $1",
        "UPDATE platform.audit SET detail = '{\"number\": 9}' WHERE id = $1",
        "UPDATE platform.audit SET ip = NULL WHERE id = $1",
        "UPDATE platform.audit SET at = at + interval '1 second' WHERE id = $1",
        "DELETE FROM platform.audit WHERE id = $1",
        "DELETE FROM platform.audit_seal WHERE audit_id = $1",
        "UPDATE platform.audit_seal SET hash = decode(repeat('00', 32), 'hex') WHERE audit_id = $1",
    ],
)
async def test_an_owner_who_switches_the_triggers_off_is_found_out(db, rows, owner, change):
    assert await broken_at(db) is None
    victim = rows[2]
    seq = await seal_of(db, victim)
    before = await owner.fetchrow("SELECT * FROM platform.audit WHERE id = $1", victim.id)
    seal = await owner.fetchrow("SELECT * FROM platform.audit_seal WHERE seq = $1", seq)
    for table in ("audit", "audit_seal"):
        await owner.execute(f"ALTER TABLE platform.{table} DISABLE TRIGGER USER")
    await owner.execute(change, victim.id)
    assert await broken_at(db) == seq
    await owner.execute("DELETE FROM platform.audit WHERE id = $1", victim.id)
    await owner.execute("DELETE FROM platform.audit_seal WHERE seq = $1", seq)
    await owner.execute(
        f"INSERT INTO platform.audit ({', '.join(before.keys())})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *before.values(),
    )
    await owner.execute(
        "INSERT INTO platform.audit_seal (seq, audit_id, hash) VALUES ($1, $2, $3)", *seal.values()
    )
    for table in ("audit", "audit_seal"):
        await owner.execute(f"ALTER TABLE platform.{table} ENABLE TRIGGER USER")
    assert await broken_at(db) is None
