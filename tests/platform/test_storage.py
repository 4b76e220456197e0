"""Files in a folder."""

from __future__ import annotations

import pytest

from souk.kernel.errors import NotFound
from souk.platform.settings import Settings
from souk.platform.storage import FileStore

CONTENT = bytes(range(256)) * 2_500


@pytest.fixture
def files(tmp_path):
    return FileStore.in_folder(tmp_path / "files")


async def chunks():
    yield CONTENT[:1_000]
    yield CONTENT[1_000:]


async def test_what_was_put_is_read_back(files, tmp_path):
    (tmp_path / "source").write_bytes(CONTENT)
    await files.put("a/bytes", CONTENT)
    await files.put("a/stream", chunks())
    await files.put("a/path", tmp_path / "source")
    for key in ("a/bytes", "a/stream", "a/path"):
        assert await files.get(key) == CONTENT
        info = await files.info(key)
        assert (info.key, info.size) == (key, len(CONTENT))
        assert info.modified.tzinfo is not None
    await files.put("a/bytes", b"new")
    assert await files.get("a/bytes") == b"new"


async def test_ranges_and_streams(files):
    await files.put("big", CONTENT)
    assert await files.get_range("big", start=10, end=20) == CONTENT[10:20]
    parts = [part async for part in files.stream("big")]
    assert b"".join(parts) == CONTENT
    assert [len(part) for part in parts] == [262_144, 262_144, len(CONTENT) - 524_288]
    part = [part async for part in files.stream("big", start=5, end=300_000)]
    assert b"".join(part) == CONTENT[5:300_000]
    await files.put("empty", b"")
    assert [part async for part in files.stream("empty")] == []
    assert await files.get("empty") == b""


async def test_absent_files_are_not_found(files):
    with pytest.raises(NotFound):
        await files.get("none")
    with pytest.raises(NotFound):
        await files.get_range("none", start=0, end=1)
    with pytest.raises(NotFound):
        await files.info("none")
    with pytest.raises(NotFound):
        _ = [part async for part in files.stream("none")]


async def test_deleting_is_fine_twice(files):
    await files.put("one", b"1")
    await files.put("two", b"2")
    await files.delete("one", "none", "two")
    await files.delete("one")
    for key in ("one", "two"):
        with pytest.raises(NotFound):
            await files.get(key)


async def test_keys_stay_inside_the_folder(files, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    with pytest.raises(Exception, match=r".+"):
        await files.get("../secret")


async def test_settings_choose_the_store(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    await FileStore.open(settings).put("k", b"folder")
    assert (tmp_path / "data/files/k").read_bytes() == b"folder"
    (tmp_path / "other").mkdir()
    by_url = FileStore.open(Settings(files_url=(tmp_path / "other").as_uri()))
    await by_url.put("k", b"url")
    assert (tmp_path / "other/k").read_bytes() == b"url"
