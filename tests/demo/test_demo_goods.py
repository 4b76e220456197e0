"""The whole demo assortment passes the marketplace's own rules, by its own commands."""

from __future__ import annotations

import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import pyvips

from souk.contexts.catalog import api as catalog
from souk.contexts.listings import api as listings
from souk.contexts.sellers import api as sellers
from souk.demo import goods
from souk.demo.catalogue import load
from souk.demo.model import PhotoSpec
from souk.demo.pictures import read_picture, snapshot
from souk.kernel.actor import Actor, Role, system
from souk.kernel.ids import uuid7
from souk.platform.services import Services

_ADMIN = system("tests")


async def open_shop(services: Services, name: str, slug: str) -> goods.Shop:
    owner = Actor(kind="user", user_id=uuid7(), email_verified=True)
    application = sellers.Application(name=name, slug=slug, country="DE", bio="A shop.")
    shop = await services.db.transact(lambda tx: sellers.apply(tx, owner, application=application))
    await services.db.transact(lambda tx: sellers.approve(tx, _ADMIN, seller_id=shop.id))
    actor = Actor(
        kind="user", user_id=owner.user_id, seller_id=shop.id, roles=frozenset({Role.SELLER})
    )
    return goods.Shop(shop.id, actor)


async def test_everything_can_be_put_on_sale(services: Services) -> None:
    whole = load()
    # Every rule sees every listing below; only some take the time of pictures and publication.
    last = len(whole.listings) - 30
    some = [spec for n, spec in enumerate(whole.listings) if n % 25 == 0 or n > last]
    demo = msgspec.structs.replace(whole, listings=some)
    shops = {s.slug: await open_shop(services, s.name, s.slug) for s in demo.sellers}
    steps: Counter[str] = Counter()

    def report(what: str, done: int, total: int | None) -> None:
        steps[what] = done

    made = await goods.fill_goods(services, demo, shops, admin=_ADMIN, report=report)
    assert steps == {"Species": len(demo.species), "Listings": len(demo.listings)}
    assert len(made) == len(demo.listings)
    async with services.db.read() as conn:
        tree = await catalog.tree(conn)
        shown = await listings.search_documents(conn, list(made.values()))
        maple = await catalog.species(conn, "Acer rubrum")
    assert {found.state for found in shown} == {"active"}
    assert {found.kind for found in shown} == {"goods", "digital", "secondhand"}
    assert (maple.zone_min, maple.zone_max) == ("3a", "9b")
    fern = next(spec for spec in demo.listings if spec.species and not spec.files)
    ids = {found.listing_id: found for found in shown}
    found = ids[made[fern.draft.external_id]]
    assert found.attributes["zone"] == fern.attributes["zone"]
    assert found.category_path[0] == tree.get("plants").id


async def test_every_listing_keeps_the_rules_of_listings(services: Services) -> None:
    for spec in load().listings:
        data, variants = goods.listing_input(spec, category_id=uuid7(), species_id=None)
        assert len(data.tags) <= 20
        listing = await services.db.transact(
            lambda tx, data=data, variants=variants: listings.create(
                tx, _ADMIN, seller_id=_SELLER,
                data=msgspec.structs.replace(data, variants=[each.variant for each in variants]),
            )
        )  # fmt: skip
        assert len(listing.variants) == len(spec.draft.variants)
        assert all(0 <= (each.on_hand or 0) <= 10_000 for each in variants)


_SELLER = uuid7()


def test_drawings_may_be_rendered_by_many_threads_and_the_loader_is_shut_again() -> None:
    drawing = PhotoSpec(
        name="dot.svg", alt="A dot.",
        svg='<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><circle r="2"/></svg>',
    )  # fmt: skip
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # Threads interrupt each other as often as they can.
    try:
        with ThreadPoolExecutor(max_workers=8) as pool:
            made = list(pool.map(read_picture, [drawing] * 800))
    finally:
        sys.setswitchinterval(usual)
    assert len(set(made)) == 1
    assert made[0].startswith(b"\x89PNG")
    with pytest.raises(pyvips.Error, match="blocked"):
        pyvips.Image.svgload_buffer(drawing.svg.encode())


def test_snapshots_are_parts_of_photographs() -> None:
    spec = next(one for one in load().listings if one.photos and one.photos[0].path)
    rng = random.Random(7)
    whole = pyvips.Image.new_from_buffer(read_picture(spec.photos[0]), "")
    for _ in range(5):
        taken = pyvips.Image.new_from_buffer(snapshot(spec.photos[0], rng), "")
        assert taken.get("vips-loader") == "jpegload_buffer"
        assert (taken.bands, taken.interpretation) == (3, "srgb")
        assert 200 < taken.width < whole.width
        assert 200 < taken.height < whole.height
