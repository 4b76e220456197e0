"""What operators change while the market runs: typed options and feature flags.

A room declares its own in an `options.py` as module-level constants, listed in `options`; the
composition root gathers them. A value is one row of `platform.option`; a key without a row has its
default. `Options` keeps every value in the process: reading one costs no statement. A change is
announced on a channel of the database, and every process reads the table again (`follow`).

Environment settings (`settings.py`) stay what they are: what a process needs to start, and secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

import asyncpg
import msgspec
import structlog

from souk.kernel.actor import Actor, Role
from souk.kernel.errors import FieldProblem, InvalidInput, NotFound
from souk.platform import audit
from souk.platform.database import Database, DatabaseUnavailable, ReadConn, WriteTx

log = structlog.get_logger()
T = TypeVar("T")
_CHANNEL = "souk_options"
_LOCK = 7_302
_RECONNECT_SECONDS = 2.0
_BROKEN = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Kind(StrEnum):
    """How an option is written in a form."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    NUMBER = "number"
    CHOICE = "choice"
    SWITCH = "switch"


class Mode(StrEnum):
    """Whom a flag is on for."""

    OFF = "off"
    ON = "on"
    PERCENT = "percent"
    ROLES = "roles"
    SELLERS = "sellers"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The state of a flag. `percent` counts subjects by a hash that never changes."""

    mode: Mode = Mode.ON
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    roles: Annotated[tuple[Role, ...], msgspec.Meta(max_length=10)] = ()
    sellers: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=200)] = ()


EVERYBODY = Rule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(Generic[T]):
    """A value that operators may change. `least` and `most` bound a number or a text's length.

    `unit` is written after a number. `choices` are (value, words).
    """

    key: str
    group: str
    title: str
    help: str
    kind: Kind
    default: T
    least: int = 0
    most: int = 200
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def check(self, value: object) -> T:
        """`value` as this option holds it. Raises InvalidInput with what to write instead."""
        match self.kind:
            case Kind.SWITCH:
                found = value if isinstance(value, bool) else None
                sentence = "Choose on or off."
            case Kind.NUMBER:
                found = _number(value)
                if found is not None and not self.least <= found <= self.most:
                    found = None
                sentence = f"Write a whole number from {self.least} to {self.most}."
            case Kind.CHOICE:
                found = value if value in dict(self.choices) else None
                sentence = "Choose one from the list."
            case Kind.TEXT | Kind.LONG_TEXT | Kind.EMAIL:
                found = _text(value, self.kind, self.least, self.most)
                sentence = (
                    "Write an address such as help@example.org."
                    if self.kind is Kind.EMAIL
                    else f"Write {self.least} to {self.most} characters."
                )
        if found is None:
            raise InvalidInput(sentence, problems=[FieldProblem("value", "invalid", sentence)])
        return cast("T", found)


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    return value if isinstance(value, int) else None


def _text(value: object, kind: Kind, least: int, most: int) -> str | None:
    if not isinstance(value, str) or "\x00" in value:
        return None
    text = value.strip() if kind is Kind.LONG_TEXT else " ".join(value.split())
    if kind is Kind.EMAIL and text:
        name, at, host = text.partition("@")
        if not (name and at and "." in host) or " " in text:
            return None
    return text if least <= len(text) <= most else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A part of the market that can be switched off, or on for some."""

    key: str
    title: str
    help: str
    default: Rule = EVERYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """For whom a flag is asked. `id` is what a percentage counts: a person or a guest's token."""

    id: str = ""
    roles: Collection[Role] = ()
    seller_id: UUID | None = None

    @classmethod
    def of(cls, actor: Actor, *, guest: bytes | None = None) -> Subject:
        """An actor; a guest is told apart by the fingerprint of the token."""
        own = str(actor.user_id) if actor.user_id else (guest.hex() if guest else "")
        return cls(id=own, roles=actor.roles, seller_id=actor.seller_id)


def bucket(key: str, subject: str) -> int:
    """From 0 to 99, for ever the same for a flag and a subject, and independent between flags."""
    return int.from_bytes(blake2b(f"{key}:{subject}".encode(), digest_size=8).digest()) % 100


def allows(flag: Flag, rule: Rule, subject: Subject) -> bool:
    """Whether the flag is on for the subject. Nobody without an id is part of a percentage."""
    match rule.mode:
        case Mode.ON:
            return True
        case Mode.OFF:
            return False
        case Mode.PERCENT:
            return bool(subject.id) and bucket(flag.key, subject.id) < rule.percent
        case Mode.ROLES:
            return bool(set(rule.roles) & set(subject.roles))
        case Mode.SELLERS:
            return subject.seller_id in rule.sellers


class Stored(msgspec.Struct, frozen=True):
    """A value that was set, by whom and when."""

    value: Any
    changed_by: str
    changed_at: datetime


class Options:
    """Every option's value in this process. `stamp` grows with each change that was read."""

    def __init__(self, known: Iterable[Option[Any] | Flag] = ()) -> None:
        self.known: dict[str, Option[Any] | Flag] = {each.key: each for each in known}
        self._stored: dict[str, Stored] = {}
        self.stamp = 0

    def declare(self, known: Iterable[Option[Any] | Flag]) -> None:
        """Say which there are; only these can be changed."""
        self.known = {each.key: each for each in known}

    def __getitem__(self, option: Option[T]) -> T:
        return _value(option, self._stored.get(option.key))

    def rule(self, flag: Flag) -> Rule:
        """The state of a flag."""
        return _rule(flag, self._stored.get(flag.key))

    def is_on(self, flag: Flag, subject: Subject) -> bool:
        """Whether the flag is on for the subject, by what this process knows."""
        return allows(flag, self.rule(flag), subject)

    def stored(self, key: str) -> Stored | None:
        """What was set, None while the default holds."""
        return self._stored.get(key)

    async def load(self, db: Database) -> None:
        """Read all values again."""
        async with db.read() as conn:
            found = await read_all(conn)
        if found != self._stored:
            self._stored = found
            self.stamp += 1


def _value(option: Option[T], stored: Stored | None) -> T:
    if stored is None:
        return option.default
    try:
        return option.check(stored.value)
    except InvalidInput:
        # The program's bounds have become narrower since the value was written.
        log.warning("option_out_of_bounds", key=option.key)
        return option.default


def _rule(flag: Flag, stored: Stored | None) -> Rule:
    return flag.default if stored is None else msgspec.convert(stored.value, Rule)


_COLUMNS = "SELECT key, value, changed_by, changed_at FROM platform.option"


async def read_all(conn: ReadConn) -> dict[str, Stored]:
    """Every value that was set, by key."""
    rows = await conn.fetch(_COLUMNS)
    return {row["key"]: Stored(row["value"], row["changed_by"], row["changed_at"]) for row in rows}


async def _stored(conn: ReadConn, key: str) -> Stored | None:
    row = await conn.fetchrow(f"{_COLUMNS} WHERE key = $1", key)
    return Stored(row["value"], row["changed_by"], row["changed_at"]) if row else None


async def value_of(conn: ReadConn, option: Option[T]) -> T:
    """The value in the database at this moment, for commands; one statement."""
    return _value(option, await _stored(conn, option.key))


async def is_on(conn: ReadConn, flag: Flag, subject: Subject) -> bool:
    """Whether the flag is on in the database at this moment, for commands; one statement."""
    return allows(flag, _rule(flag, await _stored(conn, flag.key)), subject)


async def change(
    tx: WriteTx, actor: Actor, *, known: Mapping[str, Option[Any] | Flag], key: str, value: object
) -> None:
    """Set an option or a flag, audited with what it was; every process hears of it at the commit.

    Raises NotFound for a key that nobody declares, InvalidInput for a value that does not fit.
    """
    spec = known.get(key)
    if spec is None:
        raise NotFound("There is no such setting. Look at the list of settings.")
    await _alone(tx)
    if isinstance(spec, Flag):
        before: object = msgspec.to_builtins(_rule(spec, await _stored(tx, key)))
        after: object = msgspec.to_builtins(_checked_rule(value))
    else:
        before, after = _value(spec, await _stored(tx, key)), spec.check(value)
    if before == after:
        return
    await tx.execute(
        "INSERT INTO platform.option (key, value, changed_by, changed_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value,"
        " changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        key,
        after,
        actor.label(),
        tx.clock.now(),
    )
    await _told(tx, actor, key, before=before, after=after)


async def reset(
    tx: WriteTx, actor: Actor, *, known: Mapping[str, Option[Any] | Flag], key: str
) -> None:
    """Back to the default, audited. Raises NotFound for a key that nobody declares."""
    spec = known.get(key)
    if spec is None:
        raise NotFound("There is no such setting. Look at the list of settings.")
    await _alone(tx)
    stored = await _stored(tx, key)
    if stored is None:
        return
    await tx.execute("DELETE FROM platform.option WHERE key = $1", key)
    await _told(tx, actor, key, before=stored.value, after=msgspec.to_builtins(spec.default))


async def _alone(tx: WriteTx) -> None:
    """One change at a time: the audit log says what each really replaced."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def _told(tx: WriteTx, actor: Actor, key: str, *, before: object, after: object) -> None:
    await audit.record(tx, actor, "settings.changed", f"setting:{key}", before=before, after=after)
    await tx.execute("SELECT pg_notify($1, $2)", _CHANNEL, key)


def _checked_rule(value: object) -> Rule:
    try:
        rule = value if isinstance(value, Rule) else msgspec.convert(value, Rule)
    except msgspec.ValidationError as error:
        message = "Choose off, on, a percentage from 0 to 100, roles, or sellers by their ids."
        raise InvalidInput(message, problems=[FieldProblem("mode", "invalid", message)]) from error
    empty = {Mode.ROLES: not rule.roles, Mode.SELLERS: not rule.sellers}.get(rule.mode, False)
    if empty:
        message = "Name at least one, or switch it off."
        raise InvalidInput(message, problems=[FieldProblem(rule.mode, "required", message)])
    return rule


async def follow(options: Options, db: Database, url: str, stop: asyncio.Event) -> None:
    """Read the values again whenever a process announces a change, until `stop` is set.

    A connection that breaks is opened again, and whatever was missed meanwhile is read at once.
    """
    heard = asyncio.Event()
    while not stop.is_set():
        try:
            await _listen(options, db, url, stop, heard)
        except (*_BROKEN, DatabaseUnavailable) as error:
            log.warning("options_not_followed", error=repr(error))
            await _either(stop, asyncio.Event(), seconds=_RECONNECT_SECONDS)


async def _listen(
    options: Options, db: Database, url: str, stop: asyncio.Event, heard: asyncio.Event
) -> None:
    def on_change(*_: object) -> None:
        heard.set()

    raw = await asyncpg.connect(url, server_settings={"application_name": "souk options"})
    try:
        raw.add_termination_listener(on_change)
        await raw.add_listener(_CHANNEL, on_change)
        while not stop.is_set() and not raw.is_closed():
            heard.clear()
            await options.load(db)
            await _either(stop, heard)
    finally:
        raw.terminate()


async def _either(*events: asyncio.Event, seconds: float | None = None) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()


MARKETPLACE_NAME: Option[str] = Option(
    key="house.name",
    group="The house",
    title="Name of the marketplace",
    help="Stands on every page and in every mail. Empty: the name of the installation.",
    kind=Kind.TEXT,
    default="",
    most=60,
)
SUPPORT_EMAIL: Option[str] = Option(
    key="house.support_email",
    group="The house",
    title="E-mail address for help",
    help="Shown on the help page and below every page. Empty: none is shown.",
    kind=Kind.EMAIL,
    default="",
    most=254,
)
options: list[Option[Any] | Flag] = [MARKETPLACE_NAME, SUPPORT_EMAIL]
