"""A search by address: what the parameters ask for, and facets, chips and pages as links."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast, get_args
from urllib.parse import urlencode
from uuid import UUID

from souk.contexts.catalog import api as catalog
from souk.contexts.search import api as search
from souk.kernel.ids import parse_uuid
from souk.kernel.money import exponent
from souk.web.storefront.cards import value_text

PAGE_SIZE = 24
_SORTS = {sort.value for sort in search.Sort}
_LONGEST, _MOST = 200, 60
_KEPT = ("q", "sort", "view")
Params = list[tuple[str, str]]
Number = float | None


class Asked:
    """The parameters of one address, and the addresses that differ from it by one thing."""

    def __init__(self, path: str, params: Iterable[tuple[str, str]], *, currency: str) -> None:
        self.path = path
        self.currency = currency
        kept = [(key, value[:_LONGEST]) for key, value in params if value and "\x00" not in value]
        self.params: Params = list(dict.fromkeys(kept))[:_MOST]

    def one(self, key: str) -> str:
        return next((value for name, value in self.params if name == key), "")

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.params if name == key]

    def url(self, params: Params) -> str:
        return f"{self.path}?{urlencode(params)}" if params else self.path

    def without(self, *pairs: tuple[str, str]) -> str:
        """This address less some parameters, at the first page."""
        gone = set(pairs)
        return self.url([p for p in self.params if p not in gone and p[0] != "page"])

    def setting(self, key: str, value: str) -> str:
        """This address with one parameter set; another than `page` starts at the first page."""
        rest = [p for p in self.params if p[0] not in {key, "page"}]
        return self.url([*rest, (key, value)] if value else rest)

    def hidden(self) -> dict[str, str]:
        """What the filter form carries along."""
        return {key: self.one(key) for key in _KEPT if self.one(key)}

    @property
    def page(self) -> int:
        text = self.one("page")
        return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1

    @property
    def sort(self) -> str:
        sort = self.one("sort")
        return sort if sort in _SORTS else ""

    def minor(self, key: str) -> int | None:
        """A price in the currency's units, as minor units; what is not a number asks nothing."""
        try:
            amount = Decimal(self.one(key).replace(",", "."))
        except InvalidOperation:
            return None
        if not amount.is_finite() or not 0 <= amount < 10**9:
            return None
        return int(amount.scaleb(exponent(self.currency)))

    def number(self, key: str) -> Number:
        try:
            value = Decimal(self.one(key).replace(",", "."))
        except InvalidOperation:
            return None
        return float(value) if value.is_finite() and abs(value) < 10**12 else None

    def query(
        self, *, category_id: UUID | None = None, seller_id: UUID | None = None
    ) -> search.SearchQuery:
        """As the engine takes it. Unknown values are left out rather than refused."""
        kinds = [kind for kind in self.all("kind") if kind in get_args(search.Kind)]
        sellers = [found for value in self.all("seller") if (found := parse_uuid(value))]
        attributes: dict[str, list[str]] = {}
        ranges: dict[str, search.NumberRange] = {}
        for name, value in self.params:
            if name.startswith("a."):
                attributes.setdefault(name[2:], []).append(value)
            elif name.startswith("r."):
                code = name[2:].removesuffix("_min").removesuffix("_max")
                least, most = self.number(f"r.{code}_min"), self.number(f"r.{code}_max")
                if least is not None or most is not None:
                    ranges[code] = search.NumberRange(least, most)
        lowest, highest = self.minor("price_min"), self.minor("price_max")
        if lowest is not None and highest is not None and lowest > highest:
            lowest, highest = highest, lowest
        return search.SearchQuery(
            text=self.one("q"),
            category_id=category_id,
            seller_ids=[seller_id] if seller_id else sellers[:20],
            kinds=cast("list[search.Kind]", kinds),
            price_min=lowest,
            price_max=highest,
            rating_min=self.number("rating"),
            in_stock=True if self.one("stock") else None,
            attributes=dict(list(attributes.items())[:8]),
            ranges=dict(list(ranges.items())[:2]),
            sort=search.Sort(self.sort) if self.sort else search.Sort.RELEVANCE,
            page=min(self.page, search.MAX_DEPTH // PAGE_SIZE),
            size=PAGE_SIZE,
        )


def attribute_names(tree: catalog.Tree) -> dict[str, catalog.Attribute]:
    """Every attribute that some category has, by code."""
    return {
        assignment.attribute.code: assignment.attribute
        for category_id in tree.by_id
        for assignment in tree.attributes_for(category_id)
    }


def attribute_facts(
    tree: catalog.Tree, values: Mapping[str, object], *, without: Container[str] = ()
) -> list[tuple[str, object]]:
    """Names and values of a listing's attributes in words; booleans are left to the template."""
    names = attribute_names(tree)
    found: list[tuple[str, object]] = []
    for code, value in values.items():
        if code in without:
            continue
        known = names.get(code)
        name = known.name if known else code.replace("_", " ").capitalize()
        unit = known.unit if known else ""
        found.append((name, value if isinstance(value, bool) else value_text(value, unit=unit)))
    return found


_NAMES = {"rating": "rating", "seller": "seller", "kind": "kind"}


def facet_groups(
    asked: Asked, result: search.SearchResult, attributes: dict[str, catalog.Attribute]
) -> list[dict[str, Any]]:
    """For the `facets` macro; `code` says which label the template writes. Categories are a tree
    of their own, and what offers no choice is left out."""
    groups: list[dict[str, Any]] = []
    if result.price is not None or asked.one("price_min") or asked.one("price_max"):
        groups.append(_range(asked, search.Facet(code="price", label_key="", kind="range"), None))
    for facet in result.facets:
        if facet.code == "in_stock":
            groups.append(_stock(asked, facet))
            continue
        if facet.code in {"category", "price"} or facet.kind == "tree":
            continue
        attribute = attributes.get(facet.code)
        if facet.kind == "range":
            groups.append(_range(asked, facet, attribute))
            continue
        name = _NAMES.get(facet.code) or f"a.{facet.code}"
        options = [_option(bucket) for bucket in facet.buckets]
        if len(options) > 1 or any(option["checked"] for option in options):
            label = attribute.name if attribute else ""
            groups.append({"code": facet.code, "name": name, "label": label, "options": options})
    return groups


def _stock(asked: Asked, facet: search.Facet) -> dict[str, Any]:
    """One box: what is sold out is left away."""
    count = sum(bucket.count for bucket in facet.buckets if bucket.value in {"true", "1"})
    option = {"value": "1", "label": "", "count": count, "checked": bool(asked.one("stock"))}
    return {"code": "stock", "name": "stock", "label": "", "options": [option]}


def _range(
    asked: Asked, facet: search.Facet, attribute: catalog.Attribute | None
) -> dict[str, Any]:
    name = "price" if facet.code == "price" else f"r.{facet.code}"
    return {
        "code": facet.code,
        "name": name,
        "label": attribute.name if attribute else "",
        "kind": "range",
        "min": asked.one(f"{name}_min"),
        "max": asked.one(f"{name}_max"),
        "unit": asked.currency if facet.code == "price" else attribute.unit if attribute else "",
        "open": facet.code == "price" or bool(asked.one(f"{name}_min") or asked.one(f"{name}_max")),
    }


def _option(bucket: search.Bucket) -> dict[str, Any]:
    return {
        "value": bucket.value,
        "label": bucket.label or bucket.value,
        "count": bucket.count,
        "checked": bucket.selected,
    }


def chips(asked: Asked, groups: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is filtered by, each with the address without it; the template puts it in words."""
    found: list[dict[str, Any]] = []
    for group in groups:
        name = group["name"]
        if group.get("kind") == "range":
            low, high = group["min"], group["max"]
            if low or high:
                away = asked.without((f"{name}_min", low), (f"{name}_max", high))
                found.append({"group": group, "low": low, "high": high, "remove_url": away})
            continue
        found.extend(
            {
                "group": group,
                "option": option,
                "remove_url": asked.without((name, option["value"])),
            }
            for option in group["options"]
            if option["checked"]
        )
    return found


def paging(asked: Asked, total: int) -> dict[str, Any]:
    """For the `pagination` macro."""
    last = max(1, -(-min(total, search.MAX_DEPTH) // PAGE_SIZE))
    here = min(asked.page, last)
    shown = sorted({1, last, *range(max(1, here - 2), min(last, here + 2) + 1)})
    pages: list[dict[str, Any]] = []
    for before, number in zip([0, *shown], shown, strict=False):
        if number - before > 1:
            pages.append({"url": None})
        url = asked.setting("page", str(number) if number > 1 else "")
        pages.append({"number": number, "url": url, "current": number == here})
    return {
        "prev_url": asked.setting("page", str(here - 1) if here > 2 else "") if here > 1 else None,
        "next_url": asked.setting("page", str(here + 1)) if here < last else None,
        "pages": pages if last > 1 else [],
    }


def category_counts(result: search.SearchResult) -> dict[UUID, int]:
    """How many hits each category holds."""
    return {
        found: bucket.count
        for facet in result.facets
        if facet.code == "category"
        for bucket in facet.buckets
        if (found := parse_uuid(bucket.value))
    }
