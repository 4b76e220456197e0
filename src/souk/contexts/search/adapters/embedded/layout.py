"""Where the index lives: numbered folders, a pointer to the current one, and the writer's lock.

```
<path>/current        name of the folder in use, replaced by rename
<path>/writer.lock    flock of the writing process; the kernel drops it when the process dies
<path>/g000001/main   listings
<path>/g000001/sample one listing in 16
<path>/g000001/words  vocabulary
<path>/g000001/format version    <path>/g000001/complete  built from all listings
```
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from souk.contexts.search.errors import IndexBusy

# Raise this whenever fields or the analysis of text change: the index is then rebuilt.
FORMAT = "souk-search 1"
_CURRENT, _COMPLETE = "current", "complete"


class Layout:
    """The folder of one index."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> Path | None:
        """The generation in use, if this program can read its format."""
        try:
            folder = self.path / (self.path / _CURRENT).read_text(encoding="utf-8").strip()
            known = (folder / "format").read_text(encoding="utf-8") == FORMAT
        except OSError:
            return None
        return folder if known else None

    def stamp(self) -> tuple[int, ...]:
        """Changes whenever another process publishes a generation or commits to it; cheap."""
        try:
            pointer = (self.path / _CURRENT).stat()
            folder = self.path / (self.path / _CURRENT).read_text(encoding="utf-8").strip()
            parts = [pointer, (folder / "main" / "meta.json").stat()]
            words = folder / "words" / "meta.json"
            parts += [words.stat()] if words.exists() else []
        except OSError:
            return ()
        return tuple(number for one in parts for number in (one.st_ino, one.st_mtime_ns))

    def create(self) -> Path:
        """A new empty generation, not yet in use."""
        taken = [int(folder.name[1:]) for folder in self._generations()]
        folder = self.path / f"g{max(taken, default=0) + 1:06d}"
        for part in ("main", "sample", "words"):
            (folder / part).mkdir(parents=True)
        (folder / "format").write_text(FORMAT, encoding="utf-8")
        return folder

    def mark_complete(self, folder: Path) -> None:
        """Note that `folder` was built from all listings."""
        (folder / _COMPLETE).touch()

    def is_complete(self, folder: Path) -> bool:
        """Whether `folder` was built from all listings, not just begun empty."""
        return (folder / _COMPLETE).exists()

    def publish(self, folder: Path) -> None:
        """Make `folder` the generation in use; readers see the old or the new, never neither."""
        fresh = self.path / f"{_CURRENT}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(folder.name)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / _CURRENT)
        directory = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def sweep(self, *, keep: set[Path]) -> None:
        """Remove generations that a crash or a rebuild left behind.

        Readers that still have one open keep its files until they close them.
        """
        for folder in self._generations():
            if folder not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def _generations(self) -> list[Path]:
        return [
            folder
            for folder in self.path.glob("g*")
            if folder.is_dir() and folder.name[1:].isdigit()
        ]


class WriterLock:
    """Held by the one process that writes."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path / "writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise IndexBusy(str(path)) from error

    def release(self) -> None:
        os.close(self._descriptor)
