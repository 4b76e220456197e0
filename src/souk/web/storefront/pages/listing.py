"""One listing, as everybody sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from souk.contexts.catalog import api as catalog
from souk.contexts.fulfilment import api as fulfilment
from souk.contexts.inventory import api as inventory
from souk.contexts.listings import api as listings
from souk.contexts.search import api as search
from souk.contexts.sellers import api as sellers
from souk.flows.browse import comparing
from souk.kernel.money import Money
from souk.platform.database import ReadConn
from souk.platform.http import access
from souk.platform.settings import Settings
from souk.web.addresses import country_name
from souk.web.locale import money_text
from souk.web.page import (
    Req,
    cached_page,
    language_of,
    media_url,
    page,
    pages_of,
    translate,
    tree_of,
)
from souk.web.storefront.cards import card_items, compare_url, gallery_images
from souk.web.storefront.finding import attribute_facts
from souk.web.storefront.reviews_view import listing_extras
from souk.web.storefront.seen import note
from souk.web.storefront.similar import similar_ids
from souk.web.storefront.structured import product_json, summary_of

_FEW = 5
_MOST = 99
_OF_SPECIES = {"light", "water", "soil", "bloom", "zone", "wildlife"}


@get("/listing/{slug:str}", access=access.PUBLIC, include_in_schema=False)
async def listing_page(request: Req, slug: FromPath[str]) -> Response[bytes]:
    """Two statements and the categories' version, as long as nothing on the page changes.

    Seller and neighbours are looked at again every minute. It takes its parts from the pages'
    state: dependencies cost a third of what a drawn page does.
    """
    pages = pages_of(request)
    db, settings, engine = pages.services.db, pages.settings, pages.engine
    async with db.read() as conn:
        document = await listings.detail(conn, slug)
        ids = [variant.id for variant in document.variants]
        stock = await inventory.availability(conn, ids)
    left = {variant.id: _left(document, stock.get(variant.id)) for variant in document.variants}

    async def build() -> Mapping[str, Any]:
        tree = await tree_of(request)
        language = language_of(request)
        async with db.read() as conn:
            around = await _around(conn, engine, document, settings, language=language)
        own = _own(request, document, left, settings)
        return {
            **own,
            **around,
            **await listing_extras(request, document, in_stock=bool(own["can_buy"])),
            "crumbs": _crumbs(tree, document),
            "attributes": _attributes(tree, document, around),
            "destination": country_name(settings.country, language),
        }

    minute = int(db.clock.now().timestamp()) // 60
    rating = (document.rating, document.rating_count)
    key = (document.id, document.version, document.state, tuple(left.values()), rating, minute)
    response = await cached_page(request, "storefront/listing.html", key=key, build=build)
    return await note(request, response, document.id)


def _left(document: listings.ListingDocument, stock: inventory.Availability | None) -> int:
    """How many can be bought now, at most what one cart may hold."""
    if stock is None:
        return _MOST if document.kind == "digital" else 0
    return max(0, min(stock.available, _MOST)) if stock.tracked else _MOST


def _own(
    request: Req, document: listings.ListingDocument, left: Mapping[Any, int], settings: Settings
) -> dict[str, object]:
    """What the listing itself says: its kinds, stock, pictures, structured data."""
    variants = document.variants
    chosen = next((variant for variant in variants if left[variant.id]), None)
    language = language_of(request)
    prices_differ = len({variant.price.amount for variant in variants}) > 1
    options: list[dict[str, object]] = []
    for variant in variants:
        label = variant.title or document.title
        if prices_differ:
            label = f"{label}, {money_text(variant.price, language)}"
        options.append({"value": variant.id, "label": label, "disabled": not left[variant.id]})
    url = f"{settings.base_url}/listing/{document.slug}"
    in_stock = document.state == "active" and chosen is not None
    image = settings.base_url + document.images[0].url if document.images else None
    return {
        "d": document,
        "chosen": chosen or (variants[0] if variants else None),
        "variants": options,
        "differ": " / ".join(variants[0].options) if variants else "",
        "choices": [(o["value"], o["label"]) for o in options if not o["disabled"]],
        "most": max(left.values(), default=0),
        "can_buy": in_stock,
        "stock_note": _stock_note(request, document, left) if in_stock else None,
        "pictures": gallery_images(document.images, document.title),
        "summary": summary_of(document),
        "json_ld": product_json(document, settings=settings, in_stock=in_stock),
        "canonical_url": url,
        "og_image": image,
    }


def _stock_note(
    request: Req, document: listings.ListingDocument, left: Mapping[Any, int]
) -> str | None:
    total = sum(left.values())
    if document.kind == "secondhand":
        return translate(request, "One of a kind, and still here")
    if document.kind == "digital":
        return None
    if total <= _FEW:
        return translate(request, "Only %(n)s left") % {"n": total}
    return translate(request, "In stock")


async def _around(
    conn: ReadConn,
    engine: search.SearchEngine,
    document: listings.ListingDocument,
    settings: Settings,
    *,
    language: str,
) -> dict[str, object]:
    """What stands beside it: the seller, delivery, the species, neighbours. Five statements."""
    shops = await sellers.cards(conn, [document.seller.id])
    shop = shops.get(document.seller.id)
    species = None
    if document.species_id is not None:
        found = await catalog.species_by_ids(conn, [document.species_id])
        species = found.get(document.species_id)
    delivery = await _delivery(conn, document, settings)
    similar = await similar_ids(engine, document)
    more = await listings.newest(conn, seller_id=document.seller.id, limit=7)
    near = await listings.cards(conn, similar)
    known = {document.id, *similar}
    return {
        "seller": seller_item(shop, document.seller, language=language),
        "away": shop is not None and shop.on_holiday,
        "delivery": delivery,
        "arrives": _arrival(conn, delivery),
        "species": species,
        "similar": card_items(near),
        "compare_url": compare_url(
            [document.slug, *(card.slug for card in near)][: comparing.MOST]
        ),
        "more": card_items(card for card in more.items if card.id not in known)[:6],
    }


def seller_item(
    shop: sellers.SellerCard | None, ref: listings.SellerRef, *, language: str
) -> dict[str, object]:
    """For the `seller_card` macro."""
    item: dict[str, object] = {"name": ref.name, "url": f"/s/{ref.slug}"}
    if shop is not None:
        place = country_name(shop.country, language)
        logo = media_url(shop.logo_key, 320)
        item |= {
            "image_url": logo,
            "rating": shop.rating,
            "rating_count": shop.rating_count,
            "place": place,
        }
    return item


async def _delivery(
    conn: ReadConn, document: listings.ListingDocument, settings: Settings
) -> fulfilment.DeliveryOption | None:
    """The cheapest delivery of one piece to the marketplace's country."""
    if document.kind == "digital" or document.price is None:
        return None
    weight = next((v.weight_g for v in document.variants if v.weight_g), 0)
    group = fulfilment.GroupToShip(
        seller_id=document.seller.id,
        subtotal=Money(document.price.amount, document.price.currency),
        weight_g=weight or 0,
        needs_shipping=True,
    )
    options = await fulfilment.quote(conn, country=settings.country, groups=[group])
    offered = [o for o in options.get(document.seller.id, []) if o.kind == "delivery"]
    return min(offered, key=lambda option: option.amount.amount, default=None)


def _arrival(
    conn: ReadConn, delivery: fulfilment.DeliveryOption | None
) -> tuple[date, date] | None:
    """The days between which a parcel arrives that is sent today."""
    if delivery is None:
        return None
    today = conn.clock.now().date()
    return (
        fulfilment.working_days_after(today, delivery.min_days),
        fulfilment.working_days_after(today, delivery.max_days),
    )


def _crumbs(tree: catalog.Tree, document: listings.ListingDocument) -> list[dict[str, str]]:
    if document.category_id is None or document.category_id not in tree.by_id:
        return []
    return [
        {"text": each.name, "url": f"/c/{each.slug}"}
        for each in tree.ancestors(document.category_id)
    ]


def _attributes(
    tree: catalog.Tree, document: listings.ListingDocument, around: Mapping[str, Any]
) -> list[tuple[str, object]]:
    """Names and values; for plants without what the table of their species says already."""
    without = _OF_SPECIES if around["species"] is not None else ()
    return attribute_facts(tree, document.attributes, without=without)


async def preview(
    request: Req, document: listings.ListingDocument, template: str
) -> Response[bytes]:
    """The page of a listing that is not public yet, as buyers would see it."""
    pages = pages_of(request)
    tree = await tree_of(request)
    language = language_of(request)
    shown = msgspec.structs.replace(document, state="active")
    async with pages.services.db.read() as conn:
        stock = await inventory.availability(conn, [variant.id for variant in shown.variants])
        around = await _around(conn, pages.engine, shown, pages.settings, language=language)
    left = {variant.id: _left(shown, stock.get(variant.id)) for variant in shown.variants}
    context: dict[str, Any] = {
        **_own(request, shown, left, pages.settings),
        **around,
        "crumbs": _crumbs(tree, shown),
        "attributes": _attributes(tree, shown, around),
        "destination": country_name(pages.settings.country, language),
        "noindex": True,
    }
    return await page(request, template, **context)


routes: list[Any] = [listing_page]
