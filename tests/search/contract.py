"""What every search engine must do. An adapter's test module subclasses these with a fixture
`make_engine`, which opens an empty engine for writing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from souk.contexts.search.api import (
    NumberRange,
    SearchDocument,
    SearchEngine,
    SearchQuery,
    SearchResult,
    Sort,
)
from souk.kernel.errors import InvalidInput
from souk.kernel.ids import uuid7
from tests.search import model
from tests.search.factories import (
    BOOKS,
    INDOOR,
    MODIFIERS,
    NOUNS,
    OUTDOOR,
    PLANTS,
    SELLERS,
    STARTED,
    document,
    random_documents,
)

MakeEngine: TypeAlias = Callable[[], SearchEngine]
QUERIES = st.builds(
    SearchQuery,
    text=st.sampled_from(["", *NOUNS[:3], f"{MODIFIERS[0]} {NOUNS[0]}", "sunny window"]),
    category_id=st.sampled_from([None, PLANTS, INDOOR, BOOKS]),
    seller_ids=st.lists(st.sampled_from(SELLERS), max_size=2, unique=True),
    kinds=st.lists(st.sampled_from(["goods", "digital"]), max_size=2, unique=True),
    price_min=st.sampled_from([None, 0, 500]),
    price_max=st.sampled_from([None, 1_000, 1_500]),
    rating_min=st.sampled_from([None, 3.0, 4.0]),
    in_stock=st.sampled_from([None, True, False]),
    attributes=st.sampled_from(
        [{}, {"colour": ["red"]}, {"colour": ["red", "blue"], "scented": ["true"]}]
    ),
    ranges=st.sampled_from(
        [{}, {"height": NumberRange(20, 40)}, {"height": NumberRange(None, 30)}]
    ),
    sort=st.sampled_from(list(Sort)),
    size=st.just(100),
)


def _titles(engine: SearchEngine, listings: list[SearchDocument], text: str) -> list[str]:
    known = {one.listing_id: one.title for one in listings}
    return [known[found] for found in engine.search(SearchQuery(text=text)).ids]


def _filled(make_engine: MakeEngine, *listings: SearchDocument) -> SearchEngine:
    engine = make_engine()
    engine.index(listings)
    engine.commit()
    return engine


class Holding:
    """What goes in comes out, and what is removed does not."""

    def test_empty_index_finds_nothing(self, make_engine: MakeEngine) -> None:
        result = make_engine().search(SearchQuery(text="fern"))
        assert (result.ids, result.total, result.facets, result.price) == ([], 0, [], None)

    def test_found_after_commit_only(self, make_engine: MakeEngine) -> None:
        engine, fern = make_engine(), document("Boston fern")
        engine.index([fern])
        assert engine.search(SearchQuery(text="fern")).total == 0
        engine.commit()
        assert engine.search(SearchQuery(text="fern")).ids == [fern.listing_id]

    def test_indexing_again_replaces(self, make_engine: MakeEngine) -> None:
        fern = document("Boston fern")
        engine = _filled(make_engine, fern, document("Basil"))
        engine.index([msgspec.structs.replace(fern, title="Royal maple", price=1)])
        engine.commit()
        assert engine.count() == 2
        assert engine.search(SearchQuery(text="boston")).ids == []
        assert engine.search(SearchQuery(price_max=1)).ids == [fern.listing_id]

    def test_deleted_is_gone(self, make_engine: MakeEngine) -> None:
        fern = document("Boston fern")
        engine = _filled(make_engine, fern, document("Boston ivy"))
        engine.delete([fern.listing_id, uuid7()])
        engine.commit()
        result = engine.search(SearchQuery(text="boston"))
        assert engine.count() == result.total == 1
        assert fern.listing_id not in result.ids

    def test_rebuild_replaces_everything_at_once(self, make_engine: MakeEngine) -> None:
        engine = _filled(make_engine, document("Boston fern"))
        build = engine.begin_rebuild()
        maple = document("Royal maple")
        build.index([maple])
        assert engine.search(SearchQuery()).total == 1
        assert engine.search(SearchQuery(text="maple")).total == 0
        build.publish()
        assert engine.search(SearchQuery()).ids == [maple.listing_id]
        engine.index([document("Sweet basil")])
        engine.commit()
        assert engine.count() == 2

    def test_new_index_asks_for_a_rebuild_until_one_is_published(
        self, make_engine: MakeEngine
    ) -> None:
        engine = make_engine()
        assert engine.needs_rebuild
        engine.begin_rebuild().publish()
        assert not engine.needs_rebuild

    def test_discarded_rebuild_changes_nothing(self, make_engine: MakeEngine) -> None:
        engine = _filled(make_engine, document("Boston fern"))
        build = engine.begin_rebuild()
        build.index([document("Royal maple")])
        build.discard()
        assert engine.search(SearchQuery(text="fern")).total == 1


class Agreeing:
    """Filters, counts, totals and orders agree with the plain way."""

    listings = random_documents(90, seed=3)

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, make_engine: MakeEngine) -> SearchEngine:
        return _filled(make_engine, *cls.listings)

    @given(query=QUERIES)
    def test_hits_are_those_that_match(self, engine: SearchEngine, query: SearchQuery) -> None:
        result = engine.search(query)
        wanted = model.matches(self.listings, query)
        if len(wanted) >= 3 or not query.text:
            assert set(result.ids) == {one.listing_id for one in wanted}
            assert result.total == len(wanted)
            assert result.total_exact
            assert not result.corrected
            assert not result.relaxed

    @given(query=QUERIES)
    def test_facet_counts(self, engine: SearchEngine, query: SearchQuery) -> None:
        if query.text and len(model.matches(self.listings, query)) < 3:
            return
        result = engine.search(query)
        assert result.facets_exact
        wanted = model.facet_counts(self.listings, query)
        shown = {facet.code: facet for facet in result.facets if facet.kind != "range"}
        for code, facet in shown.items():
            counts = {bucket.value: bucket.count for bucket in facet.buckets if bucket.count}
            if code == "category" and query.category_id is not None:
                assert counts.items() <= wanted.get(code, {}).items()
            else:
                assert counts == wanted.get(code, {})
        assert wanted.keys() <= shown.keys()

    @given(query=QUERIES)
    def test_price_range_ignores_the_price_filter(
        self, engine: SearchEngine, query: SearchQuery
    ) -> None:
        wanted = [one.price for one in model.matches(self.listings, query, without="price")]
        if query.text and len(model.matches(self.listings, query)) < 3:
            return
        price = engine.search(query).price
        assert (price is None) == (not wanted)
        if price is not None:
            assert (price.min, price.max) == (min(wanted), max(wanted))

    def test_number_facet_spans_all_but_its_own_filter(self, engine: SearchEngine) -> None:
        result = engine.search(SearchQuery(ranges={"height": NumberRange(20, 30)}))
        (height,) = [facet for facet in result.facets if facet.code == "height"]
        numbers = [one.attributes["height"] for one in self.listings if "height" in one.attributes]
        assert (height.kind, height.min, height.max) == ("range", min(numbers), max(numbers))

    def test_selected_values_stay_even_when_nothing_has_them(self, engine: SearchEngine) -> None:
        result = engine.search(SearchQuery(attributes={"colour": ["black"]}, kinds=["goods"]))
        (colour,) = [facet for facet in result.facets if facet.code == "colour"]
        chosen = {bucket.value: bucket.count for bucket in colour.buckets if bucket.selected}
        assert chosen == {"black": 0}
        assert result.total == 0

    @pytest.mark.parametrize(
        ("sort", "key"),
        [
            (Sort.NEWEST, lambda one: -one.published_at.timestamp()),
            (Sort.PRICE_ASC, lambda one: one.price),
            (Sort.PRICE_DESC, lambda one: -one.price),
            (Sort.RATING, lambda one: (-(one.rating or 0), -one.rating_count * bool(one.rating))),
            (Sort.POPULAR, lambda one: -one.popularity),
        ],
    )
    def test_sorts(
        self, engine: SearchEngine, sort: Sort, key: Callable[[SearchDocument], Any]
    ) -> None:
        by_id = {one.listing_id: one for one in self.listings}
        found = [by_id[one] for one in engine.search(SearchQuery(sort=sort, size=100)).ids]
        assert len(found) == len(self.listings)
        rated = [one for one in found if sort is not Sort.RATING or one.rating]
        assert [key(one) for one in rated] == sorted(key(one) for one in rated)

    @pytest.mark.parametrize("sort", list(Sort))
    @pytest.mark.parametrize("text", ["", "green"])
    def test_pages_join_without_gap_or_repeat(
        self, engine: SearchEngine, sort: Sort, text: str
    ) -> None:
        whole = engine.search(SearchQuery(text=text, sort=sort, size=100)).ids
        paged = [
            one
            for page in range(1, 15)
            for one in engine.search(SearchQuery(text=text, sort=sort, page=page, size=7)).ids
        ]
        assert paged == whole
        assert len(set(whole)) == len(whole) > 7

    def test_equal_values_come_in_an_order_fixed_by_id(self, make_engine: MakeEngine) -> None:
        same = [document("Fern", listing_id=UUID(int=n)) for n in range(1, 30)]
        query = SearchQuery(text="fern", sort=Sort.PRICE_ASC, size=100)
        forwards = _filled(make_engine, *same)
        forwards.index(same[:5])
        forwards.commit()
        wanted = forwards.search(query).ids
        assert _filled(make_engine, *reversed(same)).search(query).ids == wanted

    def test_facets_can_be_left_out(self, engine: SearchEngine) -> None:
        result = engine.search(SearchQuery(text="fern", facets=False))
        assert result.facets == []
        assert result.total == engine.search(SearchQuery(text="fern")).total


class Ranking:
    """The better match comes first."""

    def test_title_before_names_before_description(self, make_engine: MakeEngine) -> None:
        listings = [
            document("Garden bench", description_text="lovely beside a lavender in any garden"),
            document("Blue herb", common_names=["lavender"]),
            document("Lavender"),
        ]
        engine = _filled(make_engine, *listings)
        assert _titles(engine, listings, "lavender") == ["Lavender", "Blue herb", "Garden bench"]

    def test_exact_title_comes_first(self, make_engine: MakeEngine) -> None:
        listings = [
            document("Aloe vera aloe vera", popularity=1_000.0),
            document("Aloe vera", popularity=0.0),
            document("Aloe vera gel", popularity=1_000.0),
        ]
        engine = _filled(make_engine, *listings)
        assert _titles(engine, listings, "ALOE  vera")[0] == "Aloe vera"

    def test_in_stock_and_popular_come_first_among_equals(self, make_engine: MakeEngine) -> None:
        listings = [
            document("Dwarf fern a", in_stock=False),
            document("Dwarf fern b"),
            document("Dwarf fern c", popularity=500.0),
        ]
        engine = _filled(make_engine, *listings)
        found = _titles(engine, listings, "fern")
        assert found == ["Dwarf fern c", "Dwarf fern b", "Dwarf fern a"]
        assert [found[-1]] == _titles(engine, listings, "")[-1:]


class Understanding:
    """Words are found in the forms in which people write them."""

    @pytest.mark.parametrize(
        ("language", "title", "asked"),
        [
            ("en", "Climbing roses", "rose"),
            ("en", "Potted plant", "PLANTS"),
            ("de", "Häuser für Vögel", "haus vogel"),
            ("fr", "Plantes épicées", "plante epicee"),
            ("es", "Canción del jardín", "canciones jardines"),
            ("ar", "نبتة الصبار", "الصبار"),
            ("en", "Crème brûlée mould", "creme brulee"),
            ("en", "Straße map", "strasse"),
            ("ja", "盆栽の松", "盆栽"),
            ("en", "Ｆｕｌｌｗｉｄｔｈ ﬁg", "fullwidth fig"),
            ("en", "Rose for the garden", "rose in a garden"),
            ("en", "The The", "the"),
        ],
    )
    def test_forms(self, make_engine: MakeEngine, language: str, title: str, asked: str) -> None:
        wanted = document(title, language=language, category_ids=[], category_names=[])
        engine = _filled(
            make_engine,
            wanted,
            document("Unrelated kettle", category_ids=[BOOKS], category_names=["Books"]),
        )
        result = engine.search(SearchQuery(text=asked))
        assert result.ids == [wanted.listing_id]
        assert not result.corrected
        assert not result.relaxed

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("orchd", "orchid"),
            ("orhcid", "orchid"),
            ("lavnedar", "lavender"),
            ("monstrea delciosa", "monstera deliciosa"),
            ("mosntera deliciosa", "monstera deliciosa"),
        ],
    )
    def test_typos_are_corrected(self, make_engine: MakeEngine, typed: str, meant: str) -> None:
        wanted = document(meant.title())
        others = [document(f"{noun} pot {n}") for n, noun in enumerate(["cactus", "fern", "maple"])]
        engine = _filled(make_engine, wanted, *others)
        result = engine.search(SearchQuery(text=typed))
        assert result.ids == [wanted.listing_id]
        assert (result.corrected, result.did_you_mean) == (True, meant)

    def test_short_words_and_numbers_are_taken_literally(self, make_engine: MakeEngine) -> None:
        engine = _filled(make_engine, document("Ivy 12345"), document("Red pot"))
        for text in ("ivz", "12346"):
            assert engine.search(SearchQuery(text=text)).ids == []

    def test_correct_words_that_find_enough_are_not_corrected(
        self, make_engine: MakeEngine
    ) -> None:
        listings = [document(f"Form {n}") for n in range(3)] + [document("Fern") for _ in range(50)]
        result = _filled(make_engine, *listings).search(SearchQuery(text="form"))
        assert (result.total, result.corrected, result.did_you_mean) == (3, False, None)

    def test_common_spelling_is_offered_beside_a_rare_one(self, make_engine: MakeEngine) -> None:
        listings = [document("Orchd"), *(document(f"Orchid {n}") for n in range(30))]
        result = _filled(make_engine, *listings).search(SearchQuery(text="orchd"))
        assert result.ids[0] == listings[0].listing_id
        assert (result.did_you_mean, result.corrected) == ("orchid", False)
        assert result.total == 31

    def test_last_word_may_be_unfinished(self, make_engine: MakeEngine) -> None:
        wanted = document("Japanese maple")
        engine = _filled(make_engine, wanted, document("Japanese cherry"))
        assert engine.search(SearchQuery(text="japanese map")).ids == [wanted.listing_id]

    def test_all_words_are_required_until_nothing_has_them_all(
        self, make_engine: MakeEngine
    ) -> None:
        both, one = document("Silver fern"), document("Silver spoon")
        engine = _filled(make_engine, both, one)
        strict = engine.search(SearchQuery(text="silver fern"))
        assert (strict.ids, strict.relaxed) == ([both.listing_id], False)
        relaxed = engine.search(SearchQuery(text="silver fern xylophone"))
        assert (relaxed.ids[0], relaxed.relaxed) == (both.listing_id, True)

    def test_suggestions(self, make_engine: MakeEngine) -> None:
        maple = document("Japanese maple", popularity=9.0)
        engine = _filled(make_engine, maple, document("Japanese cherry"), document("Mapping pen"))
        queries = [one.text for one in engine.suggest("japanese ma") if one.kind == "query"]
        assert queries == ["japanese maple"]
        listings = [one for one in engine.suggest("JAPANESE Ma") if one.kind == "listing"]
        assert [(one.text, one.id) for one in listings] == [(maple.title, maple.listing_id)]
        categories = [one for one in engine.suggest("ind") if one.kind == "category"]
        assert [(one.text, one.id) for one in categories] == [("Indoor", INDOOR)]
        assert len(engine.suggest("japanese", limit=2)) == 2
        assert engine.suggest("") == engine.suggest("zzz") == engine.suggest("m" * 500) == []

    def test_category_path_is_found_by_every_step(self, make_engine: MakeEngine) -> None:
        fern = document("Fern")
        engine = _filled(make_engine, fern, document("Atlas", category_ids=[], category_names=[]))
        for category in (PLANTS, INDOOR):
            assert engine.search(SearchQuery(category_id=category)).ids == [fern.listing_id]
        result = engine.search(SearchQuery(category_id=OUTDOOR))
        assert result.total == 0
        (tree,) = [facet for facet in result.facets if facet.code == "category"]
        shown = {(bucket.label, bucket.parent) for bucket in tree.buckets}
        assert shown == {("Plants", None), ("Indoor", PLANTS.hex)}


class Enduring:
    """Anything may be asked."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, make_engine: MakeEngine) -> SearchEngine:
        return _filled(make_engine, *random_documents(20, seed=5))

    @given(text=st.text(max_size=60), more=st.text(alphabet="\"'*~?:^()[]{}+-\\/|&! fernOR"))
    def test_any_text(self, engine: SearchEngine, text: str, more: str) -> None:
        for asked in (text, more, f"fern {text}"):
            result = engine.search(SearchQuery(text=asked))
            assert isinstance(result, SearchResult)
            assert result.total >= len(result.ids)
            engine.suggest(asked)

    @given(text=st.text(alphabet=st.characters(), max_size=20))
    def test_any_text_in_filters_and_documents(self, engine: SearchEngine, text: str) -> None:
        odd = document(
            text,
            listing_id=SELLERS[0],
            description_text=text,
            seller_name=text,
            brand=text,
            keywords=[text],
            attributes={"odd": text},
            language=text[:2],
        )
        engine.index([odd])
        engine.commit()
        result = engine.search(SearchQuery(attributes={"odd": [text], text: [text]}))
        assert result.total == 0
        assert engine.search(SearchQuery(attributes={"odd": [text]})).ids == [odd.listing_id]

    def test_lone_surrogates_and_null_bytes(self, engine: SearchEngine) -> None:
        for text in ("\ud800", "fern\x00", "\udfff fern", "\x1f\x1e"):
            engine.search(SearchQuery(text=text, attributes={text: [text]}))
            engine.suggest(text)

    @pytest.mark.parametrize(
        ("query", "path"),
        [
            (SearchQuery(text="fern " * 2_000), "text"),
            (SearchQuery(page=0), "page"),
            (SearchQuery(size=0), "size"),
            (SearchQuery(size=101), "size"),
            (SearchQuery(page=501, size=20), "page"),
            (SearchQuery(price_min=-1), "price_min"),
            (SearchQuery(price_min=10, price_max=9), "price_max"),
            (SearchQuery(rating_min=6), "rating_min"),
            (SearchQuery(ranges={"height": NumberRange(float("nan"))}), "ranges.height"),
            (SearchQuery(attributes={f"c{n}": ["x"] for n in range(11)}), "attributes"),
            (SearchQuery(attributes={"c": ["x"] * 200}), "attributes"),
        ],
    )
    def test_bounds(self, engine: SearchEngine, query: SearchQuery, path: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            engine.search(query)
        assert [problem.path for problem in caught.value.problems] == [path]

    def test_extremes_are_accepted(self, make_engine: MakeEngine) -> None:
        extreme = document(
            "word " * 5_000,
            price=2**62,
            popularity=float("inf"),
            rating=5.0,
            rating_count=2**40,
            published_at=STARTED - timedelta(days=365 * 100),
            attributes={"height": 1e308, "width": float("nan"), "tag": ["x" * 70_000]},
            description_text="long " * 50_000,
        )
        engine = _filled(make_engine, extreme)
        for query in (
            SearchQuery(price_max=2**70),
            SearchQuery(price_min=2**36, sort=Sort.PRICE_DESC),
            SearchQuery(ranges={"height": NumberRange(1e300, None)}),
            SearchQuery(attributes={"tag": ["x" * 70_000]}),
        ):
            assert engine.search(query).ids == [extreme.listing_id]
        assert engine.search(SearchQuery(price_min=2**80)).ids == []
        assert engine.search(SearchQuery(ranges={"width": NumberRange(None, None)})).ids == []
