"""The product feed for Google Merchant Center: RSS 2.0 with its `g:` elements, one item a variant.

Source: https://support.google.com/merchants/answer/7052112 (product data specification). Prices are
those that buyers see; listings without a picture are left out, since a picture is required.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from souk.contexts.catalog import api as catalog
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.flows.feeds.xml import HEAD, element
from souk.kernel.money import Money
from souk.platform.database import Database
from souk.platform.http.wire import MoneyWire

MAX_TITLE = 150
MAX_TEXT = 5_000
MAX_MORE_PICTURES = 10
_BATCH = 500
_FIRST = UUID(int=0)
_CONDITIONS = {None: "new", "new": "new"}
_COLOURS = {"color", "colour", "farbe", "couleur"}
_SIZES = {"size", "größe", "grösse", "taille", "talla"}
_CODES = ("gtin", "ean", "isbn")


async def feed(db: Database, *, name: str, base_url: str) -> AsyncIterator[bytes]:
    """The whole feed of the marketplace `name`, piece by piece, in batches of listings."""
    yield (
        f'{HEAD}<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n'
        f"{element('title', name)}{element('link', base_url)}"
        f"{element('description', f'Everything on sale at {name}')}\n"
    ).encode()
    after = _FIRST
    while True:
        async with db.read() as conn:
            found = await listings.documents_for_feed(conn, after=after, limit=_BATCH)
            tree = await catalog.tree(conn)
            ids = [variant.id for document in found for variant in document.variants]
            stock = await inventory.availability(conn, ids)
        items = [item for each in found for item in items_of(each, tree, stock, base_url=base_url)]
        if items:
            yield "".join(items).encode()
        if len(found) < _BATCH:
            break
        after = found[-1].id
    yield b"</channel>\n</rss>\n"


def items_of(
    document: listings.ListingDocument,
    tree: catalog.Tree,
    stock: Mapping[UUID, inventory.Availability],
    *,
    base_url: str,
) -> list[str]:
    """An item per variant; none for a listing without a picture. Pure."""
    if not document.images:
        return []
    first, *more = [base_url + image.url for image in document.images]
    shared = "".join(
        (
            element("g:description", _text(document)),
            element("g:link", f"{base_url}/listing/{document.slug}"),
            element("g:image_link", first),
            *(element("g:additional_image_link", url) for url in more[:MAX_MORE_PICTURES]),
            element("g:condition", _CONDITIONS.get(document.condition, "used")),
            element("g:product_type", _path(document, tree)),
            _identity(document),
        )
    )
    several = len(document.variants) > 1
    group = element("g:item_group_id", str(document.id)) if several else ""
    return [
        f"<item>{_variant(document, variant, stock.get(variant.id))}{group}{shared}</item>\n"
        for variant in document.variants
    ]


def _variant(
    document: listings.ListingDocument,
    variant: listings.VariantView,
    level: inventory.Availability | None,
) -> str:
    title = f"{document.title}, {variant.title}" if variant.title else document.title
    digital = document.kind == listings.Kind.DIGITAL
    left = digital or (level is not None and level.available > 0)
    there = left and document.state == listings.State.ACTIVE
    options = {name.casefold(): text for name, text in variant.options.items()}
    former = variant.compare_at
    return "".join(
        (
            element("g:id", str(variant.id)),
            element("g:title", title[:MAX_TITLE]),
            element("g:availability", "in_stock" if there else "out_of_stock"),
            element("g:price", _price(former or variant.price)),
            element("g:sale_price", _price(variant.price) if former else ""),
            element("g:shipping_weight", f"{variant.weight_g} g" if variant.weight_g else ""),
            element("g:color", _first(options, _COLOURS)),
            element("g:size", _first(options, _SIZES)),
        )
    )


def _price(price: MoneyWire) -> str:
    return f"{Money(price.amount, price.currency).decimal()} {price.currency}"


def _first(options: Mapping[str, str], names: set[str]) -> str:
    return next((text for name, text in options.items() if name in names), "")[:100]


def _text(document: listings.ListingDocument) -> str:
    text = listings.plain_text(document.description_html.replace("</p>", "</p> "))
    return (text or document.title)[:MAX_TEXT]


def _path(document: listings.ListingDocument, tree: catalog.Tree) -> str:
    if document.category_id is None or document.category_id not in tree.by_id:
        return ""
    return " > ".join(each.name for each in tree.ancestors(document.category_id))[:750]


def _identity(document: listings.ListingDocument) -> str:
    """Brand and GTIN as far as they are known; without both, Google has to be told so."""
    brand = str(document.attributes.get("brand", ""))[:70]
    code = next((str(document.attributes[c]) for c in _CODES if c in document.attributes), "")
    known = element("g:brand", brand) + element("g:gtin", code[:50])
    return known + ("" if code else element("g:identifier_exists", "no"))
