"""The fields of the index, and a listing as a document of it.

All words are in one field, `text`, repeated by the weight of where they stand: BM25F's idea
(Robertson, Zaragoza, Taylor 2004) in a form that needs one posting list per word, so that the best
hits are found without scoring them all. Single-valued columns carry what is counted, since
counting a multi-valued one costs ten times as much.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections import Counter
from uuid import UUID

import msgspec
from tantivy import Document, Schema, SchemaBuilder

from souk.contexts.search.adapters.embedded import analysis
from souk.contexts.search.domain import MAX_PRICE, SearchDocument, quality
from souk.contexts.search.text import encodable, words

TITLE_WEIGHT, NAME_WEIGHT, SELLER_WEIGHT = 8, 4, 2
MAX_DESCRIPTION_REPEATS = 2
MAX_DESCRIPTION = 20_000
MAX_VALUE = 200
# One listing in so many is in the sample as well, on which very large results are counted.
SAMPLE = 16
# Orders and how many low bits their coarse form, which is indexed, leaves out.
ORDERS = {"by_new": 44, "by_price": 26, "by_rating": 33, "by_popular": 44, "by_merit": 44}
SEPARATOR, STEP = "\x1f", "\x1e"
MIN_RATED, NOT_RATED = 1, 0
_RATING_UNITS = 100


def build_schema() -> Schema:
    """The fields; a change here needs a new `layout.FORMAT`."""
    schema = SchemaBuilder()
    schema.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    for name in ("plain", "title_words", "title_stems"):
        schema.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in ("id", "title_key", "category"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("path", "seller_label", "kind", "stock", "attribute"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("seller", "number"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic")
    schema.add_json_field("numbers", fast=True, tokenizer_name="raw", index_option="basic")
    schema.add_unsigned_field("price", indexed=True, fast=True)
    schema.add_unsigned_field("rating", indexed=True, fast=True)
    schema.add_unsigned_field("stars", fast=True)
    for name in ("id_high", "id_low", *ORDERS):
        schema.add_unsigned_field(name, fast=True)
    for name in ORDERS:
        schema.add_unsigned_field(coarse(name), indexed=True)
    schema.add_float_field("weight", fast=True)
    schema.add_bytes_field("shown", stored=True)
    return schema.build()


def to_document(listing: SearchDocument) -> Document:
    """A listing as an index document."""
    document = Document()
    _add_words(document, listing)
    _add_filters(document, listing)
    _add_orders(document, listing)
    return document


def id_of(high: int, low: int) -> UUID:
    """The listing's id from its two columns."""
    return UUID(int=high << 64 | low)


def coarse(order: str) -> str:
    """The field with the order's high bits: by it a tail of the order is cut without a scan."""
    return f"{order}_coarse"


def is_sampled(listing_id: UUID) -> bool:
    """Whether the listing is one of the sample."""
    return _digest(listing_id) % SAMPLE == 0


def rating_units(rating: float) -> int:
    """A rating as the index holds it, in hundredths; `NOT_RATED` stands for none."""
    return max(round(rating * _RATING_UNITS), MIN_RATED)


def weight_of(merit: float) -> float:
    """The column by which the engine multiplies scores: it takes log2(2 + weight)."""
    return 2**merit - 2


def merit_of(weight: float) -> float:
    """The merit behind a `weight`."""
    return math.log2(2 + weight)


def attribute_term(code: str, value: str) -> str:
    return f"{code}{SEPARATOR}{_clean(value)[:MAX_VALUE]}"


def _add_words(document: Document, listing: SearchDocument) -> None:
    language = analysis.language_of(listing.language)
    title = words(listing.title)
    called = [listing.brand or "", listing.scientific_name or "", *listing.common_names]
    own_names = words(" ".join(called))
    names = own_names + words(" ".join([*listing.category_names, *listing.keywords]))
    seller = words(listing.seller_name)
    body = [
        word
        for word, times in Counter(words(listing.description_text[:MAX_DESCRIPTION])).items()
        for _ in range(min(times, MAX_DESCRIPTION_REPEATS))
    ]
    title_stems = analysis.stems(title, language=language)
    weighted = title_stems * TITLE_WEIGHT
    weighted += analysis.stems(list(dict.fromkeys(names)), language=language) * NAME_WEIGHT
    weighted += analysis.stems(seller, language=language) * SELLER_WEIGHT
    weighted += analysis.stems(body, language=language)
    document.add_text("text", " ".join(weighted))
    document.add_text("plain", " ".join(dict.fromkeys([*title, *names, *seller, *body])))
    document.add_text("title_words", " ".join(dict.fromkeys([*title, *own_names])))
    document.add_text("title_stems", " ".join(dict.fromkeys(title_stems)))
    document.add_text("title_key", " ".join(title)[:MAX_VALUE])
    document.add_bytes("shown", msgspec.json.encode(_clean(listing.title)))


def _add_filters(document: Document, listing: SearchDocument) -> None:
    document.add_text("id", listing.listing_id.hex)
    document.add_text("seller", listing.seller_id.hex)
    document.add_text(
        "seller_label", f"{listing.seller_id.hex}{SEPARATOR}{_clean(listing.seller_name)}"
    )
    for category in listing.category_ids:
        document.add_text("category", category.hex)
    if listing.category_ids:
        steps = zip(listing.category_ids, listing.category_names, strict=True)
        path = STEP.join(f"{one.hex}{SEPARATOR}{_clean(name)}" for one, name in steps)
        document.add_text("path", path)
    document.add_text("kind", listing.kind)
    document.add_text("stock", str(listing.in_stock).lower())
    document.add_unsigned("price", min(listing.price, MAX_PRICE))
    rating = NOT_RATED if listing.rating is None else rating_units(listing.rating)
    document.add_unsigned("rating", rating)
    document.add_unsigned("stars", rating // _RATING_UNITS)
    numbers: dict[str, float] = {}
    for code, value in listing.attributes.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value):
                document.add_text("number", f"{code}{SEPARATOR}{float(value)!r}")
                numbers[code] = float(value)
        else:
            _add_choices(document, code=code, value=value)
    if numbers:
        document.add_json("numbers", numbers)


def _add_choices(document: Document, *, code: str, value: str | bool | list[str]) -> None:
    if isinstance(value, bool):
        document.add_text("attribute", attribute_term(code, str(value).lower()))
        return
    for one in dict.fromkeys([value] if isinstance(value, str) else value):
        document.add_text("attribute", attribute_term(code, one))


def _add_orders(document: Document, listing: SearchDocument) -> None:
    """Columns whose high bits order the hits and whose low bits, from the id, settle ties."""
    digest = _digest(listing.listing_id)
    document.add_unsigned("id_high", listing.listing_id.int >> 64)
    document.add_unsigned("id_low", listing.listing_id.int & 2**64 - 1)
    seconds = min(max(int(listing.published_at.timestamp()), 0), 2**34 - 1)
    rating = NOT_RATED if listing.rating is None else rating_units(listing.rating)
    ratings = min(max(listing.rating_count, 0), 2**20 - 1)
    merit = quality(listing)
    keys = {
        "by_new": seconds << 30 | digest >> 34,
        "by_price": min(listing.price, MAX_PRICE) << 26 | digest >> 38,
        "by_rating": rating << 51 | ratings << 31 | digest >> 33,
        "by_popular": _ordered_bits(listing.popularity) << 32 | digest >> 32,
        "by_merit": _ordered_bits(merit) << 32 | digest >> 32,
    }
    for name, key in keys.items():
        document.add_unsigned(name, key)
        document.add_unsigned(coarse(name), key >> ORDERS[name])
    document.add_float("weight", weight_of(merit))


def _digest(listing_id: UUID) -> int:
    """64 bits that say nothing of the id but stay the same."""
    return int.from_bytes(hashlib.blake2b(listing_id.bytes, digest_size=8).digest())


def _ordered_bits(value: float) -> int:
    """A number ≥ 0 as 32 bits that sort as it does (IEEE 754 single precision)."""
    finite = min(max(value, 0.0), 3e38) if not math.isnan(value) else 0.0
    return int.from_bytes(struct.pack(">f", finite))


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return encodable(text).replace(SEPARATOR, " ").replace(STEP, " ")
