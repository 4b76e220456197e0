"""`/api/v1/admin/settings` and `/api/v1/admin/flags`: what operators change at run time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import delete, get, put

from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.platform import options as operating
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.options import Flag, Option, Options, Rule

_MAY = access.operator(Permission.SETTINGS_MANAGE)


class SettingView(msgspec.Struct, frozen=True):
    """A setting; `changed_by` is null while the default holds. `choices` are its allowed values."""

    key: str
    title: str
    help: str
    kind: str
    value: Any
    default: Any
    choices: list[str]
    changed_by: str | None
    changed_at: datetime | None


class FlagView(msgspec.Struct, frozen=True):
    """A feature flag and for whom it is on."""

    key: str
    title: str
    help: str
    rule: Rule
    default: Rule
    changed_by: str | None
    changed_at: datetime | None


class ChangeSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new value: a text, a whole number or a truth value, by the setting's kind."""

    value: str | int | bool


def _setting(options: Options, spec: Option[Any]) -> SettingView:
    stored = options.stored(spec.key)
    return SettingView(
        spec.key,
        spec.title,
        spec.help,
        spec.kind,
        options[spec],
        spec.default,
        [value for value, _ in spec.choices],
        stored.changed_by if stored else None,
        stored.changed_at if stored else None,
    )


def _flag(options: Options, spec: Flag) -> FlagView:
    stored = options.stored(spec.key)
    return FlagView(
        spec.key,
        spec.title,
        spec.help,
        options.rule(spec),
        spec.default,
        stored.changed_by if stored else None,
        stored.changed_at if stored else None,
    )


def _known_setting(options: Options, key: str) -> Option[Any]:
    spec = options.known.get(key)
    if not isinstance(spec, Option):
        raise NotFound("There is no such setting. Look at the list of settings.")
    return spec


def _known_flag(options: Options, key: str) -> Flag:
    spec = options.known.get(key)
    if not isinstance(spec, Flag):
        raise NotFound("There is no such flag. Look at the list of flags.")
    return spec


@get("/api/v1/admin/settings", access=_MAY)
async def list_settings(db: Database, options: Options) -> list[SettingView]:
    """Every setting with its value."""
    await options.load(db)
    return [_setting(options, spec) for spec in options.known.values() if isinstance(spec, Option)]


@put("/api/v1/admin/settings/{key:str}", access=_MAY, rate="write")
async def change_setting(
    data: ChangeSetting, db: Database, actor: Actor, options: Options, key: str
) -> SettingView:
    """Set one; every process has it at once."""
    spec = _known_setting(options, key)
    await db.transact(
        lambda tx: operating.change(tx, actor, known=options.known, key=key, value=data.value)
    )
    await options.load(db)
    return _setting(options, spec)


@delete("/api/v1/admin/settings/{key:str}", access=_MAY, rate="write", status_code=200)
async def reset_setting(db: Database, actor: Actor, options: Options, key: str) -> SettingView:
    """Back to the default."""
    spec = _known_setting(options, key)
    await db.transact(lambda tx: operating.reset(tx, actor, known=options.known, key=key))
    await options.load(db)
    return _setting(options, spec)


@get("/api/v1/admin/flags", access=_MAY)
async def list_flags(db: Database, options: Options) -> list[FlagView]:
    """Every feature flag."""
    await options.load(db)
    return [_flag(options, spec) for spec in options.known.values() if isinstance(spec, Flag)]


@put("/api/v1/admin/flags/{key:str}", access=_MAY, rate="write")
async def change_flag(
    data: Rule, db: Database, actor: Actor, options: Options, key: str
) -> FlagView:
    """Say for whom it is on."""
    spec = _known_flag(options, key)
    await db.transact(
        lambda tx: operating.change(tx, actor, known=options.known, key=key, value=data)
    )
    await options.load(db)
    return _flag(options, spec)


routes: list[Any] = [list_settings, change_setting, reset_setting, list_flags, change_flag]
