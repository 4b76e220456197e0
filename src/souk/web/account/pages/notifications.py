"""What a person should know: the notices, what is told when, and the links that end mails."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.notifications import api as notifications
from souk.contexts.notifications.api import Cadence, Choice, Topic
from souk.kernel.actor import Actor
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.locale import N_
from souk.web.page import Flash, Req, form_of, page, redirect, translate
from souk.web.ways import safe_path

_INBOX = "/account/notifications"
_AT_ONCE = 20
Cursor = Annotated[str | None, QueryParameter(max_length=1_024)]
Token = Annotated[str, QueryParameter(max_length=600)]
NAMES = {
    Topic.ORDER: (N_("Your orders"), N_("Downloads that are ready, answers to your requests.")),
    Topic.DELIVERY: (N_("Parcels"), N_("When something is on its way and when it has arrived.")),
    Topic.REVIEW: (N_("Reviews"), N_("Reviews that you may write, and answers to yours.")),
    Topic.SALE: (N_("Sales"), N_("Each order for your shop.")),
    Topic.STOCK: (N_("Low stock"), N_("When something of yours is running out.")),
    Topic.DECISION: (N_("Decisions"), N_("What we decided about your shop and your listings.")),
    Topic.NEWS: (N_("News"), N_("Your waiting cart and new things; only if you allowed it.")),
}
CADENCES = {
    Cadence.NOW: N_("At once"),
    Cadence.DAILY: N_("Once a day"),
    Cadence.WEEKLY: N_("Once a week"),
    Cadence.NEVER: N_("Never"),
}


@get(_INBOX, access=access.SIGNED_IN, include_in_schema=False)
async def inbox(request: Req, db: Database, actor: Actor, cursor: Cursor = None) -> Response[bytes]:
    """The notices, newest first."""
    assert actor.user_id is not None
    async with db.read() as conn:
        found = await notifications.notices(conn, actor.user_id, cursor=cursor, limit=_AT_ONCE)
    return await page(
        request,
        "account/notifications.html",
        notices=found.items,
        next_url=f"{_INBOX}?cursor={found.next_cursor}" if found.next_cursor else None,
        first=cursor is None,
        noindex=True,
    )


@post(f"{_INBOX}/read", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def read_all(db: Database, actor: Actor) -> Response[bytes]:
    """Note that the person saw all of them."""
    await db.transact(lambda tx: notifications.mark_all_read(tx, actor))
    return redirect(_INBOX)


@post(
    "/account/notifications/{notice_id:uuid}/open",
    access=access.SIGNED_IN,
    rate="write",
    include_in_schema=False,
)
async def open_notice(notice_id: FromPath[UUID], db: Database, actor: Actor) -> Response[bytes]:
    """Note that the person saw it, and go where it leads."""

    async def work(tx: WriteTx) -> str:
        assert actor.user_id is not None
        await notifications.mark_read(tx, actor, notice_id=notice_id)
        found = await notifications.notice(tx, actor.user_id, notice_id)
        return found.url if found else ""

    return redirect(safe_path(await db.transact(work) or _INBOX))


@get(f"{_INBOX}/settings", access=access.SIGNED_IN, include_in_schema=False)
async def settings_page(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """What is told by mail and inside, topic by topic."""
    assert actor.user_id is not None
    async with db.read() as conn:
        chosen = await notifications.choices(conn, actor.user_id)
    return await page(
        request,
        "account/notification_settings.html",
        rows=[_row(choice) for choice in _shown(actor, chosen)],
        noindex=True,
    )


def _shown(actor: Actor, chosen: list[Choice]) -> list[Choice]:
    """Matters of a shop are for those who have one."""
    sells = actor.seller_id is not None
    return [one for one in chosen if sells or one.topic not in notifications.OF_SELLERS]


def _row(choice: Choice) -> dict[str, Any]:
    gathered = choice.topic in notifications.GATHERED
    name, text = NAMES[choice.topic]
    return {
        "topic": choice.topic.value,
        "name": name,
        "text": text,
        "email": choice.email.value,
        "in_app": choice.in_app,
        "cadences": [
            (cadence.value, words)
            for cadence, words in CADENCES.items()
            if gathered or cadence in {Cadence.NOW, Cadence.NEVER}
        ],
    }


@post(f"{_INBOX}/settings", access=access.SIGNED_IN, rate="write", include_in_schema=False)
async def save_settings(
    request: Req, db: Database, actor: Actor, settings: Settings
) -> Response[bytes]:
    """Keep what was chosen for the topics that the form showed."""
    assert actor.user_id is not None
    form = await form_of(request)
    async with db.read() as conn:
        shown = _shown(actor, await notifications.choices(conn, actor.user_id))
    known = {cadence.value: cadence for cadence in Cadence}
    wanted = [
        Choice(
            one.topic,
            known.get(form.get(f"email-{one.topic}", ""), one.email),
            f"in_app-{one.topic}" in form,
        )
        for one in shown
    ]
    await db.transact(lambda tx: notifications.choose(tx, actor, wanted=wanted))
    flash = Flash("success", translate(request, "Your choice is kept."))
    return redirect(f"{_INBOX}/settings", flash=flash, settings=settings)


@get("/unsubscribe", access=access.PUBLIC, include_in_schema=False)
async def unsubscribe_page(request: Req, settings: Settings, token: Token = "") -> Response[bytes]:
    """Asks; looking at it changes nothing, because mail scanners open every link."""
    wish = notifications.read_link(token, settings.secret_key)
    return await _unsubscribe(request, wish, token, ended=None)


async def _unsubscribe(
    request: Req, wish: notifications.Wish, token: str, *, ended: list[Topic] | None
) -> Response[bytes]:
    known = {str(topic): names[0] for topic, names in NAMES.items()}
    return await page(
        request,
        "auth/unsubscribe.html",
        token=token,
        what=known.get(wish.topic),
        ended=ended is not None,
        topics=",".join(ended or []),
        noindex=True,
    )


@post("/unsubscribe", access=access.SIGNED, rate="write", include_in_schema=False)
async def unsubscribe(
    request: Req, db: Database, settings: Settings, token: Token = ""
) -> Response[bytes]:
    """Ends the mails that the signed link names, or takes that back.

    Mail programs post here by themselves (RFC 8058): the signature stands for the log-in.
    """
    form = await form_of(request)
    wish = notifications.read_link(token, settings.secret_key)
    if form.get("act") == "resume":
        known = {str(topic): topic for topic in Topic}
        topics = [known[name] for name in form.get("topics", "").split(",") if name in known]
        await db.transact(lambda tx: notifications.resume_mails(tx, wish, topics))
        text = translate(request, "You get these mails again.")
        return redirect("/", flash=Flash("success", text), settings=settings)
    ended = await db.transact(lambda tx: notifications.end_mails(tx, wish))
    return await _unsubscribe(request, wish, token, ended=ended)


routes: list[Any] = [
    inbox,
    read_all,
    open_notice,
    settings_page,
    save_settings,
    unsubscribe_page,
    unsubscribe,
]
