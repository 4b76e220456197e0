"""Applications and shops: approve, reject, ask for more, suspend."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.identity import api as identity
from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision
from souk.flows.seller_approval.flow import decide as decide_on
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.platform.database import Database
from souk.platform.http import access
from souk.web.admin.frame import queues
from souk.web.desk import Ask, address, answer, ask
from souk.web.page import Req, page

_MAY = access.operator(Permission.SELLERS_REVIEW)
_LIST = "/admin/sellers"
_ONE = _LIST + "/{seller_id:uuid}"


@get(_LIST, access=_MAY, include_in_schema=False)
async def sellers_page(
    request: Req,
    db: Database,
    actor: Actor,
    chosen: Annotated[str, QueryParameter(name="state", max_length=20)] = "applied",
    cursor: Annotated[str | None, QueryParameter(max_length=1_024)] = None,
) -> Response[bytes]:
    """The queue of applications, and all shops by state; the longest wait first."""
    known = chosen in set(sellers.SellerState)
    async with db.read() as conn:
        found = await sellers.listed(conn, states=[chosen] if known else [], cursor=cursor)
        counts = await sellers.counts(conn)
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/sellers.html",
        rows=found.items,
        counts=counts,
        chosen=chosen if known else "",
        next_url=address(_LIST, state=chosen, cursor=found.next_cursor)
        if found.next_cursor
        else None,
        desk_counts=waiting,
    )


@get(_ONE, access=_MAY, include_in_schema=False)
async def seller_page(
    request: Req, db: Database, actor: Actor, seller_id: FromPath[UUID]
) -> Response[bytes]:
    """One shop with the history of its application."""
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
        people = await identity.contacts(conn, [shop.user_id])
        waiting = await queues(conn, actor)
    return await page(
        request,
        "admin/seller.html",
        shop=shop,
        owner=people.get(shop.user_id),
        desk_counts=waiting,
    )


_QUESTIONS: dict[str, dict[str, Any]] = {
    "approve": {
        "title": "Open this shop?",
        "text": "The seller can list and sell at once, and is told by e-mail.",
        "confirm": "Approve",
        "danger": False,
        "reason": "A word for the record, if you like",
        "done": "The shop is open and its owner was told.",
    },
    "reject": {
        "title": "Turn this application down?",
        "text": "The applicant reads your reason and may apply again.",
        "confirm": "Reject",
        "reason": "Why, in a sentence to the applicant",
        "done": "The application is rejected and the applicant was told why.",
    },
    "ask_more": {
        "title": "Ask the applicant",
        "text": "The application waits until the applicant has answered.",
        "confirm": "Send the question",
        "danger": False,
        "reason": "Your question",
        "done": "The question was sent.",
    },
    "suspend": {
        "title": "Suspend this shop?",
        "text": "Nobody can buy from it until it is approved again. The seller reads your reason.",
        "consequences": ["Its listings leave the market.", "Open orders go on as they are."],
        "confirm": "Suspend",
        "reason": "Why, in a sentence to the seller",
        "done": "The shop is suspended and its owner was told why.",
    },
}


def _question(seller_id: UUID, what: str) -> Ask:
    if what not in _QUESTIONS:
        raise NotFound("There is nothing at this address. Look at the list of sellers.")
    own = f"{_LIST}/{seller_id}"
    return Ask(**_QUESTIONS[what], action=f"{own}/{what}", back=own)


@get(_ONE + "/{what:str}", access=_MAY, include_in_schema=False)
async def question_page(
    request: Req, db: Database, seller_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Ask before it is decided."""
    question = _question(seller_id, what)
    async with db.read() as conn:
        await sellers.account(conn, seller_id=seller_id)
    return await ask(request, question)


@post(_ONE + "/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, seller_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Decide; the reason goes to the seller and the decision into the audit log."""
    question = _question(seller_id, what)
    return await answer(
        request,
        db,
        question,
        lambda tx, reason: decide_on(
            tx, actor, seller_id=seller_id, decision=Decision(what), reason=reason
        ),
    )


routes: list[Any] = [sellers_page, seller_page, question_page, decide]
