"""Brings a database's schema to this program's version."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.operations import Operations

_SQL = "sql"
_DOWN = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def folder() -> Path:
    """The migrations: beside the package in a checkout, inside it in an installed wheel."""
    installed = Path(__file__).resolve().parents[1] / "migrations"
    return installed if installed.exists() else Path(__file__).resolve().parents[3] / "migrations"


def _config(url: str) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - only a database that is behind needs it

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply every migration that the database does not have yet; quick when it has them all."""
    if asyncio.run(_revision(url)) == head():
        return
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(url), "head")


async def _revision(url: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT version_num FROM public.alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()


def head() -> str:
    """The newest revision that this program knows: the one that no other builds on."""
    files = list((folder() / "versions").glob("*.py"))
    texts = [path.read_text(encoding="utf-8") for path in files]
    bases = {match[1] for text in texts if (match := _DOWN.search(text))}
    (newest,) = {path.stem for path in files} - bases
    return newest


def run_sql(op: Operations, name: str) -> None:
    """Run one file of `migrations/sql`; called by the revisions."""
    script = (folder() / _SQL / name).read_text(encoding="utf-8")
    # Without parameters the driver sends the whole script at once and reads no placeholders in it.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(script)
