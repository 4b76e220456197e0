"""The embedded engine passes the contract, and keeps its index whole between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from souk.contexts.search.adapters.embedded import facets, layout, ranking, snapshot
from souk.contexts.search.api import (
    IndexBusy,
    IndexReadOnly,
    SearchEngine,
    SearchQuery,
    SearchUnavailable,
    Sort,
    open_engine,
    search,
)
from tests.search import contract
from tests.search.factories import document, random_documents


@pytest.fixture(scope="class")
def make_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[contract.MakeEngine]:
    """Opens empty engines, each in a folder of its own."""
    opened: list[SearchEngine] = []

    def make() -> SearchEngine:
        opened.append(open_engine(tmp_path_factory.mktemp("index"), writer=True))
        return opened[-1]

    yield make
    for engine in opened:
        engine.close()


class TestHolding(contract.Holding):
    pass


class TestAgreeing(contract.Agreeing):
    pass


class TestRanking(contract.Ranking):
    pass


class TestUnderstanding(contract.Understanding):
    pass


class TestEnduring(contract.Enduring):
    pass


class TestManyHits:
    """The ways taken for very large results, tried on a small index by lowering the limits."""

    def test_windowed_ranking_pages_like_the_whole(
        self, make_engine: contract.MakeEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = make_engine()
        listings = [*random_documents(80, seed=8), document("green"), document("Green")]
        engine.index(listings)
        engine.commit()
        weighed = engine.search(SearchQuery(text="green", size=100))
        monkeypatch.setattr(ranking, "WEIGHED", 0)
        monkeypatch.setattr(ranking, "WINDOW", 5)
        whole = engine.search(SearchQuery(text="green", size=99)).ids
        paged = [
            one
            for page in range(1, 40)
            for one in engine.search(SearchQuery(text="green", page=page, size=3)).ids
        ]
        assert paged == whole
        assert sorted(whole) == sorted(weighed.ids)
        assert {one.listing_id for one in listings[-2:]} == set(whole[:2])

    def test_estimates_are_near_and_say_so(
        self, make_engine: contract.MakeEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = make_engine()
        listings = random_documents(4_000, seed=9)
        engine.index(listings)
        engine.commit()
        query = SearchQuery(kinds=["goods"], facets=True)
        exact = engine.search(query)
        for name in ("EXACT", "EXACT_TOTAL", "SMALL_INDEX"):
            monkeypatch.setattr(facets, name, 0)
        estimate = engine.search(SearchQuery(kinds=["goods"], size=21))
        assert exact.total_exact
        assert exact.facets_exact
        # The facets were counted for the first page already; another order asks for none anew.
        assert estimate.facets == exact.facets
        engine.index(listings[:1])
        engine.commit()
        estimate = engine.search(query)
        assert not estimate.total_exact
        assert not estimate.facets_exact
        assert estimate.total == pytest.approx(exact.total, rel=0.35)
        assert estimate.ids == exact.ids

    @pytest.mark.parametrize("sort", list(Sort))
    def test_cut_tails_hold_every_page(
        self,
        make_engine: contract.MakeEngine,
        monkeypatch: pytest.MonkeyPatch,
        sort: Sort,
    ) -> None:
        engine = make_engine()
        engine.index(random_documents(1_500, seed=10))
        engine.commit()
        query = SearchQuery(sort=sort, in_stock=True, size=30, facets=False)
        whole = engine.search(query).ids
        monkeypatch.setattr(snapshot, "SCANNED", 0)
        paged = [
            one
            for page in range(1, 7)
            for one in engine.search(structs.replace(query, page=page, size=5)).ids
        ]
        assert paged == whole


class TestProcesses:
    def test_reader_notices_another_process_s_commit(self, tmp_path: Path) -> None:
        writer = open_engine(tmp_path, writer=True)
        writer.index([document("Boston fern")])
        writer.commit()
        reader = open_engine(tmp_path, writer=False)
        assert reader.count() == 1
        code = (
            "import sys; from souk.contexts.search.api import open_engine;"
            "from tests.search.factories import document;"
            "engine = open_engine(sys.argv[1], writer=True);"
            "engine.index([document('Royal maple')]); engine.commit()"
        )
        writer.close()
        _run(code, tmp_path)
        until = time.monotonic() + 1.0
        while reader.search(SearchQuery(text="maple")).total == 0 and time.monotonic() < until:
            time.sleep(0.05)
        assert reader.search(SearchQuery(text="maple")).total == 1

    def test_reader_follows_a_rebuild(self, tmp_path: Path) -> None:
        writer, reader = open_engine(tmp_path, writer=True), open_engine(tmp_path, writer=False)
        for title in ("fern", "maple", "basil"):
            build = writer.begin_rebuild()
            build.index([document(title)])
            build.publish()
            reader.refresh()
            assert reader.search(SearchQuery(text=title)).total == reader.count() == 1
        assert len(list(tmp_path.glob("g*"))) == 2
        writer.close()

    def test_reader_says_when_there_is_no_index(self, tmp_path: Path) -> None:
        reader = open_engine(tmp_path / "none", writer=False)
        assert reader.needs_rebuild
        with pytest.raises(SearchUnavailable):
            reader.search(SearchQuery())
        with pytest.raises(IndexReadOnly):
            reader.commit()

    def test_second_writer_is_told(self, tmp_path: Path) -> None:
        first = open_engine(tmp_path, writer=True)
        with pytest.raises(IndexBusy, match="one worker only"):
            open_engine(tmp_path, writer=True)
        first.close()
        open_engine(tmp_path, writer=True).close()

    def test_another_format_is_built_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = open_engine(tmp_path, writer=True)
        old.index([document("Fern")])
        old.begin_rebuild().publish()
        old.close()
        monkeypatch.setattr(layout, "FORMAT", "souk-search 9999")
        with pytest.raises(SearchUnavailable):
            open_engine(tmp_path, writer=False).search(SearchQuery())
        engine = open_engine(tmp_path, writer=True)
        assert engine.needs_rebuild
        assert engine.count() == 0
        engine.close()

    def test_killed_writer_leaves_a_whole_index_and_no_lock(self, tmp_path: Path) -> None:
        engine = open_engine(tmp_path, writer=True)
        engine.index(random_documents(50, seed=1))
        engine.commit()
        engine.close()
        code = (
            "import sys; from souk.contexts.search.api import open_engine;"
            "from tests.search.factories import random_documents\n"
            "engine = open_engine(sys.argv[1], writer=True)\n"
            "print('ready', flush=True)\n"
            "for n in range(1000):\n"
            "    engine.index(random_documents(50, seed=1)); engine.commit()\n"
        )
        for pause in (0.0, 0.05):
            with _start(code, tmp_path) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
                time.sleep(pause)
                os.kill(process.pid, signal.SIGKILL)
            survivor = open_engine(tmp_path, writer=True)
            assert survivor.search(SearchQuery()).total == 50
            assert set(survivor.search(SearchQuery(size=100)).ids) == {
                one.listing_id for one in random_documents(50, seed=1)
            }
            survivor.index([document("After")])
            survivor.commit()
            survivor.delete(survivor.search(SearchQuery(text="after")).ids)
            survivor.commit()
            survivor.close()

    def test_killed_rebuild_leaves_the_index_in_use(self, tmp_path: Path) -> None:
        engine = open_engine(tmp_path, writer=True)
        engine.index([document("Fern")])
        engine.commit()
        engine.close()
        code = (
            "import os, sys; from souk.contexts.search.api import open_engine;"
            "from tests.search.factories import document\n"
            "build = open_engine(sys.argv[1], writer=True).begin_rebuild()\n"
            "build.index([document('Maple')])\n"
            "os.kill(os.getpid(), 9)\n"
        )
        with _start(code, tmp_path) as process:
            process.wait(10)
        assert len(list(tmp_path.glob("g*"))) == 2
        survivor = open_engine(tmp_path, writer=True)
        assert survivor.search(SearchQuery(text="fern")).total == 1
        assert len(list(tmp_path.glob("g*"))) == 1
        survivor.close()


async def test_async_search_answers_inline_and_from_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(tmp_path, writer=True)
    engine.index(random_documents(10, seed=2))
    engine.commit()
    monkeypatch.setattr("souk.contexts.search.adapters.embedded.engine._SMALL", 5)
    query = SearchQuery(text="fern")
    assert not engine.answers_at_once(query)
    first = await search(engine, query)
    assert engine.answers_at_once(query)
    assert (await search(engine, query)).ids == first.ids
    engine.close()


def _start(code: str, path: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], env=environment, stdout=subprocess.PIPE
    )


def _run(code: str, path: Path) -> None:
    with _start(code, path) as process:
        assert process.wait(20) == 0
