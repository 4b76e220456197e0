"""Acts on several rows of a list: asked about once, done one by one, each with its own outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from uuid import UUID

from litestar import Response

from souk.kernel.errors import DomainError, InvalidInput
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database, WriteTx
from souk.web.desk import Ask, ask, back_to, reason_of
from souk.web.page import Req, form_of, translate

MOST = 100


async def ids_of(request: Req) -> tuple[list[UUID], dict[str, str]]:
    """The ticked rows, each once, and the form. From the question page they come as one field."""
    posted = await request.form()
    form = await form_of(request)
    texts = [value for key, value in posted.multi_items() if key == "id" and isinstance(value, str)]
    found = [parse_uuid(text) for text in [*texts, *form.get("ids", "").split()]]
    return list(dict.fromkeys(each for each in found if each))[:MOST], form


async def many(
    request: Req,
    db: Database,
    question: Ask,
    form: dict[str, str],
    names: Mapping[UUID, str],
    one: Callable[[WriteTx, UUID, str], Awaitable[object]],
) -> Response[bytes]:
    """Ask; once confirmed, do each in a transaction of its own and tell which were refused.

    One that was decided meanwhile by somebody else does not stop the others.
    """
    if form.get("confirmed") != "1":
        return await ask(request, question)
    try:
        reason = reason_of(form, question)
    except InvalidInput as error:
        return await ask(request, question, form=form, error=error)
    refused: list[str] = []
    errors: dict[str, DomainError] = {}
    for row_id, name in names.items():
        try:
            await db.transact(partial(_do, one=one, row_id=row_id, reason=reason))
        except DomainError as error:
            errors[error.message] = error
            refused.append(f"{name}: {error.message}")
    if len(refused) == len(names) and len(errors) == 1:
        # Nothing was done, for one reason: most likely the answer can be mended.
        return await ask(request, question, form=form, error=errors.popitem()[1])
    if not refused:
        return back_to(request, question.back, question.done)
    text = translate(request, "%(done)s of %(all)s were done.") % {
        "done": len(names) - len(refused),
        "all": len(names),
    }
    return back_to(request, question.back, " ".join([text, *refused[:5]]), tone="warn")


async def _do(
    tx: WriteTx,
    *,
    one: Callable[[WriteTx, UUID, str], Awaitable[object]],
    row_id: UUID,
    reason: str,
) -> None:
    await one(tx, row_id, reason)
