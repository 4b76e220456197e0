"""The whole demo assortment passes the marketplace's own rules, by its own commands."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
import pyvips

from souk import app as composition
from souk.contexts.listings import api as listings
from souk.demo import fill_world
from souk.demo.catalogue import load
from souk.demo.fill_goods import goods
from souk.demo.fill_people import people
from souk.demo.model import PhotoSpec
from souk.demo.pictures import read_picture, snapshot
from souk.platform.settings import Settings

_PLAIN = PhotoSpec(
    name="plain.svg", alt="A square.",
    svg='<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"/>',
)  # fmt: skip


async def test_all_that_the_data_offers_can_be_put_on_sale(
    db_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load()
    # Every rule sees every listing; one small picture each stands for all, which take minutes.
    plain = [
        msgspec.structs.replace(spec, photos=[_PLAIN] if spec.photos else [])
        for spec in whole.listings
    ]
    monkeypatch.setattr(
        fill_world.catalogue, "load", lambda: msgspec.structs.replace(whole, listings=plain)
    )
    wiring = fill_world.Wiring(composition.subscriptions(), composition.job_types())
    settings = Settings(
        environment="test", data_dir=tmp_path, database_url=db_url, secret_key="for tests " * 4
    )
    async with (
        composition.services(settings, role="worker") as services,
        fill_world.world(services, wiring, report=lambda *_: None) as made,
    ):
        await people(made)
        offered = await goods(made)
        async with services.db.read() as conn:
            shown = await listings.search_documents(conn, [each.listing_id for each in offered])
    assert len(offered) == len(whole.listings)
    assert {found.state for found in shown} == {"active"}
    assert {found.kind for found in shown} == {"goods", "digital", "secondhand"}
    fern = next(each for each in offered if each.spec.species and not each.spec.files)
    found = next(found for found in shown if found.listing_id == fern.listing_id)
    assert found.attributes["zone"] == fern.spec.attributes["zone"]
    assert found.category_path


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
