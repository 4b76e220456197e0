"""Category pages, search, and what the search box suggests."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.flows.browse.search import query_log
from souk.platform.database import Database
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.page import Req, fragment, page, pages_of, tree_of
from souk.web.storefront.cards import card_items, mixed
from souk.web.storefront.finding import (
    Asked,
    attribute_names,
    category_counts,
    chips,
    facet_groups,
    paging,
)

_SHORTEST = 2


@get("/c/{slug:str}", access=access.PUBLIC, rate="search", include_in_schema=False)
async def category_page(
    request: Req, db: Database, settings: Settings, slug: FromPath[str]
) -> Response[bytes]:
    """A category: its subcategories, filters and listings."""
    tree = await tree_of(request)
    category = tree.get(slug)
    asked = _asked(request, settings)
    result = await search.search(pages_of(request).engine, asked.query(category_id=category.id))
    counts = category_counts(result)
    return await page(
        request,
        "storefront/category.html",
        category=category,
        crumbs=_crumbs(tree, category),
        tree_nodes=_branch(tree, category, counts),
        canonical_url=f"{settings.base_url}/c/{slug}",
        noindex=bool(asked.params),
        **await _found(db, asked, result, tree),
    )


@get("/search", access=access.PUBLIC, rate="search", include_in_schema=False)
async def search_page(request: Req, db: Database, settings: Settings) -> Response[bytes]:
    """What was found, or help when nothing was."""
    tree = await tree_of(request)
    asked = _asked(request, settings)
    category = tree.by_slug.get(asked.one("category"))
    query = asked.query(category_id=category.id if category else None)
    result = await search.search(pages_of(request).engine, query)
    if asked.page == 1:
        await query_log.add(db, text=asked.one("q"), total=result.total)
    counts = category_counts(result)
    nodes = [
        {
            "text": node.name,
            "url": asked.setting("category", node.slug),
            "count": counts[node.id],
            "current": category is not None and category.id == node.id,
        }
        for node in tree.roots
        if counts.get(node.id)
    ]
    shown = await _found(db, asked, result, tree)
    if not shown["items"]:
        shown |= await _instead(db, pages_of(request).engine)
    return await page(
        request,
        "storefront/search.html",
        query=asked.one("q"),
        category=category,
        tree_nodes=nodes,
        whole_url=asked.setting("category", "") if category else None,
        noindex=True,
        **shown,
    )


async def _instead(db: Database, engine: search.SearchEngine) -> dict[str, Any]:
    """When nothing was found: what others look for, and what people like."""
    query = search.SearchQuery(sort=search.Sort.POPULAR, in_stock=True, size=24, facets=False)
    result = await search.search(engine, query)
    async with db.read() as conn:
        words = await search.popular(conn, limit=8)
        cards = await listings.cards(conn, result.ids)
    return {
        "popular_words": [each.query for each in words],
        "popular_items": card_items(mixed(cards, most=10)),
    }


@get("/search/suggest", access=access.PUBLIC, rate="search", include_in_schema=False)
async def suggest(
    request: Req,
    db: Database,
    q: Annotated[str, QueryParameter(max_length=200)] = "",
) -> Response[bytes]:
    """The fragment below the search box: queries, categories, listings."""
    words = q.strip().replace("\x00", "")
    found = pages_of(request).engine.suggest(words) if len(words) >= _SHORTEST else []
    tree = await tree_of(request)
    ids = [each.id for each in found if each.kind == "listing" and each.id]
    async with db.read() as conn:
        cards = {card.id: card for card in await listings.cards(conn, ids)} if ids else {}
    items: list[dict[str, str]] = []
    for each in found:
        if each.kind == "query":
            items.append({"text": each.text})
        elif each.id is None:
            continue
        elif each.kind == "category" and each.id in tree.by_id:
            url = f"/c/{tree.by_id[each.id].slug}"
            items.append({"text": each.text, "kind": "category", "url": url})
        elif each.kind == "listing" and each.id in cards:
            card = cards[each.id]
            items.append(
                {"text": card.title, "kind": card.seller.name, "url": f"/listing/{card.slug}"}
            )
    return fragment(request, "storefront/suggest.html", found=items)


def _asked(request: Req, settings: Settings) -> Asked:
    pairs = [(str(key), str(value)) for key, value in request.query_params.multi_items()]
    return Asked(request.scope["path"], pairs, currency=settings.currency)


async def _found(
    db: Database, asked: Asked, result: search.SearchResult, tree: catalog.Tree
) -> dict[str, Any]:
    async with db.read() as conn:
        cards = await listings.cards(conn, result.ids)
    groups = facet_groups(asked, result, attribute_names(tree))
    return {
        "asked": asked,
        "result": result,
        "items": card_items(cards),
        "groups": groups,
        "chips_set": chips(asked, groups),
        "paging": paging(asked, result.total),
        "filters_url": asked.url([p for p in asked.params if p[0] in {"q", "sort", "view"}]),
    }


def _crumbs(tree: catalog.Tree, category: catalog.Category) -> list[dict[str, str]]:
    return [{"text": each.name, "url": f"/c/{each.slug}"} for each in tree.ancestors(category.id)]


def _branch(
    tree: catalog.Tree, category: catalog.Category, counts: dict[Any, int]
) -> list[dict[str, Any]]:
    """The way down to the category, and the categories below it that hold something."""

    def node(each: catalog.Category, children: list[dict[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {"text": each.name, "url": f"/c/{each.slug}", "children": children}
        if each.id in counts:
            found["count"] = counts[each.id]
        if each.id == category.id:
            found["current"] = True
        return found

    below = [node(each, []) for each in tree.children(category.id) if counts.get(each.id)]
    if not below and category.parent_id is not None:
        siblings = tree.children(category.parent_id)
        below = [node(each, []) for each in siblings]
        above = tree.ancestors(category.parent_id)
    else:
        above = tree.ancestors(category.id)
    for each in reversed(above):
        below = [node(each, below)]
    return below


routes: list[Any] = [category_page, search_page, suggest]
