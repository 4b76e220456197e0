"""Settings and flags: types, bounds, percentages, audit, and every process hearing of a change."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from souk.kernel.actor import Actor, Role
from souk.kernel.errors import InvalidInput, NotFound
from souk.kernel.ids import uuid7
from souk.platform import audit, options
from souk.platform.database import Database, count_statements
from souk.platform.options import Flag, Kind, Mode, Option, Options, Rule, Subject

DAYS: Option[int] = Option(
    key="test.days", group="Test", title="Days", help="How many.", kind=Kind.NUMBER, default=7,
    least=1, most=30,
)  # fmt: skip
NAME: Option[str] = Option(
    key="test.name", group="Test", title="Name", help="A name.", kind=Kind.TEXT, default="",
    most=10,
)  # fmt: skip
MAIL: Option[str] = Option(
    key="test.mail", group="Test", title="Mail", help="An address.", kind=Kind.EMAIL, default="",
)  # fmt: skip
TONE: Option[str] = Option(
    key="test.tone", group="Test", title="Tone", help="Which.", kind=Kind.CHOICE, default="a",
    choices=(("a", "A"), ("b", "B")),
)  # fmt: skip
SWITCH: Option[bool] = Option(
    key="test.switch", group="Test", title="Switch", help="On?", kind=Kind.SWITCH, default=False
)
PART = Flag(key="test.part", title="Part", help="A part.")
KNOWN = {each.key: each for each in (DAYS, NAME, MAIL, TONE, SWITCH, PART)}
ADMIN = Actor(kind="user", user_id=UUID(int=7))


@pytest.mark.parametrize(
    ("option", "given", "kept"),
    [(DAYS, "12", 12), (DAYS, 30, 30), (NAME, "  a   b ", "a b"),
     (MAIL, "a@b.example", "a@b.example"),
     (MAIL, "", ""), (TONE, "b", "b"), (SWITCH, True, True)],
)  # fmt: skip
def test_values_are_kept_in_their_type(option: Option[object], given: object, kept: object) -> None:
    assert option.check(given) == kept


@pytest.mark.parametrize(
    ("option", "given"),
    [(DAYS, "0"), (DAYS, 31), (DAYS, "seven"), (DAYS, True), (DAYS, "1.5"),
     (NAME, "x" * 11), (NAME, "\x00"),
     (NAME, 4), (MAIL, "nobody"), (MAIL, "a b@c.example"), (MAIL, "a@localhost"),
     (TONE, "c"), (SWITCH, "yes")],
)  # fmt: skip
def test_what_does_not_fit_is_refused(option: Option[object], given: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        option.check(given)
    assert refused.value.problems[0].path == "value"


def test_a_percentage_keeps_whom_it_has_and_grows_to_everybody() -> None:
    people = [Subject(id=str(uuid7())) for _ in range(2_000)]

    def chosen(percent: int, flag: Flag = PART) -> set[str]:
        rule = Rule(mode=Mode.PERCENT, percent=percent)
        return {one.id for one in people if options.allows(flag, rule, one)}

    assert chosen(0) == set() and len(chosen(100)) == len(people)
    assert chosen(10) < chosen(30) < chosen(80)
    assert 450 < len(chosen(30)) < 750
    # Two flags do not choose the same people.
    other = chosen(30, Flag(key="test.other", title="Other", help="Another."))
    assert len(other & chosen(30)) < 300
    assert not options.allows(PART, Rule(mode=Mode.PERCENT, percent=99), Subject())


def test_roles_and_sellers() -> None:
    staff = Subject(id="1", roles={Role.SUPPORT})
    shop = Subject(id="2", seller_id=UUID(int=9))
    roles = Rule(mode=Mode.ROLES, roles=(Role.SUPPORT, Role.ADMIN))
    sellers = Rule(mode=Mode.SELLERS, sellers=(UUID(int=9),))
    assert options.allows(PART, roles, staff) and not options.allows(PART, roles, shop)
    assert options.allows(PART, sellers, shop) and not options.allows(PART, sellers, staff)
    assert not options.allows(PART, Rule(mode=Mode.OFF), staff)
    assert options.allows(PART, Rule(), Subject())


async def test_a_change_is_stored_audited_and_read_without_a_statement(db: Database) -> None:
    kept = Options(KNOWN.values())
    await kept.load(db)
    assert kept[DAYS] == 7 and kept.rule(PART) == Rule()
    stamp = kept.stamp
    await db.transact(lambda tx: options.change(tx, ADMIN, known=KNOWN, key=DAYS.key, value="9"))
    off = Rule(mode=Mode.OFF)
    await db.transact(lambda tx: options.change(tx, ADMIN, known=KNOWN, key=PART.key, value=off))
    await kept.load(db)
    assert kept.stamp > stamp
    async with count_statements() as asked:
        assert kept[DAYS] == 9
        assert not kept.is_on(PART, Subject(id="1"))
    assert asked.total == 0
    async with db.read() as conn:
        assert await options.value_of(conn, DAYS) == 9
        assert not await options.is_on(conn, PART, Subject(id="1"))
        [row] = await audit.recent(conn, subject=f"setting:{DAYS.key}")
    assert row.detail == {"before": 7, "after": 9} and row.actor == ADMIN.label()
    # The same value again is no change; the default comes back by a reset.
    await db.transact(lambda tx: options.change(tx, ADMIN, known=KNOWN, key=DAYS.key, value=9))
    await db.transact(lambda tx: options.reset(tx, ADMIN, known=KNOWN, key=DAYS.key))
    await kept.load(db)
    assert kept[DAYS] == 7
    async with db.read() as conn:
        assert len(await audit.recent(conn, subject=f"setting:{DAYS.key}")) == 2


async def test_nothing_unknown_and_no_empty_choice_is_stored(db: Database) -> None:
    with pytest.raises(NotFound):
        await db.transact(
            lambda tx: options.change(tx, ADMIN, known=KNOWN, key="test.nothing", value=1)
        )
    for wrong in (
        Rule(mode=Mode.ROLES),
        Rule(mode=Mode.SELLERS),
        {"mode": "percent", "percent": 101},
    ):
        with pytest.raises(InvalidInput):
            await db.transact(
                lambda tx, w=wrong: options.change(tx, ADMIN, known=KNOWN, key=PART.key, value=w)
            )


async def test_bounds_that_became_narrower_bring_the_default_back(db: Database) -> None:
    await db.transact(lambda tx: options.change(tx, ADMIN, known=KNOWN, key=DAYS.key, value=30))
    kept = Options(KNOWN.values())
    await kept.load(db)
    narrow: Option[int] = Option(
        key=DAYS.key, group="Test", title="Days", help="", kind=Kind.NUMBER, default=5, most=10
    )
    assert kept[DAYS] == 30 and kept[narrow] == 5


async def test_every_process_hears_of_a_change(db: Database, db_url: str) -> None:
    mine, stop = Options(KNOWN.values()), asyncio.Event()
    following = asyncio.create_task(options.follow(mine, db, db_url, stop))
    try:
        await asyncio.sleep(0.3)
        await db.transact(
            lambda tx: options.change(tx, ADMIN, known=KNOWN, key=NAME.key, value="Bazaar")
        )
        for _ in range(100):
            if mine[NAME] == "Bazaar":
                break
            await asyncio.sleep(0.05)
        assert mine[NAME] == "Bazaar"
    finally:
        stop.set()
        await asyncio.wait_for(following, 5)


async def test_a_lost_connection_is_opened_again(db: Database, db_url: str) -> None:
    mine, stop = Options(KNOWN.values()), asyncio.Event()
    following = asyncio.create_task(options.follow(mine, db, db_url, stop))
    try:
        await asyncio.sleep(0.3)
        async with db.read() as conn:
            ended = await conn.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'souk options' AND datname = current_database()"
            )
        assert ended == 1
        await db.transact(
            lambda tx: options.change(tx, ADMIN, known=KNOWN, key=NAME.key, value="Again")
        )
        for _ in range(160):
            if mine[NAME] == "Again":
                break
            await asyncio.sleep(0.05)
        assert mine[NAME] == "Again"
    finally:
        stop.set()
        await asyncio.wait_for(following, 5)
