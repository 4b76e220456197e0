from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from souk.contexts.identity import api as identity
from souk.contexts.identity import jobs, passwords, queries, store
from souk.contexts.identity.domain import LINKS_PER_HOUR
from souk.contexts.identity.errors import (
    AccountSuspended,
    AlreadyMember,
    BadEmail,
    EmailUnavailable,
    LinkInvalid,
    LockedOut,
    LogInFailed,
    NotGrantable,
    OwnAccount,
    RefreshRefused,
    SessionNotFound,
    UserNotFound,
    WeakPassword,
    WrongPassword,
)
from souk.kernel.actor import GUEST, Permission, Role, system
from souk.kernel.errors import Forbidden, IllegalTransition, InvalidInput, NotSignedIn
from souk.kernel.ids import fingerprint, uuid7
from souk.kernel.page import BadCursor
from souk.platform.database import count_statements
from tests.identity.factories import (
    OTHER_PASSWORD,
    PASSWORD,
    VISITOR,
    actor_of,
    audit_of,
    events_of,
    known_hash,
    make_admin,
    make_person,
    new_email,
    newest_link,
)


@pytest.fixture
def key(settings):
    return settings.secret_key


async def link_for(db, key, person_id, purpose):
    token_id = await newest_link(db, person_id, purpose)
    return identity.link_token(token_id, key)


async def session_count(db, person_id):
    async with db.read() as conn:
        return await conn.fetchval(
            "SELECT count(*) FROM identity.session WHERE user_id = $1 AND revoked_at IS NULL",
            person_id,
        )


async def test_registering_publishes_and_asks_for_the_mail(db):
    person = await make_person(db)
    assert await events_of(db, person.id) == [
        "identity.user_registered.v1",
        "identity.email_token_issued.v1",
    ]
    assert await audit_of(db, person.id) == ["identity.registered"]


async def test_no_event_or_audit_row_holds_an_address_or_secret(db, key):
    person = await make_person(db)
    await actor_of(db, person)
    token = await link_for(db, key, person.id, "verify")
    async with db.read() as conn:
        rows = await conn.fetch(
            "SELECT payload::text AS t FROM platform.event UNION ALL"
            " SELECT subject || detail::text FROM platform.audit"
        )
    text = "".join(row["t"] for row in rows)
    assert person.email not in text
    assert token.split(".")[1] not in text
    assert "argon2" not in text


async def test_a_taken_address_gives_the_same_answer_and_tells_the_owner(db, key):
    person = await make_person(db)
    token = await link_for(db, key, person.id, "verify")
    await db.transact(lambda tx: identity.verify_email(tx, VISITOR, token=token, secret_key=key))
    again = await make_person(db, email=person.email.upper(), name="Eve")
    assert again.id == person.id
    assert (await events_of(db, person.id))[-1] == "identity.registration_repeated.v1"
    async with db.read() as conn:
        assert (await queries.user(conn, user_id=person.id)).display_name == "Ada"


async def test_repeated_registration_does_not_fill_a_mailbox(db, key):
    person = await make_person(db)
    token = await link_for(db, key, person.id, "verify")
    await db.transact(lambda tx: identity.verify_email(tx, VISITOR, token=token, secret_key=key))
    for _ in range(12):
        await make_person(db, email=person.email)
    told = (await events_of(db, person.id)).count("identity.registration_repeated.v1")
    assert told == 5


async def test_registering_an_unverified_address_again_sends_another_link_only(db):
    person = await make_person(db)
    other = await passwords.prepare(OTHER_PASSWORD, inputs=[])
    made = await db.transact(
        lambda tx: identity.register(
            tx, VISITOR, email=person.email, password_hash=other, display_name="Eve"
        )
    )
    assert not made.created
    assert (await events_of(db, person.id)).count("identity.email_token_issued.v1") == 2
    with pytest.raises(LogInFailed):
        await identity.log_in(db, VISITOR, email=person.email, password=OTHER_PASSWORD)


async def test_two_registrations_at_once_make_one_account(db):
    email = new_email()
    first, second = await asyncio.gather(make_person(db, email=email), make_person(db, email=email))
    assert first.id == second.id
    assert (await events_of(db, first.id)).count("identity.user_registered.v1") == 1


async def test_bad_input_is_refused(db):
    password_hash = await known_hash()

    def registering(**changes):
        fields = {"email": new_email(), "display_name": "Ada", "locale": "en"} | changes
        return db.transact(
            lambda tx: identity.register(tx, VISITOR, password_hash=password_hash, **fields)
        )

    with pytest.raises(BadEmail):
        await registering(email="nope")
    with pytest.raises(InvalidInput):
        await registering(display_name="\n")
    with pytest.raises(InvalidInput):
        await registering(locale="??")


async def test_verifying_works_once(db, key):
    person = await make_person(db)
    token = await link_for(db, key, person.id, "verify")

    def verify():
        return db.transact(
            lambda tx: identity.verify_email(tx, VISITOR, token=token, secret_key=key)
        )

    assert await verify() == person.id
    async with db.read() as conn:
        assert (await queries.user(conn, user_id=person.id)).email_verified
    with pytest.raises(LinkInvalid):
        await verify()
    assert (await events_of(db, person.id)).count("identity.email_verified.v1") == 1


async def test_two_clicks_at_once_use_a_link_once(db, key):
    person = await make_person(db)
    token = await link_for(db, key, person.id, "verify")
    results = await asyncio.gather(
        *(
            db.transact(lambda tx: identity.verify_email(tx, VISITOR, token=token, secret_key=key))
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(r, LinkInvalid) for r in results) == [False, True, True, True]


async def test_an_expired_replaced_or_foreign_link_is_refused(db, clock, key):
    person = await make_person(db)
    old = await link_for(db, key, person.id, "verify")
    await db.transact(lambda tx: identity.resend_verification(tx, VISITOR, email=person.email))
    new = await link_for(db, key, person.id, "verify")
    assert new != old
    made_up = identity.link_token(uuid7(), key)
    for token in (old, made_up, "nonsense"):
        with pytest.raises(LinkInvalid):
            await db.transact(
                lambda tx, token=token: identity.verify_email(
                    tx, VISITOR, token=token, secret_key=key
                )
            )
    with pytest.raises(LinkInvalid):
        await db.transact(
            lambda tx: identity.confirm_email_change(tx, VISITOR, token=new, secret_key=key)
        )
    clock.advance(timedelta(hours=48))
    with pytest.raises(LinkInvalid):
        await db.transact(lambda tx: identity.verify_email(tx, VISITOR, token=new, secret_key=key))


async def test_mails_of_one_purpose_are_limited_per_hour(db, clock):
    person = await make_person(db)

    def ask():
        return db.transact(
            lambda tx: identity.request_password_reset(tx, VISITOR, email=person.email)
        )

    for _ in range(10):
        await ask()
    issued = (await events_of(db, person.id)).count("identity.email_token_issued.v1")
    assert issued == 1 + LINKS_PER_HOUR
    clock.advance(timedelta(hours=1, seconds=1))
    await ask()
    issued = (await events_of(db, person.id)).count("identity.email_token_issued.v1")
    assert issued == 2 + LINKS_PER_HOUR


async def test_asking_for_a_reset_of_an_unknown_address_says_nothing(db):
    unknown = new_email()
    assert (
        await db.transact(lambda tx: identity.request_password_reset(tx, VISITOR, email=unknown))
        is None
    )
    assert (
        await db.transact(lambda tx: identity.resend_verification(tx, VISITOR, email=unknown))
        is None
    )


async def test_a_reset_ends_every_session_and_link_and_verifies(db, settings, key):
    person = await make_person(db)
    await actor_of(db, person)
    verify = await link_for(db, key, person.id, "verify")
    await db.transact(lambda tx: identity.request_password_reset(tx, VISITOR, email=person.email))
    token = await link_for(db, key, person.id, "reset")
    whose = await identity.reset_password(db, settings, VISITOR, token=token, new=OTHER_PASSWORD)
    assert whose == person.id
    assert await session_count(db, person.id) == 0
    with pytest.raises(LinkInvalid):
        await db.transact(
            lambda tx: identity.verify_email(tx, VISITOR, token=verify, secret_key=key)
        )
    with pytest.raises(LogInFailed):
        await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    await identity.log_in(db, VISITOR, email=person.email, password=OTHER_PASSWORD)
    async with db.read() as conn:
        assert (await queries.user(conn, user_id=person.id)).email_verified
    with pytest.raises(LinkInvalid):
        await identity.reset_password(db, settings, VISITOR, token=token, new=PASSWORD)


async def test_a_weak_new_password_leaves_the_link_good(db, settings, key):
    person = await make_person(db)
    await db.transact(lambda tx: identity.request_password_reset(tx, VISITOR, email=person.email))
    token = await link_for(db, key, person.id, "reset")
    with pytest.raises(WeakPassword):
        await identity.reset_password(
            db, settings, VISITOR, token=token, new=person.email.split("@")[0]
        )
    await identity.reset_password(db, settings, VISITOR, token=token, new=OTHER_PASSWORD)
    with pytest.raises(LinkInvalid):
        await identity.reset_password(db, settings, VISITOR, token="x", new=OTHER_PASSWORD)


async def test_changing_the_password_keeps_only_this_session(db, settings):
    person = await make_person(db)
    await actor_of(db, person)
    actor = await actor_of(db, person)
    with pytest.raises(WrongPassword):
        await identity.change_password(db, settings, actor, current="wrong", new=OTHER_PASSWORD)
    with pytest.raises(WeakPassword):
        await identity.change_password(db, settings, actor, current=PASSWORD, new="password123")
    await identity.change_password(db, settings, actor, current=PASSWORD, new=OTHER_PASSWORD)
    async with db.read() as conn:
        [only] = await queries.sessions(conn, actor)
    assert only.id == actor.session_id
    assert only.current
    assert "identity.password_changed.v1" in await events_of(db, person.id)


async def test_repeating_the_password_is_counted_apart_from_log_ins(db):
    person = await make_person(db)
    actor = await actor_of(db, person)
    for _ in range(5):
        with pytest.raises(WrongPassword):
            await identity.confirm_password(db, actor, password="wrong")
    with pytest.raises(LockedOut):
        await identity.confirm_password(db, actor, password=PASSWORD)
    await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    with pytest.raises(NotSignedIn):
        await identity.confirm_password(db, VISITOR, password=PASSWORD)


async def change_requested(db, person, new):
    actor = await actor_of(db, person)
    await identity.change_email(db, actor, password=PASSWORD, new_email=new)
    return actor


async def test_an_address_changes_after_both_links(db, key):
    person, new = await make_person(db), new_email()
    actor = await change_requested(db, person, new)
    for purpose, done in (("change_email_new", False), ("change_email_old", True)):
        token = await link_for(db, key, person.id, purpose)
        changed = await db.transact(
            lambda tx, token=token: identity.confirm_email_change(
                tx, actor, token=token, secret_key=key
            )
        )
        assert changed is done
        async with db.read() as conn:
            email = (await identity.contacts(conn, [person.id]))[person.id].email
        assert email == (new if done else person.email)
    assert (await events_of(db, person.id))[-1] == "identity.email_changed.v1"


async def test_one_link_twice_is_not_both_links(db, key):
    person = await make_person(db)
    actor = await change_requested(db, person, new_email())
    token = await link_for(db, key, person.id, "change_email_new")

    def follow():
        return db.transact(
            lambda tx: identity.confirm_email_change(tx, actor, token=token, secret_key=key)
        )

    assert await follow() is False
    with pytest.raises(LinkInvalid):
        await follow()


async def test_links_of_two_changes_do_not_add_up(db, key):
    person = await make_person(db)
    actor = await change_requested(db, person, new_email())
    first = await link_for(db, key, person.id, "change_email_new")
    assert not await db.transact(
        lambda tx: identity.confirm_email_change(tx, actor, token=first, secret_key=key)
    )
    await change_requested(db, person, new_email())
    second = await link_for(db, key, person.id, "change_email_old")
    assert not await db.transact(
        lambda tx: identity.confirm_email_change(tx, actor, token=second, secret_key=key)
    )


async def test_changing_to_a_taken_address_is_told_only_at_the_end(db, key):
    person, other = await make_person(db), await make_person(db)
    actor = await change_requested(db, person, other.email)
    old = await link_for(db, key, person.id, "change_email_old")
    new = await link_for(db, key, person.id, "change_email_new")
    await db.transact(
        lambda tx: identity.confirm_email_change(tx, actor, token=old, secret_key=key)
    )
    with pytest.raises(EmailUnavailable):
        await db.transact(
            lambda tx: identity.confirm_email_change(tx, actor, token=new, secret_key=key)
        )


async def test_the_mail_goes_where_its_link_must_be_followed(db, clock):
    person, new = await make_person(db), new_email()
    await change_requested(db, person, new)
    async with db.read() as conn:
        for purpose, address in (
            ("verify", person.email),
            ("change_email_old", person.email),
            ("change_email_new", new),
        ):
            token_id = await newest_link(db, person.id, purpose)
            mail = await identity.link_mail(conn, token_id=token_id)
            assert (mail.email, mail.purpose) == (address, purpose)
        assert await identity.link_mail(conn, token_id=uuid7()) is None
        clock.advance(timedelta(hours=49))
        assert await identity.link_mail(conn, token_id=token_id) is None


async def test_profiles(db):
    person = await make_person(db)
    actor = await actor_of(db, person)
    await db.transact(lambda tx: identity.update_profile(tx, actor, display_name="  Ada  L. "))
    user = await db.transact(lambda tx: identity.update_profile(tx, actor, locale="de"))
    assert (user.display_name, user.locale) == ("Ada L.", "de")
    with pytest.raises(NotSignedIn):
        await db.transact(lambda tx: identity.update_profile(tx, GUEST, display_name="x"))


async def test_contacts_are_one_statement(db):
    people = [await make_person(db) for _ in range(3)]
    async with db.read() as conn, count_statements() as count:
        found = await identity.contacts(conn, [p.id for p in people] + [uuid7()])
    assert {p.id: p.email for p in people} == {k: c.email for k, c in found.items()}
    assert count.total == 1


async def test_staff_act_within_their_rights(db):
    person, admin = await make_person(db), await make_admin(db)
    support = replace(admin, permissions=frozenset({Permission.USERS_VIEW}), user_id=uuid7())
    for forbidden in (support, GUEST, await actor_of(db, person)):
        with pytest.raises(Forbidden):
            await db.transact(
                lambda tx, a=forbidden: identity.suspend_user(tx, a, user_id=person.id, reason="x")
            )
        with pytest.raises(Forbidden):
            await db.transact(
                lambda tx, a=forbidden: identity.reinstate_user(tx, a, user_id=person.id)
            )
        for act in (identity.grant_role, identity.revoke_role):
            with pytest.raises(NotGrantable):
                await db.transact(
                    lambda tx, a=forbidden, act=act: act(
                        tx, a, user_id=person.id, role=Role.SUPPORT
                    )
                )
    assert await session_count(db, person.id) == 1


async def test_nobody_acts_on_their_own_account_or_on_an_absent_one(db):
    admin = await make_admin(db)
    for user_id, refusal in ((admin.user_id, OwnAccount), (uuid7(), UserNotFound)):
        with pytest.raises(refusal):
            await db.transact(
                lambda tx, u=user_id: identity.suspend_user(tx, admin, user_id=u, reason="x")
            )
        with pytest.raises(refusal):
            await db.transact(
                lambda tx, u=user_id: identity.revoke_role(tx, admin, user_id=u, role=Role.ADMIN)
            )


async def test_managers_without_an_admins_rights_cannot_touch_an_admin(db):
    admin = await make_admin(db)
    manager = replace(admin, user_id=uuid7(), permissions=frozenset({Permission.USERS_MANAGE}))
    with pytest.raises(NotGrantable):
        await db.transact(
            lambda tx: identity.suspend_user(tx, manager, user_id=admin.user_id, reason="x")
        )


async def test_a_suspended_person_is_out_and_stays_out(db, settings):
    person, admin = await make_person(db), await make_admin(db)
    proof = await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    tokens, _ = await identity.issue_tokens(db, settings, VISITOR, proof=proof)
    with pytest.raises(InvalidInput):
        await db.transact(
            lambda tx: identity.suspend_user(tx, admin, user_id=person.id, reason=" ")
        )
    await db.transact(
        lambda tx: identity.suspend_user(tx, admin, user_id=person.id, reason="Fake goods.")
    )
    assert await session_count(db, person.id) == 0
    with pytest.raises(RefreshRefused):
        await identity.refresh(db, settings, VISITOR, refresh_token=tokens.refresh_token)
    again = await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    with pytest.raises(AccountSuspended):
        await db.transact(lambda tx: identity.open_session(tx, VISITOR, proof=again))
    with pytest.raises(LogInFailed):
        await identity.log_in(db, VISITOR, email=person.email, password="wrong")
    before = await events_of(db, person.id)
    await db.transact(lambda tx: identity.request_password_reset(tx, VISITOR, email=person.email))
    assert await events_of(db, person.id) == before
    with pytest.raises(IllegalTransition):
        await db.transact(
            lambda tx: identity.suspend_user(tx, admin, user_id=person.id, reason="x")
        )
    await db.transact(lambda tx: identity.reinstate_user(tx, admin, user_id=person.id))
    await actor_of(db, person)
    assert "identity.user_suspended" in await audit_of(db, person.id)


async def test_roles_come_and_go(db):
    person, admin = await make_person(db), await make_admin(db)
    for _ in range(2):
        user = await db.transact(
            lambda tx: identity.grant_role(tx, admin, user_id=person.id, role=Role.MODERATOR)
        )
    assert user.roles == {Role.CUSTOMER, Role.MODERATOR}
    async with db.read() as conn:
        assert person.id in await identity.staff(conn, role=Role.MODERATOR)
    await actor_of(db, person)
    for _ in range(2):
        user = await db.transact(
            lambda tx: identity.revoke_role(tx, admin, user_id=person.id, role=Role.MODERATOR)
        )
    assert user.roles == {Role.CUSTOMER}
    assert await session_count(db, person.id) == 0
    names = await events_of(db, person.id)
    assert names.count("identity.role_granted.v1") == names.count("identity.role_revoked.v1") == 1
    with pytest.raises(NotGrantable):
        await db.transact(
            lambda tx: identity.grant_role(tx, admin, user_id=person.id, role=Role.SELLER)
        )


async def test_memberships_make_sellers(db):
    person, seller_id = await make_person(db), uuid7()
    flow = system("approve_seller")

    def join(seller, role):
        return db.transact(
            lambda tx: identity.add_membership(
                tx, flow, user_id=person.id, seller_id=seller, role=role
            )
        )

    await join(seller_id, identity.MemberRole.OWNER)
    actor = await actor_of(db, person)
    assert actor.seller_id == seller_id
    assert actor.roles == {Role.CUSTOMER, Role.SELLER}
    await join(seller_id, identity.MemberRole.STAFF)
    assert Role.SELLER_STAFF in (await actor_of(db, person)).roles
    with pytest.raises(AlreadyMember):
        await join(uuid7(), identity.MemberRole.STAFF)
    async with db.read() as conn:
        assert await identity.members(conn, seller_id=seller_id) == [person.id]


async def test_the_command_line_makes_an_administrator(db):
    email = new_email()
    user = await db.transact(lambda tx: identity.create_admin(tx, email=email, password=PASSWORD))
    assert user.roles == {Role.CUSTOMER, Role.ADMIN}
    proof = await identity.log_in(db, VISITOR, email=email, password=PASSWORD)
    assert proof.user.email_verified
    with pytest.raises(EmailUnavailable):
        await db.transact(lambda tx: identity.create_admin(tx, email=email, password=PASSWORD))
    with pytest.raises(WeakPassword):
        await db.transact(lambda tx: identity.create_admin(tx, email=new_email(), password="admin"))
    async with db.read() as conn:
        assert await identity.user_id_of(conn, email=email.upper()) == user.id


async def test_operators_find_people(db):
    tag = uuid7().hex[-8:]
    made = [await make_person(db, name=f"{tag} 100%_{n}") for n in range(5)]
    async with db.read() as conn:
        first = await identity.users(conn, search=tag, limit=3)
        second = await identity.users(conn, search=tag, limit=3, cursor=first.next_cursor)
        by_mail = await identity.users(conn, search=made[0].email[:12])
        wild = await identity.users(conn, search="%")
        everyone = await identity.users(conn, limit=2)
        with pytest.raises(BadCursor):
            await identity.users(conn, cursor="WzFd")
    assert [v.id for v in first.items + second.items] == [p.id for p in reversed(made)]
    assert second.next_cursor is None
    assert made[0].id in {v.id for v in by_mail.items}
    assert wild.items == []
    assert len(everyone.items) == 2


async def test_old_rows_are_forgotten_and_fresh_ones_kept(db, services, clock):
    person = await make_person(db)
    await actor_of(db, person)
    clock.advance(timedelta(days=46))
    kept = await actor_of(db, person)
    await jobs.forget_old(services)
    async with db.read() as conn:
        ids = [
            row["id"]
            for row in await conn.fetch(
                "SELECT id FROM identity.session WHERE user_id = $1", person.id
            )
        ]
        links = await conn.fetchval(
            "SELECT count(*) FROM identity.email_token WHERE user_id = $1", person.id
        )
    assert ids == [kept.session_id]
    assert links == 0


async def test_secrets_are_stored_as_hashes_only(db, settings):
    person = await make_person(db)
    proof = await identity.log_in(db, VISITOR, email=person.email, password=PASSWORD)
    opened = await db.transact(lambda tx: identity.open_session(tx, VISITOR, proof=proof))
    async with db.read() as conn:
        stored = await conn.fetchval(
            "SELECT secret_hash FROM identity.session WHERE id = $1", opened.session_id
        )
        assert await store.password_hash_of(conn, person.id) != PASSWORD
    assert stored == fingerprint(opened.secret)


async def test_revoking_sessions(db):
    person, other = await make_person(db), await make_person(db)
    first, actor = await actor_of(db, person), await actor_of(db, person)
    foreign = await actor_of(db, other)
    for session_id in (foreign.session_id, uuid7()):
        with pytest.raises(SessionNotFound):
            await db.transact(
                lambda tx, s=session_id: identity.revoke_session(tx, actor, session_id=s)
            )
    await db.transact(lambda tx: identity.revoke_session(tx, actor, session_id=first.session_id))
    assert await session_count(db, person.id) == 1
    await actor_of(db, person)
    assert await db.transact(lambda tx: identity.revoke_others(tx, actor)) == 1
    await db.transact(lambda tx: identity.close_session(tx, actor))
    await db.transact(lambda tx: identity.close_session(tx, actor))
    assert await session_count(db, person.id) == 0
    assert await session_count(db, other.id) == 1
    assert (await audit_of(db, person.id)).count("identity.logged_out") == 1
