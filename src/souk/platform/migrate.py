"""Brings a database's schema to this program's version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.script import ScriptDirectory

_SQL = "sql"


def folder() -> Path:
    """The migrations: beside the package in a checkout, inside it in an installed wheel."""
    installed = Path(__file__).resolve().parents[1] / "migrations"
    return installed if installed.exists() else Path(__file__).resolve().parents[3] / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str, *, revision: str = "head") -> None:
    """Apply every migration that the database does not have yet."""
    command.upgrade(_config(url), revision)


def head() -> str:
    """The newest revision that this program knows."""
    revision = ScriptDirectory(str(folder())).get_current_head()
    assert revision is not None
    return revision


def run_sql(op: Operations, name: str) -> None:
    """Run one file of `migrations/sql`; called by the revisions."""
    script = (folder() / _SQL / name).read_text(encoding="utf-8")
    # Without parameters the driver sends the whole script at once and reads no placeholders in it.
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(script)
