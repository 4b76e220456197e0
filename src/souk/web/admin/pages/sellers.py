"""Applications and shops: look at them, approve, reject, ask for more, suspend."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from souk.contexts.identity import api as identity
from souk.contexts.ledger import api as ledger
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.flows.seller_approval.flow import Decision
from souk.flows.seller_approval.flow import decide as decide_on
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import NotFound
from souk.kernel.page import Page
from souk.platform import audit
from souk.platform.database import Database, WriteTx
from souk.platform.http import access, csv
from souk.platform.http.wire import clean_text
from souk.web.admin.bulk import ids_of, many
from souk.web.admin.frame import people_of
from souk.web.admin.lists import Cursor, Short, Word, frame_of, plain_time
from souk.web.desk import Ask, act, answer, ask, back_to, refusal
from souk.web.page import Req, form_of, page

_MAY = access.operator(Permission.SELLERS_REVIEW)
_LIST = "/admin/sellers"
_ONE = _LIST + "/{seller_id:uuid}"
_State = Annotated[str, QueryParameter(name="state", max_length=20)]


def _wanted(q: str, chosen: str, tier: str) -> sellers.desk.SellerFilter:
    return sellers.desk.SellerFilter(
        search=clean_text(q, path="q"),
        states=[chosen] if chosen in set(sellers.SellerState) else [],
        tier=tier if tier in set(sellers.Tier) else "",
    )


@get(_LIST, access=_MAY, include_in_schema=False)
async def sellers_page(
    request: Req,
    db: Database,
    chosen: _State = "applied",
    q: Word = "",
    tier: Short = "",
    sort: Short = "applied_at",
    cursor: Cursor = None,
) -> Response[bytes]:
    """The queue of applications, and all shops by state; the longest wait first."""
    known = chosen in set(sellers.SellerState)
    async with db.read() as conn:
        found = await sellers.desk.listed(conn, _wanted(q, chosen, tier), sort=sort, cursor=cursor)
        counts = await sellers.counts(conn)
    return await page(
        request,
        "admin/sellers.html",
        rows=found.items,
        counts=counts,
        chosen=chosen if known else "",
        **frame_of(
            _LIST,
            {"state": chosen, "q": q, "tier": tier},
            sort=sort,
            next_cursor=found.next_cursor,
        ),
    )


@get(f"{_LIST}.csv", access=_MAY, include_in_schema=False)
async def sellers_csv(
    db: Database, chosen: _State = "", q: Word = "", tier: Short = "", sort: Short = "applied_at"
) -> Stream:
    """The same list as a table, as long as it is."""
    wanted = _wanted(q, chosen, tier)

    async def load(cursor: str | None) -> Page[sellers.SellerRow]:
        async with db.read() as conn:
            return await sellers.desk.listed(
                conn, wanted, sort=sort, cursor=cursor, limit=csv.BATCH
            )

    columns = ["shop", "name", "address", "kind", "country", "state", "tier", "applied_utc"]

    def cells(row: sellers.SellerRow) -> list[object]:
        return [
            row.id, row.name, f"/s/{row.slug}", row.kind, row.country, row.state, row.tier,
            plain_time(row.applied_at),
        ]  # fmt: skip

    return csv.table("sellers", columns, csv.batches(load), cells)


@get(_ONE, access=_MAY, include_in_schema=False)
async def seller_page(
    request: Req, db: Database, actor: Actor, seller_id: FromPath[UUID]
) -> Response[bytes]:
    """One shop with the history of its application, its neighbours in the queue, its money."""
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
        owners = await identity.contacts(conn, [shop.user_id])
        stock = await listings.state_counts(conn, seller_id)
        money = await ledger.balances(conn, seller_id) if actor.may(Permission.MONEY_VIEW) else []
        log: list[audit.AuditRow] = []
        if actor.may(Permission.AUDIT_VIEW):
            log = await audit.recent(conn, subject=f"seller:{seller_id}", limit=30)
        labels = [step.actor for step in shop.steps] + [row.actor for row in log]
        people = await people_of(conn, labels)
        before, after = await sellers.desk.next_waiting(conn, seller_id)
    return await page(
        request,
        "admin/seller.html",
        shop=shop,
        owner=owners.get(shop.user_id),
        stock=stock,
        balances=money,
        log=log,
        people=people,
        tiers=list(sellers.Tier),
        before=f"{_LIST}/{before}" if before else None,
        after=f"{_LIST}/{after}" if after else None,
    )


_QUESTIONS: dict[str, dict[str, Any]] = {
    "approve": {
        "title": "Open this shop?",
        "text": "The seller can list and sell at once, and is told by e-mail.",
        "confirm": "Approve",
        "danger": False,
        "reason": "A word for the record, if you like",
        "reasons": ["All details were checked.", "Known from another market."],
        "done": "The shop is open and its owner was told.",
    },
    "reject": {
        "title": "Turn this application down?",
        "text": "The applicant reads your reason and may apply again.",
        "confirm": "Reject",
        "reason": "Why, in a sentence to the applicant",
        "reasons": [
            "What you want to sell does not fit this market.",
            "The details of your business could not be confirmed.",
            "We do not take shops from this country yet.",
        ],
        "done": "The application is rejected and the applicant was told why.",
    },
    "ask_more": {
        "title": "Ask the applicant",
        "text": "The application waits until the applicant has answered.",
        "confirm": "Send the question",
        "danger": False,
        "reason": "Your question",
        "reasons": [
            "What exactly do you want to sell, and where does it come from?",
            "Please tell us the full name and address of your business.",
        ],
        "done": "The question was sent.",
    },
    "suspend": {
        "title": "Suspend this shop?",
        "text": "Nobody can buy from it until it is approved again. The seller reads your reason.",
        "consequences": ["Its listings leave the market.", "Open orders go on as they are."],
        "confirm": "Suspend",
        "reason": "Why, in a sentence to the seller",
        "reasons": [
            "Several orders were not sent in time.",
            "Listings break the content guidelines.",
        ],
        "done": "The shop is suspended and its owner was told why.",
    },
}


def _question(seller_id: UUID, what: str, *, back: str = "", name: str = "") -> Ask:
    if what not in _QUESTIONS:
        raise NotFound("There is nothing at this address. Look at the list of sellers.")
    own = f"{_LIST}/{seller_id}"
    return Ask(
        **_QUESTIONS[what],
        action=f"{own}/{what}",
        back=back or own,
        subjects=[name] if name else [],
        template="admin/ask.html",
    )


@get(_ONE + "/{what:str}", access=_MAY, include_in_schema=False)
async def question_page(
    request: Req, db: Database, seller_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Ask before it is decided."""
    _question(seller_id, what)
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
    return await ask(request, _question(seller_id, what, name=shop.name))


@post(_ONE + "/{what:str}", access=_MAY, rate="write", include_in_schema=False)
async def decide(
    request: Req, db: Database, actor: Actor, seller_id: FromPath[UUID], what: FromPath[str]
) -> Response[bytes]:
    """Decide; the reason goes to the seller and the decision into the audit log. On to the next."""
    _question(seller_id, what)
    async with db.read() as conn:
        shop = await sellers.account(conn, seller_id=seller_id)
        _, after = await sellers.desk.next_waiting(conn, seller_id)
    onward = after if shop.state == sellers.SellerState.APPLIED else None
    question = _question(seller_id, what, back=f"{_LIST}/{onward or seller_id}", name=shop.name)
    return await answer(
        request,
        db,
        question,
        lambda tx, reason: decide_on(
            tx, actor, seller_id=seller_id, decision=Decision(what), reason=reason
        ),
    )


@post(_ONE + "/tier", access=_MAY, rate="write", include_in_schema=False)
async def change_tier(
    request: Req, db: Database, actor: Actor, seller_id: FromPath[UUID]
) -> Response[bytes]:
    """Standard or premium."""
    form = await form_of(request)

    async def work(tx: WriteTx) -> None:
        if form.get("tier") not in set(sellers.Tier):
            raise refusal("tier", "Choose one of the tiers.")
        await sellers.set_tier(tx, actor, seller_id=seller_id, tier=sellers.Tier(form["tier"]))

    return await act(request, db, work, to=f"{_LIST}/{seller_id}", done="The tier is changed.")


@post(f"{_LIST}/bulk", access=_MAY, rate="write", include_in_schema=False)
async def bulk(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Approve several applications: ask first, naming each, then do what can be done."""
    ids, form = await ids_of(request)
    if not ids:
        return back_to(request, _LIST, "Tick at least one row first.", tone="warn")
    async with db.read() as conn:
        shops = await sellers.cards(conn, ids)
    question = Ask(
        title="Open these shops?",
        text="They can list and sell at once, and each owner is told by e-mail.",
        confirm="Approve all",
        action=f"{_LIST}/bulk",
        back=_LIST,
        done="The shops are open and their owners were told.",
        danger=False,
        reason="A word for the record, if you like",
        reasons=["All details were checked."],
        fields={"ids": " ".join(str(each) for each in ids), "confirmed": "1"},
        subjects=[shops[each].name for each in ids if each in shops],
        template="admin/ask.html",
    )

    async def one(tx: WriteTx, seller_id: UUID, reason: str) -> None:
        await decide_on(tx, actor, seller_id=seller_id, decision=Decision.APPROVE, reason=reason)

    names = {each: shops[each].name for each in ids if each in shops}
    return await many(request, db, question, form, names, one)


routes: list[Any] = [
    sellers_page, sellers_csv, seller_page, change_tier, bulk, question_page, decide,
]  # fmt: skip
