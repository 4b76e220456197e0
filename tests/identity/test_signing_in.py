from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from souk.contexts.identity import api as identity
from souk.contexts.identity import store
from souk.contexts.identity.commands.signing_in import touch_session
from souk.contexts.identity.domain import PEOPLE, STAFF
from souk.contexts.identity.errors import LockedOut, LogInFailed, RefreshRefused
from souk.kernel.actor import Role, system
from souk.kernel.ids import uuid7
from souk.platform.database import count_statements
from tests.identity.factories import (
    PASSWORD,
    VISITOR,
    audit_of,
    events_of,
    make_person,
    new_email,
)


async def opened(db, person, *, visitor=VISITOR, user_agent="Firefox"):
    proof = await identity.log_in(db, visitor, email=person.email, password=PASSWORD)
    return await db.transact(
        lambda tx: identity.open_session(tx, visitor, proof=proof, user_agent=user_agent)
    )


async def tokens_of(db, settings, person):
    proof = await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    tokens, _ = await identity.issue_tokens(db, settings, VISITOR, proof=proof)
    return tokens


async def seen(db, secret):
    async with db.read() as conn:
        return await identity.session_actor(conn, secret)


async def revoked_because(db, session_id):
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT revoked_because FROM identity.session WHERE id = $1", session_id
        )


async def test_logging_in_whatever_the_case_of_the_address(db):
    person = await make_person(db)
    proof = await identity.log_in(db, VISITOR, email=f" {person.email.upper()} ", password=PASSWORD)
    assert proof.user.id == person.id


async def test_a_wrong_password_an_unknown_and_a_bad_address_look_the_same(db):
    person = await make_person(db)
    answers = []
    for email in (person.email, new_email(), "not an address"):
        with pytest.raises(LogInFailed) as refusal:
            await identity.log_in(db, VISITOR, email=email, password="wrong password")
        answers.append((refusal.value.message, refusal.value.fields))
    assert answers[0] == answers[1] == answers[2]
    assert (await audit_of(db, person.id))[-1] == "identity.log_in_failed"


async def test_an_unknown_address_takes_as_long(db):
    person = await make_person(db)

    async def duration(email):
        started = time.perf_counter()
        with pytest.raises(LogInFailed):
            await identity.log_in(db, VISITOR, email=email, password="wrong password")
        return time.perf_counter() - started

    await duration(new_email())
    known, unknown = [], []
    for _ in range(4):
        known.append(await duration(person.email))
        unknown.append(await duration(new_email()))
    ratio = statistics.median(unknown) / statistics.median(known)
    assert 0.4 < ratio < 2.5


@pytest.mark.parametrize("exists", [True, False])
async def test_five_wrong_tries_lock_known_and_unknown_addresses_alike(db, clock, exists):
    email = (await make_person(db)).email if exists else new_email()

    async def attempt(password="wrong password"):
        return await identity.log_in(db, VISITOR, email=email, password=password)

    for _ in range(5):
        with pytest.raises(LogInFailed):
            await attempt()
    with pytest.raises(LockedOut) as refusal:
        await attempt(PASSWORD)
    assert refusal.value.fields["retry_after"] == 900
    clock.advance(timedelta(minutes=15))
    for _ in range(5):
        with pytest.raises(LogInFailed):
            await attempt()
    with pytest.raises(LockedOut) as refusal:
        await attempt(PASSWORD)
    assert refusal.value.fields["retry_after"] == 1800


async def test_simultaneous_guesses_are_all_counted(db):
    person = await make_person(db)
    results = await asyncio.gather(
        *(
            identity.log_in(db, VISITOR, email=person.email, password=f"wrong {n}")
            for n in range(12)
        ),
        return_exceptions=True,
    )
    kinds = [type(result) for result in results]
    assert kinds.count(LogInFailed) == 5
    assert kinds.count(LockedOut) == 7


async def test_the_right_password_clears_the_count(db):
    person = await make_person(db)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(LogInFailed):
                await identity.log_in(db, VISITOR, email=person.email, password="wrong")
        await opened(db, person)


async def test_a_reset_lifts_the_lock(db, settings):
    person = await make_person(db)
    for _ in range(5):
        with pytest.raises(LogInFailed):
            await identity.log_in(db, VISITOR, email=person.email, password="wrong")
    await db.transact(lambda tx: identity.request_password_reset(tx, VISITOR, email=person.email))
    async with db.read() as conn:
        token_id = await conn.fetchval(
            "SELECT id FROM identity.email_token WHERE user_id = $1 AND purpose = 'reset'",
            person.id,
        )
    token = identity.link_token(token_id, settings.secret_key)
    await identity.reset_password(db, settings, VISITOR, token=token, new=PASSWORD)
    await opened(db, person)


async def test_an_older_hash_is_replaced_at_log_in(db):
    person = await make_person(db)
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    await db.transact(lambda tx: store.save_password(tx, person.id, password_hash=old))
    await opened(db, person)
    async with db.read() as conn:
        stored = await store.password_hash_of(conn, person.id)
    assert stored != old
    await opened(db, person)


async def test_a_browser_session_names_its_person_in_one_statement(db):
    person = await make_person(db)
    session = await opened(db, person)
    async with db.read() as conn, count_statements() as count:
        found = await identity.session_actor(conn, session.secret, ip="203.0.113.9")
    assert count.total == 1
    assert found.actor.user_id == person.id
    assert found.actor.session_id == session.session_id
    assert found.actor.ip == "203.0.113.9"
    assert not found.touch_due
    assert await seen(db, session.secret + "x") is None


async def test_a_session_ends_when_idle(db, clock):
    session = await opened(db, await make_person(db))
    clock.advance(PEOPLE.idle - timedelta(seconds=1))
    assert (await seen(db, session.secret)).touch_due
    clock.advance(timedelta(seconds=1))
    assert await seen(db, session.secret) is None


async def test_a_session_ends_at_its_absolute_age_though_in_use(db, clock):
    session = await opened(db, await make_person(db))
    for _ in range(29):
        clock.advance(timedelta(days=1))
        assert await seen(db, session.secret)
        await db.transact(lambda tx: touch_session(tx, session.session_id))
        assert not (await seen(db, session.secret)).touch_due
    clock.advance(timedelta(days=1))
    assert await seen(db, session.secret) is None


async def test_staff_sessions_end_after_an_hour(db, clock):
    person = await make_person(db)
    await db.transact(
        lambda tx: identity.grant_role(tx, system("test"), user_id=person.id, role=Role.FINANCE)
    )
    session = await opened(db, person)
    clock.advance(STAFF.idle)
    assert await seen(db, session.secret) is None


async def test_a_new_device_is_announced_but_never_the_first(db):
    person = await make_person(db)
    elsewhere = replace(VISITOR, ip="198.51.100.4")

    async def announced():
        return (await events_of(db, person.id)).count("identity.signed_in.v1")

    await opened(db, person)
    await opened(db, person)
    assert await announced() == 0
    await opened(db, person, visitor=elsewhere)
    assert await announced() == 1
    await opened(db, person, visitor=elsewhere)
    await opened(db, person, user_agent="Lynx\x00" + "x" * 1_000)
    assert await announced() == 2


async def test_refreshing_rotates(db, settings):
    person = await make_person(db)
    first = await tokens_of(db, settings, person)
    second = await identity.refresh(db, settings, VISITOR, refresh_token=first.refresh_token)
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    actor = identity.access_tokens(settings).authenticate(second.access_token, now=db.clock.now())
    assert actor.user_id == person.id
    await identity.refresh(db, settings, VISITOR, refresh_token=second.refresh_token)


async def test_a_used_token_revokes_the_family(db, settings):
    person = await make_person(db)
    first = await tokens_of(db, settings, person)
    other = await tokens_of(db, settings, person)
    second = await identity.refresh(db, settings, VISITOR, refresh_token=first.refresh_token)
    for token in (first.refresh_token, second.refresh_token, first.refresh_token):
        with pytest.raises(RefreshRefused):
            await identity.refresh(db, settings, VISITOR, refresh_token=token)
    assert await revoked_because(db, first.session_id) == "refresh_token_reused"
    assert (await audit_of(db, person.id)).count("identity.refresh_reuse_detected") == 1
    assert (await events_of(db, person.id)).count("identity.refresh_reuse_detected.v1") == 1
    await identity.refresh(db, settings, VISITOR, refresh_token=other.refresh_token)


async def test_parallel_refreshes_leave_at_most_one_successor_and_a_revoked_family(db, settings):
    person = await make_person(db)
    first = await tokens_of(db, settings, person)
    results = await asyncio.gather(
        *(
            identity.refresh(db, settings, VISITOR, refresh_token=first.refresh_token)
            for _ in range(2)
        ),
        return_exceptions=True,
    )
    won = [result for result in results if isinstance(result, identity.Tokens)]
    assert len(won) == 1
    assert sum(isinstance(result, RefreshRefused) for result in results) == 1
    assert await revoked_because(db, first.session_id) == "refresh_token_reused"
    async with db.read() as conn:
        families = await conn.fetchval(
            "SELECT count(DISTINCT session_id) FROM identity.refresh_token t"
            " JOIN identity.session s ON s.id = t.session_id WHERE s.user_id = $1",
            person.id,
        )
    assert families == 1
    with pytest.raises(RefreshRefused):
        await identity.refresh(db, settings, VISITOR, refresh_token=won[0].refresh_token)


async def test_unknown_and_expired_refresh_tokens_are_refused(db, settings, clock):
    person = await make_person(db)
    tokens = await tokens_of(db, settings, person)
    with pytest.raises(RefreshRefused):
        await identity.refresh(db, settings, VISITOR, refresh_token=uuid7().hex)
    clock.advance(PEOPLE.idle)
    with pytest.raises(RefreshRefused):
        await identity.refresh(db, settings, VISITOR, refresh_token=tokens.refresh_token)


async def test_a_browser_secret_is_no_refresh_token_nor_the_other_way(db, settings):
    person = await make_person(db)
    browser = await opened(db, person)
    tokens = await tokens_of(db, settings, person)
    with pytest.raises(RefreshRefused):
        await identity.refresh(db, settings, VISITOR, refresh_token=browser.secret)
    assert await seen(db, tokens.refresh_token) is None


async def test_every_try_is_in_the_audit_log(db):
    person = await make_person(db)
    for _ in range(5):
        with pytest.raises(LogInFailed):
            await identity.log_in(db, VISITOR, email=person.email, password="wrong")
    with pytest.raises(LockedOut):
        await identity.log_in(db, VISITOR, email=person.email, password="wrong")
    actions = await audit_of(db, person.id)
    assert actions.count("identity.log_in_failed") == 5
    assert actions.count("identity.log_in_locked") == 1
    async with db.read() as conn:
        ip = await conn.fetchval(
            "SELECT ip FROM platform.audit WHERE action = 'identity.log_in_locked'"
            " AND subject = $1",
            f"user:{person.id}",
        )
    assert ip == VISITOR.ip
