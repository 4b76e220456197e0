"""WooCommerce's product CSV.

Source: https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema. A `variable` row
is followed (or preceded, at any distance) by `variation` rows that name it by `id:12` or by SKU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from souk.contexts.listings.importing.building import (
    MAX_ATTRIBUTES,
    MAX_NAME,
    MAX_OPTION_NAME,
    MAX_OPTION_VALUE,
    MAX_OPTIONS,
    FileState,
    Images,
    category_path,
    claim_sku,
    distinct_variants,
    finish,
    read_optional_price,
    read_price,
    read_stock,
    read_tags,
    read_title,
    read_weight,
    split_list,
)
from souk.contexts.listings.importing.columns import Cells
from souk.contexts.listings.importing.drafts import (
    FileRef,
    Kind,
    Problems,
    ProductDraft,
    VariantDraft,
)
from souk.contexts.listings.importing.quantities import parse_flag
from souk.contexts.listings.importing.text import clean_text, description_html, plain_text
from souk.kernel.money import Money

_ALIASES = {
    "id": "id", "type": "type", "sku": "sku", "name": "title", "published": "published",
    "short description": "short", "description": "description", "in stock?": "in_stock",
    "stock": "stock", "sale price": "sale", "regular price": "price", "categories": "categories",
    "tags": "tags", "images": "images", "parent": "parent", "brands": "brand",
    "date sale price starts": "sale_from", "date sale price ends": "sale_to",
    "weight (kg)": "weight_kg", "weight (g)": "weight_g", "weight (lbs)": "weight_lb",
    "weight (oz)": "weight_oz", "weight (unit)": "weight_g",
    "meta: yoast wpseo title": "seo_title", "meta: rank math title": "seo_title",
    "meta: yoast wpseo metadesc": "seo_description",
    "meta: rank math description": "seo_description",
}  # fmt: skip
_IGNORED = re.compile(
    r"^(?:meta: .*|gtin, upc, ean, or isbn|is featured\?|visibility in catalog|tax (?:status|class)"
    r"|low stock amount|backorders allowed\?|sold individually\?|(?:length|width|height) \(.*\)"
    r"|allow customer reviews\?|purchase note|shipping class|download (?:limit|expiry days)"
    r"|grouped products|upsells|cross-sells|external url|button text|position|swatches attributes"
    r"|attribute \d+ (?:visible|global|default)|download \d+ id|cost of goods)$"
)
_ATTRIBUTE = re.compile(r"^attribute (\d{1,3}) (name|value\(s\))$")
_DOWNLOAD = re.compile(r"^download (\d{1,2}) (name|url)$")
_UNITS = ("kg", "g", "lb", "oz")


class WooCommerce:
    """Reads a simple product, or a variable one with its variations, into one draft."""

    name = "woocommerce"
    aliases: Mapping[str, str] = _ALIASES

    def recognises(self, headers: set[str]) -> bool:
        return {"name", "type"} <= headers and bool(
            headers & {"regular price", "in stock?", "parent", "visibility in catalog"}
        )

    def dynamic(self, key: str, written: str) -> str | None:
        attribute = _ATTRIBUTE.match(key)
        if attribute:
            return f"attribute:{attribute.group(1)}:{attribute.group(2)[:4]}"
        download = _DOWNLOAD.match(key)
        return f"download:{download.group(1)}:{download.group(2)}" if download else None

    def ignored(self, key: str) -> bool:
        return _IGNORED.match(key) is not None

    def keys(self, cells: Cells, *, previous: list[str]) -> list[str]:
        if _is_variation(cells):
            parent = clean_text(cells.get("parent")).casefold()
            if not parent:
                return []
            return [parent if parent.startswith("id:") else f"sku:{parent}"]
        number = clean_text(cells.get("id"))
        sku = clean_text(cells.get("sku")).casefold()
        title = clean_text(cells.get("title")).casefold()
        keys = [f"id:{number}"] if number else []
        if sku:
            keys.append(f"sku:{sku}")
        return keys or ([f"name:{title}"] if title else [])

    def product(
        self, rows: list[Cells], state: FileState, problems: Problems
    ) -> ProductDraft | None:
        parent = next((cells for cells in rows if not _is_variation(cells)), None)
        if parent is None:
            for cells in rows:
                problems.error(
                    cells.number, cells.column("parent"), "parent_missing",
                    f"This variation belongs to “{cells.get('parent')[:80]}”, which is not in the "
                    "file. Export the products with their parents.",
                )  # fmt: skip
            return None
        if not _sellable_type(parent, problems):
            return None
        variations = [cells for cells in rows if _is_variation(cells)]
        title = read_title(parent, problems)
        variants, used = _variants(parent, variations, rows, state, problems)
        files = _files(rows)
        images = _images([parent, *variations], problems)
        seo = (plain_text(parent.get("seo_title")), plain_text(parent.get("seo_description")))
        draft = ProductDraft(
            external_id=self.keys(parent, previous=[])[0][:MAX_NAME] if title else "",
            title=title,
            description_html=_description(parent),
            kind=_kind(parent, variations, files),
            category_path=_category(parent, problems),
            brand=(split_list(parent.get("brand")) or [""])[0][:MAX_NAME],
            tags=read_tags(parent, "tags", problems),
            attributes=_attributes(parent, without=used),
            variants=variants,
            images=images.ordered(),
            files=files,
            seo_title=seo[0][:300],
            seo_description=seo[1][:1_000],
            publish=parse_flag(parent.get("published")) is not False,
            rows=[cells.number for cells in rows],
        )
        return finish(draft, problems, row=parent.number)


def _types(cells: Cells) -> set[str]:
    return {part.casefold() for part in split_list(cells.get("type"))}


def _is_variation(cells: Cells) -> bool:
    return "variation" in _types(cells)


def _sellable_type(parent: Cells, problems: Problems) -> bool:
    for word, reason in (
        ("grouped", "A grouped product only points to others. Import those others."),
        ("external", "An external product is sold on another site, so it cannot be sold here."),
        ("subscription", "Subscriptions cannot be sold here. Remove this row."),
        ("variable-subscription", "Subscriptions cannot be sold here. Remove this row."),
    ):
        if word in _types(parent):
            problems.error(parent.number, parent.column("type"), "type_unsupported", reason)
            return False
    return True


def _description(parent: Cells) -> str:
    short, long = parent.get("short"), parent.get("description")
    # WooCommerce writes line breaks as the two characters \n.
    return "".join(description_html(text.replace("\\n", "\n")) for text in (short, long))


def _kind(parent: Cells, variations: list[Cells], files: list[FileRef]) -> Kind:
    rows = variations or [parent]
    virtual = all(_types(cells) & {"virtual", "downloadable"} for cells in rows)
    return Kind.DIGITAL if virtual or files else Kind.GOODS


def _category(parent: Cells, problems: Problems) -> list[str]:
    paths = [path for text in split_list(parent.get("categories")) if (path := category_path(text))]
    if not paths:
        return []
    best = max(paths, key=len)
    if any(path != best[: len(path)] for path in paths):
        problems.warn(
            parent.number, parent.column("categories"), "categories_many",
            f"A product has one category here: “{' > '.join(best)}” was taken.",
        )  # fmt: skip
    return best


def _attribute_cells(cells: Cells) -> dict[str, str]:
    """Name → text of the values, in the file's order."""
    found: dict[str, str] = {}
    for field in cells.fields("attribute:"):
        _, number, part = field.split(":")
        if part != "name":
            continue
        name = plain_text(cells.get(field))[:MAX_NAME]
        if name:
            found.setdefault(name, cells.get(f"attribute:{number}:valu"))
    return found


def _attributes(parent: Cells, *, without: set[str]) -> dict[str, str]:
    found = {
        name: ", ".join(split_list(values))[:500]
        for name, values in _attribute_cells(parent).items()
        if name.casefold() not in without
    }
    return {name: value for name, value in list(found.items())[:MAX_ATTRIBUTES] if value}


def _files(rows: list[Cells]) -> list[FileRef]:
    files: dict[str, FileRef] = {}
    for cells in rows:
        for field in cells.fields("download:"):
            _, number, part = field.split(":")
            source = cells.get(field)
            if part == "url" and source:
                name = clean_text(cells.get(f"download:{number}:name"))
                files.setdefault(source[:2_000], FileRef(name[:200] or "File", source[:2_000]))
    return list(files.values())[:20]


def _images(rows: list[Cells], problems: Problems) -> Images:
    images = Images()
    for cells in rows:
        for address in split_list(cells.get("images")):
            images.add(
                address, alt="", position="", row=cells.number,
                column=cells.column("images"), problems=problems,
            )  # fmt: skip
    return images


def _variants(
    parent: Cells,
    variations: list[Cells],
    rows: list[Cells],
    state: FileState,
    problems: Problems,
) -> tuple[list[VariantDraft], set[str]]:
    """The variants, and the folded names of the attributes that tell them apart."""
    for extra in rows:
        if not _is_variation(extra) and extra is not parent:
            problems.error(
                extra.number, extra.column("id"), "product_duplicate",
                f"This product is already in row {parent.number}. Remove one of the two.",
            )  # fmt: skip
    if not variations:
        if "variable" in _types(parent):
            problems.error(
                parent.number, parent.column("type"), "variations_missing",
                "The product has variations, but none is in the file. Export them too.",
            )  # fmt: skip
            return [], set()
        only = _variant(parent, {}, state, problems)
        return ([only] if only else []), set()
    found: list[VariantDraft] = []
    weight = _weight(parent, problems)
    for cells in variations:
        options = {
            name[:MAX_OPTION_NAME].strip(): values[0][:MAX_OPTION_VALUE].strip()
            for name, text in _attribute_cells(cells).items()
            if (values := split_list(text))
        }
        kept = dict(list(options.items())[:MAX_OPTIONS])
        variant = _variant(cells, kept, state, problems, inherited_weight=weight)
        if variant is not None:
            found.append(variant)
    used = {name.casefold() for variant in found for name in variant.options}
    column = parent.column("attribute:1:valu")
    return distinct_variants(found, problems, column=column), used


def _variant(
    cells: Cells,
    options: dict[str, str],
    state: FileState,
    problems: Problems,
    *,
    inherited_weight: int | None = None,
) -> VariantDraft | None:
    regular = read_price(cells, "price", state, problems)
    stock, stock_ok = read_stock(cells, "stock", problems)
    if regular is None or not stock_ok:
        return None
    sku = claim_sku(cells, "sku", state, problems)
    if sku is None:
        return None
    price, compare_at = _sale(cells, regular, state, problems)
    return VariantDraft(
        sku=sku,
        options=options,
        price=price,
        compare_at=compare_at,
        stock=0 if stock is None and parse_flag(cells.get("in_stock")) is False else stock,
        weight_g=_weight(cells, problems) or inherited_weight,
        row=cells.number,
    )


def _sale(
    cells: Cells, regular: Money, state: FileState, problems: Problems
) -> tuple[Money, Money | None]:
    """A lasting sale makes the regular price the former one; one with dates is left out."""
    sale = read_optional_price(cells, "sale", state, problems)
    if sale is None or sale == regular:
        return regular, None
    if sale > regular:
        problems.warn(
            cells.number, cells.column("sale"), "sale_above",
            f"The sale price {sale} is above the regular price {regular}; it was left out.",
        )  # fmt: skip
        return regular, None
    if cells.get("sale_from") or cells.get("sale_to"):
        problems.warn(
            cells.number, cells.column("sale"), "sale_dated",
            "A sale with dates is not imported: the regular price was taken.",
        )  # fmt: skip
        return regular, None
    return sale, regular


def _weight(cells: Cells, problems: Problems) -> int | None:
    for unit in _UNITS:
        grams = read_weight(cells, f"weight_{unit}", problems, unit=unit)
        if grams:
            return grams
    return None
