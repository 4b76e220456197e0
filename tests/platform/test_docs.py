"""The pages of docs/ that are read off the code say what the code says now."""

from __future__ import annotations

import pytest
from tools import write_docs

AGAIN = "Run `make docs` and commit what it writes."


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("events.md", write_docs.events_page),
        ("events.json", write_docs.events_schema),
        ("settings.md", write_docs.settings_page),
    ],
)
def test_what_is_written_of_the_code(name, made):
    assert (write_docs.DOCS / name).read_text(encoding="utf-8") == made(), AGAIN


async def test_every_table_is_described(db_url):
    written = (write_docs.DOCS / "database.md").read_text(encoding="utf-8")
    assert written == await write_docs.tables_page(db_url), AGAIN


def test_events_carry_a_version():
    assert all(
        event.name.rsplit(".", 1)[1].startswith("v") for event in write_docs.published_events()
    )
