"""`make docs`: the pages of docs/ that are read off the code, so that they cannot be wrong.

- `docs/events.md` and `docs/events.json`: every published event, who hears it, its JSON schema
- `docs/settings.md`: every setting with its default
- `docs/database.md`: every table of every schema with its columns (a new database is migrated)

A test compares what is committed with what would be written now.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import pkgutil
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

import souk.published
from souk import app as composition
from souk.platform import embedded, migrate
from souk.platform.events import Event
from souk.platform.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_EVENTS = """\
# Events

Written by `make docs`; do not edit.

Stored with the change that they tell of, delivered at least once, in order per aggregate (the field
named as key). The JSON schemas are in [events.json](events.json); a change that would break a
reader gets a new version in the name.
"""
_SETTINGS = """\
# Settings

Written by `make docs`; do not edit.

Read once from the environment and validated at start; a wrong value stops the program with a
sentence. Any value may come from a file instead: `SOUK_SECRET_KEY_FILE=/run/secrets/key`.
"""
_DATABASE = """\
# Database

Written by `make docs`; do not edit.

One schema per context; no foreign key and no join crosses a schema. Amounts are integers in the
minor unit.
"""


def main() -> int:
    written = {
        "events.md": events_page(),
        "events.json": events_schema(),
        "settings.md": settings_page(),
        "database.md": asyncio.run(database_page()),
    }
    for name, text in written.items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
    return 0


def published_events() -> list[type[Event]]:
    """Every event of `published`, by name."""
    found: dict[str, type[Event]] = {}
    for module in pkgutil.iter_modules(souk.published.__path__, "souk.published."):
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            # A base that several events share has no name of its own.
            if issubclass(each, Event) and hasattr(each, "name"):
                found[each.name] = each
    return [found[name] for name in sorted(found)]


def events_page() -> str:
    """Events by context: what happened, its fields, who hears it."""
    heard: dict[str, list[str]] = {}
    for subscription in composition.subscriptions():
        heard.setdefault(subscription.event_type.name, []).append(subscription.subscriber)
    parts = [_EVENTS]
    room = ""
    for event in published_events():
        if event.name.split(".")[0] != room:
            room = event.name.split(".")[0]
            parts.append(f"## {room}\n")
        parts.append(f"### `{event.name}`\n\n{inspect.getdoc(event) or ''}\n")
        parts.append("| field | type |\n| --- | --- |")
        for each in msgspec.structs.fields(event):
            mark = " (key)" if each.name == event.key else ""
            parts.append(f"| `{each.name}`{mark} | {_type_name(each.type)} |")
        subscribers = ", ".join(f"`{name}`" for name in sorted(heard.get(event.name, [])))
        parts.append(f"\nHeard by: {subscribers or 'nobody yet'}.\n")
    return "\n".join(parts)


def _type_name(found: Any) -> str:
    if isinstance(found, type) and not hasattr(found, "__args__"):
        return f"`{found.__name__}`"
    return f"`{re.sub(r'(?:[a-z_]+[.])+', '', str(found))}`".replace("|", "or")


def events_schema() -> str:
    """JSON Schema (2020-12) of every event."""
    events = published_events()
    schemas, components = msgspec.json.schema_components(events, ref_template="#/$defs/{name}")
    return (
        json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "events": {e.name: s for e, s in zip(events, schemas, strict=True)},
                "$defs": components,
            },
            indent=1,
            sort_keys=True,
        )
        + "\n"
    )


def settings_page() -> str:
    """Every setting: its name in the environment, default and meaning."""
    notes = _field_notes(Path(inspect.getfile(Settings)).read_text(encoding="utf-8"))
    rows = ["| variable | default | |", "| --- | --- | --- |"]
    for each in msgspec.structs.fields(Settings):
        secret = each.name.endswith(("_key", "_secret", "_token"))
        shown = "" if secret or each.default in {"", ()} else f"`{each.default}`"
        rows.append(f"| `SOUK_{each.name.upper()}` | {shown} | {notes.get(each.name, '')} |")
    return "\n".join([_SETTINGS, *rows, ""])


def _field_notes(source: str) -> dict[str, str]:
    """The string below each field of `Settings`."""
    struct = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    notes: dict[str, str] = {}
    for field, note in zip(struct.body, struct.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(note, ast.Expr)
            and isinstance(note.value, ast.Constant)
        ):
            notes[field.target.id] = " ".join(str(note.value.value).split()).replace("|", "\\|")
    return notes


_COLUMNS = """
SELECT n.nspname, c.relname, obj_description(c.oid) AS about, a.attname,
       format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
       col_description(c.oid, a.attnum) AS note
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'public')
ORDER BY n.nspname, c.relname, a.attnum
"""


async def database_page() -> str:
    """The page of the tables, read off a database that is made for it."""
    folder = Path(tempfile.mkdtemp(prefix="souk-docs-"))
    server = embedded.start(folder / "data", durable=False)
    try:
        await embedded.ensure_database(server.url)
        await asyncio.to_thread(migrate.upgrade, server.url)
        return await tables_page(server.url)
    finally:
        server.stop()
        embedded.remove(folder)


async def tables_page(url: str) -> str:
    """Every table with its columns, of a migrated database."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(_COLUMNS)
    finally:
        await connection.close()
    parts = [_DATABASE]
    schema = table = ""
    for row in rows:
        if row["nspname"] != schema:
            schema = row["nspname"]
            parts += [""] * parts[-1].startswith("|")
            parts.append(f"## {schema}\n")
        if f"{schema}.{row['relname']}" != table:
            parts += [""] * parts[-1].startswith("|")
            table = f"{schema}.{row['relname']}"
            parts += [f"### `{table}`\n", *([row["about"] + "\n"] if row["about"] else [])]
            parts.append("| column | type | |\n| --- | --- | --- |")
        must = "" if row["attnotnull"] else "may be null"
        note = ". ".join(filter(None, [must, row["note"]]))
        parts.append(f"| `{row['attname']}` | {row['type']} | {note} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
