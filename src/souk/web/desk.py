"""What both desks need: values of forms, acts asked about first, refusals shown in place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response

from souk.contexts.catalog import api as catalog
from souk.kernel.actor import Actor
from souk.kernel.errors import DomainError, ErrorKind, FieldProblem, InvalidInput
from souk.kernel.ids import parse_uuid
from souk.kernel.money import Money
from souk.platform.database import Database, WriteTx
from souk.platform.http.problems import STATUS
from souk.web.forms import summary
from souk.web.page import Flash, Req, field_errors, form_of, page, pages_of, redirect, translate

_HIDE = {ErrorKind.NOT_FOUND, ErrorKind.FORBIDDEN, ErrorKind.UNAUTHENTICATED}
Work = Callable[[WriteTx], Awaitable[Any]]


def seller_of(actor: Actor) -> UUID:
    """The seller account of a route that only sellers reach."""
    assert actor.seller_id is not None
    return actor.seller_id


def address(path: str, **query: object) -> str:
    """`path` with the parts of `query` that say something."""
    said = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(said)}" if said else path


def refusal(path: str, message: str, code: str = "invalid") -> InvalidInput:
    """A refusal of one field of a form."""
    return InvalidInput(message, problems=[FieldProblem(path, code, message)])


def read_money(text: str, *, currency: str, path: str) -> int:
    """Minor units of an amount as people type it, with a point or a comma. Raises InvalidInput."""
    plain = text.strip().replace(" ", "").replace("\u00a0", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        return Money.parse(plain, currency).amount
    except ValueError as error:
        raise refusal(path, "Write an amount such as 12.50.") from error


def read_int(text: str, *, path: str, least: int = 0, most: int = 10_000_000) -> int:
    """A whole number within bounds. Raises InvalidInput."""
    try:
        value = int(text.strip())
    except ValueError as error:
        raise refusal(path, "Write a whole number.") from error
    if not least <= value <= most:
        raise refusal(path, f"Write a number from {least} to {most}.")
    return value


def read_uuid(text: str, *, path: str) -> UUID | None:
    """The id of a choice, None for none. Raises InvalidInput."""
    if not text:
        return None
    found = parse_uuid(text)
    if found is None:
        raise refusal(path, "Choose one from the list.")
    return found


def read_date(text: str, *, path: str, end: bool = False) -> datetime | None:
    """The beginning of a day in UTC, or its end; None for an empty field. Raises InvalidInput."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise refusal(path, "Choose a date.") from error
    return datetime.combine(day, time.max if end else time.min, tzinfo=UTC)


def decimal_text(amount: int | None, currency: str) -> str:
    """Minor units as the text of a money field."""
    return "" if amount is None else str(Money(amount, currency).decimal())


def problem_context(error: DomainError | None) -> dict[str, Any]:
    """`errors` and `problems` for a form that is shown again."""
    errors = field_errors(error) if error else {}
    return {"errors": errors, "problems": summary(errors)}


def status_of(error: DomainError | None) -> int:
    """The status of a form that is shown again. Raises what must not be shown in a form."""
    if error is None:
        return 200
    if error.kind in _HIDE:
        raise error
    return STATUS[error.kind]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """An act that is asked about first: what will happen, and where each answer leads.

    `reason` is the label of a text that the other side will read, None without one; `reasons` are
    sentences to choose from. `fields` are sent along, `subjects` named. `template` draws it.
    """

    title: str
    text: str
    confirm: str
    action: str
    back: str
    done: str
    consequences: list[str] = field(default_factory=list[str])
    reason: str | None = None
    danger: bool = True
    template: str = "sell/ask.html"
    reasons: list[str] = field(default_factory=list[str])
    fields: dict[str, str] = field(default_factory=dict[str, str])
    subjects: list[str] = field(default_factory=list[str])


async def ask(
    request: Req,
    question: Ask,
    *,
    form: Mapping[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    """The question as a page; with `error`, what was wrong with the answer."""
    return await page(
        request,
        question.template,
        status=status_of(error),
        ask=question,
        form=form or {},
        **problem_context(error),
    )


def sentence_of(form: Mapping[str, str], ready: Collection[str]) -> str:
    """The ready sentence that was chosen, and what was written beside it."""
    chosen = form.get("reason_template", "")
    # Only a sentence of ours is taken for one.
    said = (chosen if chosen in ready else "", form.get("reason", ""))
    return " ".join(part for part in said if part)


def reason_of(form: Mapping[str, str], question: Ask) -> str:
    """The reason given with an act. Raises InvalidInput when it is too long to keep."""
    reason = sentence_of(form, question.reasons)
    if len(reason) > 2_000 or "\x00" in reason:
        raise refusal("reason", "Shorten this to 2,000 characters.")
    return reason


async def answer(
    request: Req, db: Database, question: Ask, work: Callable[[WriteTx, str], Awaitable[Any]]
) -> Response[bytes]:
    """Do what was asked about, with the reason that was given; ask again when it is refused."""
    form = await form_of(request)
    try:
        reason = reason_of(form, question)
        await db.transact(lambda tx: work(tx, reason))
    except DomainError as error:
        return await ask(request, question, form=form, error=error)
    return back_to(request, question.back, question.done)


def back_to(request: Req, to: str, text: str, *, tone: str = "success") -> Response[bytes]:
    """See-other with a sentence."""
    flash = Flash(tone, translate(request, text))
    return redirect(to, flash=flash, settings=pages_of(request).settings)


async def act(request: Req, db: Database, work: Work, *, to: str, done: str) -> Response[bytes]:
    """A single act of a button: done, or why not, on the page where it was pressed."""
    try:
        await db.transact(work)
    except DomainError as error:
        if error.kind in _HIDE:
            raise
        words = [error.message]
        if isinstance(error, InvalidInput):
            words += [problem.message for problem in error.problems]
        return back_to(request, to, " ".join(dict.fromkeys(words)), tone="error")
    return back_to(request, to, done)


def category_choices(tree: catalog.Tree) -> list[tuple[str, str]]:
    """Every category with its path, in the order of the tree."""
    found: list[tuple[str, str]] = []
    for root in tree.roots:
        for category in tree.subtree(root.id):
            names = [each.name for each in tree.ancestors(category.id)]
            found.append((str(category.id), " › ".join(names)))
    return sorted(found, key=lambda choice: choice[1].casefold())
