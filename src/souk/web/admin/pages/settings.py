"""Settings and feature flags: what operators change while the market runs."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from souk.contexts.identity import api as identity
from souk.contexts.sellers import api as sellers
from souk.kernel.actor import Actor, Permission, Role
from souk.kernel.errors import DomainError, NotFound
from souk.kernel.ids import parse_uuid
from souk.platform import options as operating
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.options import Flag, Kind, Mode, Option, Options, Rule
from souk.web.desk import back_to, problem_context, read_int, refusal, status_of
from souk.web.page import Req, form_of, page

_MAY = access.operator(Permission.SETTINGS_MANAGE)
_PATH = "/admin/settings"
_FLAGS = "/admin/flags"
_ROLES = (Role.CUSTOMER, Role.SELLER, Role.MODERATOR, Role.SUPPORT, Role.FINANCE, Role.ADMIN)


async def _people(db: Database, options: Options) -> dict[str, str]:
    """The names of those who changed something."""
    labels = {stored.changed_by for key in options.known if (stored := options.stored(key))}
    ids = {label: parse_uuid(label.removeprefix("user:")) for label in labels}
    async with db.read() as conn:
        known = await identity.contacts(conn, [each for each in ids.values() if each])
    return {
        label: known[user_id].name if user_id and user_id in known else label
        for label, user_id in ids.items()
    }


async def _settings(
    request: Req,
    db: Database,
    options: Options,
    *,
    key: str = "",
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    await options.load(db)
    specs = [spec for spec in options.known.values() if isinstance(spec, Option)]
    groups: dict[str, list[dict[str, Any]]] = {}
    for spec in specs:
        mine = spec.key == key and error is not None
        groups.setdefault(spec.group, []).append(
            {
                "spec": spec,
                "value": (form or {}).get("value", "") if mine else options[spec],
                "stored": options.stored(spec.key),
                "error": error.message if mine and error else None,
                "field": spec.key.replace(".", "-"),
            }
        )
    return await page(
        request,
        "admin/settings.html",
        status=status_of(error),
        option_groups=groups,
        people=await _people(db, options),
        **problem_context(error),
    )


@get(_PATH, access=_MAY, include_in_schema=False)
async def settings_page(request: Req, db: Database, options: Options) -> Response[bytes]:
    """Every setting, in groups."""
    return await _settings(request, db, options)


@post(_PATH + "/{key:str}", access=_MAY, rate="write", include_in_schema=False)
async def save_setting(
    request: Req, db: Database, actor: Actor, options: Options, key: FromPath[str]
) -> Response[bytes]:
    """Set one, or put it back to its default."""
    form = await form_of(request)
    spec = options.known.get(key)
    if not isinstance(spec, Option):
        raise NotFound("There is no such setting. Look at the list of settings.")
    value: object = form.get("value", "")
    if spec.kind is Kind.SWITCH:
        value = value == "1"

    async def work(tx: WriteTx) -> None:
        if form.get("act") == "reset":
            await operating.reset(tx, actor, known=options.known, key=key)
        else:
            await operating.change(tx, actor, known=options.known, key=key, value=value)

    try:
        await db.transact(work)
    except DomainError as error:
        return await _settings(request, db, options, key=key, form=form, error=error)
    await options.load(db)
    return back_to(request, _PATH, "Saved. It holds at once, everywhere.")


async def _flags(
    request: Req,
    db: Database,
    options: Options,
    *,
    key: str = "",
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    await options.load(db)
    flags = [spec for spec in options.known.values() if isinstance(spec, Flag)]
    rules = {flag.key: options.rule(flag) for flag in flags}
    async with db.read() as conn:
        shops = await sellers.cards(conn, [one for rule in rules.values() for one in rule.sellers])
    return await page(
        request,
        "admin/flags.html",
        status=status_of(error),
        flags=[
            {
                "spec": flag,
                "rule": rules[flag.key],
                "stored": options.stored(flag.key),
                "form": form if flag.key == key and error else None,
                "field": flag.key.replace(".", "-"),
            }
            for flag in flags
        ],
        failed=key if error else None,
        shops=shops,
        roles=_ROLES,
        modes=list(Mode),
        people=await _people(db, options),
        **problem_context(error),
    )


@get(_FLAGS, access=_MAY, include_in_schema=False)
async def flags_page(request: Req, db: Database, options: Options) -> Response[bytes]:
    """Every flag and for whom it is on."""
    return await _flags(request, db, options)


def _rule_of(form: dict[str, str]) -> Rule:
    if form.get("mode") not in set(Mode):
        raise refusal("mode", "Choose for whom it is on.")
    mode = Mode(form["mode"])
    percent = 0
    if mode is Mode.PERCENT:
        percent = read_int(form.get("percent", ""), path="percent", most=100)
    wanted = form.get("sellers", "").replace(",", " ").split() if mode is Mode.SELLERS else []
    shops = [parse_uuid(each) for each in wanted]
    if None in shops:
        raise refusal("sellers", "Write the ids of shops, parted by spaces.")
    return Rule(
        mode=mode,
        percent=percent,
        roles=tuple(role for role in _ROLES if form.get(f"role-{role}") == "1")
        if mode is Mode.ROLES
        else (),
        sellers=tuple(shop for shop in shops if shop is not None),
    )


@post(_FLAGS + "/{key:str}", access=_MAY, rate="write", include_in_schema=False)
async def save_flag(
    request: Req, db: Database, actor: Actor, options: Options, key: FromPath[str]
) -> Response[bytes]:
    """Say for whom it is on."""
    form = await form_of(request)
    if not isinstance(options.known.get(key), Flag):
        raise NotFound("There is no such flag. Look at the list of flags.")
    try:
        rule = _rule_of(form)
        await db.transact(
            lambda tx: operating.change(tx, actor, known=options.known, key=key, value=rule)
        )
    except DomainError as error:
        return await _flags(request, db, options, key=key, form=form, error=error)
    await options.load(db)
    return back_to(request, _FLAGS, "Saved. It holds at once, everywhere.")


routes: list[Any] = [settings_page, save_setting, flags_page, save_flag]
