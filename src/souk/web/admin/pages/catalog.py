"""Categories and their attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from souk.contexts.catalog import api as catalog
from souk.kernel.actor import Actor, Permission
from souk.kernel.errors import DomainError, NotFound
from souk.kernel.ids import parse_uuid
from souk.platform.database import Database, WriteTx
from souk.platform.http import access
from souk.platform.http.wire import clean_text
from souk.web.desk import (
    Ask,
    act,
    answer,
    ask,
    back_to,
    category_choices,
    problem_context,
    read_uuid,
    refusal,
    status_of,
)
from souk.web.page import Req, form_of, page

_MAY = access.operator(Permission.CATALOG_MANAGE)
_ROOT = "/admin/catalog"
_ONE = _ROOT + "/{category_id:uuid}"
_Id = Annotated[str, QueryParameter(max_length=40)]


async def _show(
    request: Req,
    db: Database,
    *,
    category_id: UUID | None = None,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    async with db.read() as conn:
        tree = await catalog.tree(conn)
        attributes = await catalog.all_attributes(conn)
    category = tree.get(category_id) if category_id else None
    stored = (
        {"name": category.name, "slug": category.slug, "description": category.description}
        if category
        else {}
    )
    return await page(
        request,
        "admin/catalog.html",
        status=status_of(error),
        nodes=[_node(node, category_id) for node in tree.roots],
        category=category,
        crumbs=tree.ancestors(category.id) if category else [],
        places=[
            each
            for each in category_choices(tree)
            if category is None or category.id not in tree.get(UUID(each[0])).path
        ],
        assigned=tree.attributes_for(category.id) if category else [],
        attributes=attributes,
        kinds=list(catalog.AttributeType),
        form=stored if form is None else form,
        **problem_context(error),
    )


def _node(node: catalog.CategoryNode, current: UUID | None) -> dict[str, Any]:
    return {
        "id": node.id,
        "text": node.name,
        "url": f"{_ROOT}/{node.id}",
        "current": node.id == current,
        "children": [_node(child, current) for child in node.children],
    }


@get(_ROOT, access=_MAY, include_in_schema=False)
async def tree_page(request: Req, db: Database) -> Response[bytes]:
    """The whole tree, a form for a new root, all attributes."""
    return await _show(request, db)


@get(_ONE, access=_MAY, include_in_schema=False)
async def category_page(request: Req, db: Database, category_id: FromPath[UUID]) -> Response[bytes]:
    """One category: name, place, attributes, a form for a new one below."""
    return await _show(request, db, category_id=category_id)


@post(_ROOT, access=_MAY, rate="write", include_in_schema=False)
async def create_category(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Add a category, below another or as a root."""
    form = await form_of(request)
    parent = parse_uuid(form.get("parent_id", ""))
    try:
        name = clean_text(form.get("name", ""), path="name")
        if not 1 <= len(name) <= 200:
            raise refusal("name", "Give it a name of up to 200 characters.")
        made = await db.transact(
            lambda tx: catalog.create_category(
                tx, actor, name=name, slug=form.get("slug", ""), parent_id=parent
            )
        )
    except DomainError as error:
        return await _show(request, db, form=form, error=error)
    return back_to(request, f"{_ROOT}/{made.id}", "The category is there.")


@post(_ONE, access=_MAY, rate="write", include_in_schema=False)
async def change_category(
    request: Req, db: Database, actor: Actor, category_id: FromPath[UUID]
) -> Response[bytes]:
    """Change name, address, description."""
    form = await form_of(request)
    try:
        name = clean_text(form.get("name", ""), path="name")
        if not 1 <= len(name) <= 200:
            raise refusal("name", "Give it a name of up to 200 characters.")
        await db.transact(
            lambda tx: catalog.rename_category(
                tx,
                actor,
                category_id=category_id,
                name=name,
                slug=form.get("slug") or None,
                description=clean_text(form.get("description", ""), path="description"),
            )
        )
    except DomainError as error:
        return await _show(request, db, category_id=category_id, form=form, error=error)
    return back_to(request, f"{_ROOT}/{category_id}", "Saved.")


@post(_ONE + "/move", access=_MAY, rate="write", include_in_schema=False)
async def move_category(
    request: Req, db: Database, actor: Actor, category_id: FromPath[UUID]
) -> Response[bytes]:
    """Hang it elsewhere with everything below it, or change its place among its siblings."""
    form = await form_of(request)

    async def work(tx: WriteTx) -> None:
        if form.get("act") in {"before", "into"}:
            await _drop(tx, actor, category_id, form)
        elif form.get("act") in {"up", "down"}:
            tree = await catalog.tree(tx)
            own = tree.get(category_id)
            ids = [each.id for each in tree.children(own.parent_id)]
            at = ids.index(category_id)
            to = max(0, min(len(ids) - 1, at + (1 if form["act"] == "down" else -1)))
            ids.insert(to, ids.pop(at))
            await catalog.reorder_categories(tx, actor, parent_id=own.parent_id, ids=ids)
        else:
            parent = read_uuid(form.get("parent_id", ""), path="parent_id")
            await catalog.move_category(tx, actor, category_id=category_id, parent_id=parent)

    return await act(request, db, work, to=f"{_ROOT}/{category_id}", done="Moved.")


async def _drop(tx: WriteTx, actor: Actor, category_id: UUID, form: dict[str, str]) -> None:
    """What a drag does: hang it below the target, or stand it right before the target."""
    tree = await catalog.tree(tx)
    target = tree.get(parse_uuid(form.get("target", "")) or form.get("target", ""))
    own = tree.get(category_id)
    parent = target.id if form["act"] == "into" else target.parent_id
    if parent != own.parent_id:
        await catalog.move_category(tx, actor, category_id=category_id, parent_id=parent)
    if form["act"] == "before" and target.id != category_id:
        ids = [each.id for each in tree.children(parent) if each.id != category_id]
        ids.insert(ids.index(target.id), category_id)
        await catalog.reorder_categories(tx, actor, parent_id=parent, ids=ids)


def _merging(category_id: UUID, into: UUID | None, names: tuple[str, str]) -> Ask:
    own = f"{_ROOT}/{category_id}"
    return Ask(
        title=f"Merge {names[0]} into {names[1]}?",
        text="Everything in it and below it goes into the other; the category itself disappears.",
        consequences=["Listings keep their addresses.", "This cannot be taken back."],
        confirm="Merge",
        action=f"{own}/merge?into={into}",
        back=own,
        done="Merged.",
    )


async def _merge_question(db: Database, category_id: UUID, into: str) -> tuple[Ask, UUID]:
    async with db.read() as conn:
        tree = await catalog.tree(conn)
    target = tree.get(parse_uuid(into) or into)
    names = (tree.get(category_id).name, target.name)
    return _merging(category_id, target.id, names), target.id


@get(_ONE + "/merge", access=_MAY, include_in_schema=False)
async def merge_page(
    request: Req, db: Database, category_id: FromPath[UUID], into: _Id = ""
) -> Response[bytes]:
    """Ask first."""
    question, _ = await _merge_question(db, category_id, into)
    return await ask(request, question)


@post(_ONE + "/merge", access=_MAY, rate="write", include_in_schema=False)
async def merge(
    request: Req, db: Database, actor: Actor, category_id: FromPath[UUID], into: _Id = ""
) -> Response[bytes]:
    """Put everything into the other and remove it."""
    question, target = await _merge_question(db, category_id, into)
    gone = replace(question, back=f"{_ROOT}/{target}")
    return await answer(
        request,
        db,
        gone,
        lambda tx, _: catalog.merge_category(tx, actor, category_id=category_id, into=target),
    )


@get(_ROOT + "/attributes/{attribute_id:uuid}", access=_MAY, include_in_schema=False)
async def attribute_page(
    request: Req, db: Database, attribute_id: FromPath[UUID]
) -> Response[bytes]:
    """One attribute: its words, its choices, and where it is asked for."""
    return await _attribute(request, db, attribute_id)


async def _attribute(
    request: Req,
    db: Database,
    attribute_id: UUID,
    *,
    form: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response[bytes]:
    async with db.read() as conn:
        tree = await catalog.tree(conn)
        attributes = await catalog.all_attributes(conn)
    one = next((each for each in attributes if each.id == attribute_id), None)
    if one is None:
        raise NotFound("There is no such attribute. Look at the list.")
    stored = {"name": one.name, "unit": one.unit, "choices": "\n".join(one.choices)}
    return await page(
        request,
        "admin/attribute.html",
        status=status_of(error),
        attribute=one,
        used=tree.assigned_to(attribute_id),
        form=stored if form is None else form,
        **problem_context(error),
    )


@post(_ROOT + "/attributes/{attribute_id:uuid}", access=_MAY, rate="write", include_in_schema=False)
async def change_attribute(
    request: Req, db: Database, actor: Actor, attribute_id: FromPath[UUID]
) -> Response[bytes]:
    """Change its words, unit and choices; code and type stay."""
    form = await form_of(request)
    try:
        choices = [clean_text(part.strip(), path="choices") for part in _lines(form)]
        await db.transact(
            lambda tx: catalog.update_attribute(
                tx,
                actor,
                attribute_id=attribute_id,
                name=clean_text(form.get("name", ""), path="name"),
                unit=clean_text(form.get("unit", ""), path="unit"),
                choices=[choice for choice in choices if choice],
            )
        )
    except DomainError as error:
        return await _attribute(request, db, attribute_id, form=form, error=error)
    return back_to(request, f"{_ROOT}/attributes/{attribute_id}", "Saved.")


def _lines(form: dict[str, str]) -> list[str]:
    return form.get("choices", "").splitlines()


@post(_ROOT + "/attributes", access=_MAY, rate="write", include_in_schema=False)
async def create_attribute(request: Req, db: Database, actor: Actor) -> Response[bytes]:
    """Define an attribute; categories use it once it is assigned."""
    form = await form_of(request)

    async def work(tx: WriteTx) -> None:
        if form.get("type") not in set(catalog.AttributeType):
            raise refusal("type", "Choose what its values look like.")
        await catalog.create_attribute(
            tx,
            actor,
            code=form.get("code", ""),
            name=clean_text(form.get("name", ""), path="name"),
            type=catalog.AttributeType(form["type"]),
            unit=clean_text(form.get("unit", ""), path="unit"),
            choices=[part.strip() for part in form.get("choices", "").split(",") if part.strip()],
        )

    return await act(request, db, work, to=_ROOT, done="The attribute is there; assign it now.")


@post(_ONE + "/attributes", access=_MAY, rate="write", include_in_schema=False)
async def assign(
    request: Req, db: Database, actor: Actor, category_id: FromPath[UUID]
) -> Response[bytes]:
    """Give the category an attribute, change its flags, or take it away."""
    form = await form_of(request)

    async def work(tx: WriteTx) -> None:
        attribute_id = read_uuid(form.get("attribute_id", ""), path="attribute_id")
        if attribute_id is None:
            raise refusal("attribute_id", "Choose an attribute.")
        if form.get("act") == "remove":
            await catalog.unassign_attribute(
                tx, actor, category_id=category_id, attribute_id=attribute_id
            )
            return
        await catalog.assign_attribute(
            tx,
            actor,
            category_id=category_id,
            attribute_id=attribute_id,
            required=form.get("required") == "1",
            facet=form.get("facet") == "1",
        )

    return await act(request, db, work, to=f"{_ROOT}/{category_id}", done="Saved.")


routes: list[Any] = [
    tree_page, category_page, create_category, change_category, move_category, merge_page, merge,
    attribute_page, change_attribute, create_attribute, assign,
]  # fmt: skip
