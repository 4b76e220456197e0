"""Each shop system's own habits, and the real file among the demo data."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from souk.contexts.listings.importing.drafts import (
    FileRef,
    ImageRef,
    Kind,
    ProductDraft,
    content_key,
)
from souk.contexts.listings.importing.export import own_columns, own_rows
from souk.contexts.listings.importing.reader import open_products
from souk.kernel.money import Money
from tests.listings.importing.reading import codes, drafts, opened, records

DATA = Path(__file__).parents[3] / "src/souk/demo/data"

SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,"
    "Variant Compare At Price,Variant Requires Shipping,Image Src,Image Position,Image Alt Text,"
    "Gift Card,SEO Title,Google Shopping / Condition,Variant Image,Status,"
    "Light (product.metafields.custom.light)\n"
)
FERN = (
    'fern,Boston fern,"<p>Green</p><script>x()</script>",Greenhouse,Plants,"fern, shade",TRUE,'
    "Size,Small,Pot,Clay,F-S,450,3,12.50,15.00,true,https://x.test/1.jpg,1,A fern,false,"
    "Buy fern,new,,active,Shade\n"
    "fern,,,,,,,,Large,,Clay,F-L,900,-2,19.00,19.00,true,https://x.test/2.jpg,2,,,,,"
    "https://x.test/3.jpg,,\n"
    "fern,,,,,,,,,,,,,,,,,https://x.test/4.jpg,3,Side view,,,,,,\n"
)


def test_a_shopify_product_with_variants_pictures_and_a_metafield() -> None:
    (draft,) = drafts(SHOPIFY + FERN)
    assert draft.external_id == "fern"
    assert draft.description_html == "<p>Green</p>"
    assert (draft.brand, draft.category_path, draft.tags) == (
        "Greenhouse", ["Plants"], ["fern", "shade"],
    )  # fmt: skip
    assert draft.attributes == {"Light": "Shade"}
    assert draft.publish
    assert draft.seo_title == "Buy fern"
    small, large = draft.variants
    assert small.options == {"Size": "Small", "Pot": "Clay"}
    assert (small.price, small.compare_at) == (Money(1250, "EUR"), Money(1500, "EUR"))
    assert (small.sku, small.stock, small.weight_g) == ("F-S", 3, 450)
    assert (large.stock, large.compare_at) == (0, None)
    assert draft.images[0] == ImageRef("https://x.test/1.jpg", "A fern", 1)
    assert [image.source[-5] for image in draft.images] == ["1", "2", "4", "3"]
    assert draft.rows == [2, 3, 4]


def test_shopifys_new_column_names_mean_the_same() -> None:
    names = {
        "Handle": "URL handle", "Body (HTML)": "Description", "Variant SKU": "SKU",
        "Published": "Published on online store", "Variant Grams": "Weight value (grams)",
        "Variant Inventory Qty": "Inventory quantity", "Variant Price": "Price",
        "Variant Compare At Price": "Compare-at price", "Image Src": "Product image URL",
        "Variant Requires Shipping": "Requires shipping", "Variant Image": "Variant image URL",
        "Option1 Name": "Option1 name", "Image Alt Text": "Image alt text",
    }  # fmt: skip
    header = ",".join(names.get(name, name) for name in SHOPIFY.strip().split(",")) + "\n"
    file = opened(header + FERN)
    assert file.format == "shopify"
    assert file.problems == []
    new, old = drafts(header + FERN), drafts(SHOPIFY + FERN)
    assert [content_key(draft) for draft in new] == [content_key(draft) for draft in old]


def test_a_variant_without_a_price_is_refused_and_the_others_land() -> None:
    text = SHOPIFY + FERN.replace(",19.00,19.00,", ",,,")
    (record,) = records(text)
    assert [variant.sku for variant in record.draft.variants] == ["F-S"]
    assert codes(record) == [(3, "price_missing")]


def test_a_product_without_any_price_or_title_is_refused() -> None:
    header = "Handle,Title,Option1 Value,Variant Price,Image Src\n"
    found = records(header + "a,Pot,,,https://x.test/1.jpg\nb,,Red,3,\n")
    assert [(record.refused, codes(record)) for record in found] == [
        (True, [(2, "price_missing")]), (True, [(3, "title_missing")]),
    ]  # fmt: skip


def test_gift_cards_digital_and_used_goods_of_shopify() -> None:
    header = (
        "Handle,Title,Variant Price,Variant Requires Shipping,Gift Card,"
        "Google Shopping / Condition,Status,Published\n"
    )
    found = records(
        header
        + "a,Card,10,false,true,,,\nb,E-book,10,false,,,draft,\nc,Bike,90,true,,used,,false\n"
    )
    assert codes(found[0]) == [(2, "gift_card")]
    assert (found[1].draft.kind, found[1].draft.publish) == (Kind.DIGITAL, False)
    assert (found[2].draft.kind, found[2].draft.condition) == (Kind.SECONDHAND, "good")
    assert not found[2].draft.publish


def test_duplicate_skus_and_variants_are_refused_by_row() -> None:
    header = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    found = records(header + "a,Tee,Size,S,T1,5\na,,,M,t1,5\na,,,s,T3,5\nb,Mug,,,T1,5\n")
    assert codes(found[0]) == [(3, "sku_duplicate"), (4, "variant_duplicate")]
    assert "row 2" in found[0].problems[0].message
    assert codes(found[1]) == [(5, "sku_duplicate")]
    assert found[1].refused


def test_bad_picture_addresses_and_too_many_pictures_are_left_out() -> None:
    header = "Handle,Title,Variant Price,Image Src\n"
    rows = "".join(f"a,,,https://x.test/{n}.jpg\n" for n in range(14))
    (record,) = records(f"{header}a,Pot,1,javascript:alert(1)\n{rows}")
    assert len(record.draft.images) == 10
    assert [code for _, code in codes(record)] == ["image_address", "images_too_many"]


def test_the_real_shopify_export_lands_completely() -> None:
    with (DATA / "shopify/packt-products.csv").open("rb") as stream:
        file = open_products(stream, currency="EUR")
        found = list(file.records())
    assert file.format == "shopify"
    assert [record.problems for record in found if record.refused] == []
    gloves = next(record.draft for record in found if record.external_id == "gardening-gloves")
    assert [variant.options["Color"] for variant in gloves.variants] == ["Green", "Yellow"]
    assert len(found) == 20


WOO = (
    'ID,Type,SKU,Name,Published,"Is featured?","Short description",Description,"In stock?",Stock,'
    '"Weight (lbs)","Date sale price ends","Sale price","Regular price",Categories,Tags,Images,'
    'Parent,"Attribute 1 name","Attribute 1 value(s)","Attribute 2 name","Attribute 2 value(s)",'
    '"Meta: _wp_old","Download 1 name","Download 1 URL"\n'
)
TEE = (
    '76,variation,tee-red,"Tee - Red",1,0,,,1,,,,,20,,,https://x.test/r.jpg,tee,Color,Red,Cut,,,,\n'
    '44,variable,tee,Tee,1,1,"A <b>tee</b>.","One\\nTwo",1,,.5,,,,'
    '"Clothing > Tshirts, Clothing","a, b","https://x.test/a.jpg, https://x.test/b.jpg",,'
    'Color,"Blue, Red",Cut,"Slim, Wide",1,,\n'
    "78,simple,mug,Mug,-1,0,,,1,5,,2030-01-01,4,5,Home,,,,,,,,,,\n"
    "77,variation,tee-blue,Tee - Blue,1,0,,,0,,,,18,20,,,,id:44,Color,Blue,Cut,,,,\n"
)


def test_woocommerce_variations_find_their_parent_by_id_or_sku_in_any_order() -> None:
    tee, mug = drafts(WOO + TEE)
    assert tee.external_id == "id:44"
    assert tee.rows == [2, 3, 5]
    assert tee.category_path == ["Clothing", "Tshirts"]
    assert tee.attributes == {"Cut": "Slim, Wide"}
    assert tee.description_html == "A <b>tee</b>.<p>One<br>Two</p>"
    red, blue = tee.variants
    assert (red.options, red.price, red.stock) == ({"Color": "Red"}, Money(2000, "EUR"), None)
    assert (blue.price, blue.compare_at, blue.stock) == (
        Money(1800, "EUR"), Money(2000, "EUR"), 0,
    )  # fmt: skip
    assert red.weight_g == 227
    assert [image.source[-5] for image in tee.images] == ["a", "b", "r"]
    assert (mug.publish, mug.variants[0].price) == (False, Money(500, "EUR"))


def test_woocommerce_downloads_and_types_that_cannot_be_sold() -> None:
    found = records(
        WOO
        + '73,"simple, downloadable, virtual",al,Album,1,0,s,l,1,,,,,15,Music,,,,,,,,,"One",https://x.test/1.mp3\n'
        + "80,grouped,g,Set,1,0,,,1,,,,,,,,,,,,,,,,\n"
        + "81,variation,v,Lost,1,0,,,1,,,,,9,,,,gone,Color,Red,,,,,\n"
        + "82,variable,w,Alone,1,0,,,1,,,,,9,,,,,,,,,,,\n"
    )
    assert found[0].draft.kind is Kind.DIGITAL
    assert found[0].draft.files == [FileRef("One", "https://x.test/1.mp3")]
    assert [codes(record) for record in found[1:]] == [
        [(3, "type_unsupported")], [(4, "parent_missing")], [(5, "variations_missing")],
    ]  # fmt: skip


OWN = (
    "external_id;title;kind;category;tags;attr:Water;option1_name;option1_value;price;currency;"
    "weight;images;publish;condition\n"
)


def test_the_own_csv() -> None:
    (draft,) = drafts(
        OWN + "p1;Lamp;second-hand;Home > Light;a|b;Low;Colour;Red;€ 12,50;EUR;1,5 kg;"
        "https://x.test/1.jpg|lamp.webp;yes;like new\np1;;;;;;;Blue;13;;;;;\n"
    )
    assert (draft.kind, draft.condition, draft.publish) == (Kind.SECONDHAND, "like_new", True)
    assert draft.attributes == {"Water": "Low"}
    assert [variant.options["Colour"] for variant in draft.variants] == ["Red", "Blue"]
    assert draft.variants[0].weight_g == 1500
    assert [image.source for image in draft.images] == ["https://x.test/1.jpg", "lamp.webp"]


@pytest.mark.parametrize(
    ("row", "code"),
    [("p1;Lamp;car;;;;;;5;;;;;\n", "kind_unknown"),
     ("p1;Lamp;;;;;;;5;USD;;;;\n", "price_currency"),
     (";;;;;;;;5;;;;;\n", "key_missing"),
     ("p1;" + "x" * 201 + ";;;;;;;5;;;;;\n", "title_too_long")],
)  # fmt: skip
def test_own_rows_that_are_refused(row: str, code: str) -> None:
    (record,) = records(OWN + row)
    assert record.refused
    assert code in [found for _, found in codes(record)]


def test_own_json_lines() -> None:
    lines = [
        {"external_id": "a", "title": "Lamp", "variants": [{"price": 12.1, "stock": 2}]},
        {"title": "Book", "kind": "digital", "files": [{"source": "book.pdf"}],
         "variants": [{"price": "1.234,50", "options": {"Format": "PDF"}}]},
        {"external_id": "a", "title": "Again", "variants": [{"price": 1}]},
        {"external_id": "b", "title": 5},
        {"external_id": "c", "title": "No price", "variants": [{}]},
        {"external_id": "d", "title": "Minus", "variants": [{"price": -1}]},
        {"external_id": "e", "title": "Stock", "variants": [{"price": 1, "stock": -1}]},
    ]  # fmt: skip
    text = "\n".join(json.dumps(line) for line in lines) + "\n{broken\n"
    found = records(text)
    assert [record.refused for record in found] == [False, False] + [True] * 6
    assert found[0].draft.variants[0].price == Money(1210, "EUR")
    assert found[1].draft.variants[0].price == Money(123450, "EUR")
    assert [codes(record)[0][1] for record in found[2:]] == [
        "product_duplicate", "member_wrong", "price_missing", "price_negative",
        "number_out_of_range", "json_broken",
    ]  # fmt: skip


def exported_as_csv(found: list[ProductDraft]) -> str:
    attributes = list(dict.fromkeys(name for draft in found for name in draft.attributes))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, own_columns(attributes))
    writer.writeheader()
    for draft in found:
        writer.writerows(own_rows(draft))
    return out.getvalue()


def test_an_exported_file_reads_back_as_the_same_products() -> None:
    for text in (SHOPIFY + FERN, WOO + TEE):
        found = drafts(text.replace("Boston fern", "=Boston fern").replace("Mug", "@Mug"))
        exported = exported_as_csv(found)
        assert "'=Boston" in exported or "'@Mug" in exported
        again = drafts(exported)
        assert [content_key(draft) for draft in again] == [content_key(draft) for draft in found]


def warned(text: str) -> list[tuple[int, str]]:
    return [pair for record in records(text) for pair in codes(record)]


def test_figures_that_cannot_be_right_are_left_out_or_refused() -> None:
    header = "title,price,compare_at_price,stock,weight,sku,condition,kind,tags\n"
    many = "|".join(f"tag {n}" for n in range(30))
    assert warned(header + "A,10,5,,,,,,\n") == [(2, "compare_at_below")]
    assert warned(header + 'A,10,"1,234",,,,,,\n') == [(2, "price_notation")]
    assert warned(header + "A,10,dear,,,,,,\n") == [(2, "price_unreadable")]
    assert warned(header + '"A","1.234",,,,,,,\n') == [(2, "price_notation")]
    assert warned(header + "A,10,,some,,,,,\n") == [(2, "stock_unreadable")]
    assert warned(header + "A,10,,,heavy,,,,\n") == [(2, "weight_unreadable")]
    assert warned(header + "A,10,,,,Ä#1,,,\n") == [(2, "sku_unusable")]
    assert warned(header + "A,10,,,,,shabby,used,\n") == [(2, "condition_unknown")]
    assert warned(header + f"A,10,,,,,,,{many}\n") == [(2, "tags_too_many")]


def test_a_product_has_at_most_a_hundred_variants() -> None:
    rows = "".join(f"a,,Size,{n},5\n" for n in range(105))
    (record,) = records(
        "external_id,title,option1_name,option1_value,price\na,Tee,Size,x,5\n" + rows
    )
    assert len(record.draft.variants) == 100
    assert [code for _, code in codes(record)] == ["variants_too_many"] * 6


def test_a_sale_makes_the_regular_price_the_former_one_only_when_it_is_lower_and_lasting() -> None:
    header = "Type,SKU,Name,Regular price,Sale price,Date sale price ends,Categories,In stock?\n"
    found = records(
        header
        + "simple,a,A,10,12,,,1\nsimple,b,B,10,8,2030-01-01,,1\nsimple,c,C,10,10,,,0\n"
        + 'simple,d,D,10,8,,"Home, Garden > Pots, Home\\, sweet home",1\n'
    )
    prices = [(record.draft.variants[0].price, record.draft.variants[0].compare_at)
              for record in found]  # fmt: skip
    ten, eight = Money(1000, "EUR"), Money(800, "EUR")
    assert prices == [(ten, None), (ten, None), (ten, None), (eight, ten)]
    assert [codes(record) for record in found] == [
        [(2, "sale_above")], [(3, "sale_dated")], [], [(5, "categories_many")],
    ]  # fmt: skip
    assert found[2].draft.variants[0].stock == 0
    assert found[3].draft.category_path == ["Garden", "Pots"]
    assert found[0].draft.external_id == "sku:a"


def test_woocommerce_rows_are_joined_when_id_and_sku_name_the_same_product() -> None:
    header = "ID,Type,SKU,Name,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)\n"
    (record,) = records(
        header
        + "8,variation,x-s,,5,id:7,Size,S\n9,variation,x-m,,6,x,Size,M\n7,variable,x,Tee,,,Size,\n"
    )
    assert [variant.options for variant in record.draft.variants] == [{"Size": "S"}, {"Size": "M"}]
    repeated = records(header + "7,simple,x,Tee,5,,,\n7,simple,y,Tee again,5,,,\n")
    assert [codes(record) for record in repeated] == [[(3, "product_duplicate")]]
    assert warned(header + "8,variation,x-s,,5,,Size,S\n") == [(2, "key_missing")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": ""}, "title_missing"), ({"title": "x" * 201}, "title_too_long"),
        ({"description": "x" * 1_000_001}, "field_too_large"),
        ({"variants": [{"price": 1, "sku": "Ä"}]}, "sku_unusable"),
        ({"variants": [{"price": 1, "sku": "TAKEN"}]}, "sku_duplicate"),
        ({"variants": [{"price": 1, "currency": "USD"}]}, "price_currency"),
        ({"variants": [{"price": 1e14}]}, "price_absurd"),
        ({"variants": [{"price": 1e-20}]}, "price_unreadable"),
        ({"variants": [{"price": "dear"}]}, "price_unreadable"),
        ({"variants": []}, "nothing_to_sell"), ({"kind": "car"}, "member_wrong"),
        ({"variants": [{"price": 1, "weight_g": -1}]}, "number_out_of_range"),
    ],
)  # fmt: skip
def test_json_lines_that_are_refused(change: dict[str, object], code: str) -> None:
    first = {"title": "First", "variants": [{"price": 1, "sku": "TAKEN"}]}
    second = {"title": "Second", "variants": [{"price": 1}]} | change
    found = records(json.dumps(first) + "\n" + json.dumps(second) + "\n")
    assert not found[0].refused
    assert found[1].refused
    assert codes(found[1])[0] == (2, code)


def test_json_lines_warn_and_skip_empty_lines() -> None:
    line = {"title": "A", "variants": [{"price": "1.234", "compare_at": 9, "options": {"": "x"}}],
            "kind": "secondhand", "condition": "good", "tags": ["", "a"]}  # fmt: skip
    (record,) = records("\n" + json.dumps(line) + "\n\n")
    assert codes(record) == [(2, "price_notation")]
    assert record.draft.variants[0].compare_at is None
    assert (record.draft.condition, record.draft.tags) == ("good", ["a"])
    assert records('{"title": "' + "x" * 8_100_000 + '"}\n')[0].problems[0].code == "line_too_long"
