"""Brings a database's schema to this program's version."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg

from souk.platform.settings import CannotStart

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.operations import Operations

OLDEST = 16
"""The oldest PostgreSQL that has all that the statements use."""
_SQL = "sql"
_DOWN = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def folder() -> Path:
    """The migrations, beside the package in the checkout that Souk runs from."""
    return Path(__file__).resolve().parents[3] / "migrations"


def _config(url: str) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - only a database that is behind needs it

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply every migration that the database does not have yet; quick when it has them all.

    Raises DatabaseNotReady when the server cannot be reached, or refuses.
    """
    found = asyncio.run(_revision(url))
    if found == head():
        return
    if found is not None and not (folder() / "versions" / f"{found}.py").exists():
        raise DatabaseNotReady(
            f"The database is at {found}, which this version of Souk does not know: a newer one"
            " has worked on it. Run that version, or restore a backup from before."
        )
    import psycopg  # noqa: PLC0415 - it too
    from alembic import command  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    try:
        command.upgrade(_config(url), "head")
    except (DBAPIError, psycopg.Error) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        raise DatabaseNotReady(
            f"The database could not be brought up to date: {said}\nNothing of that step was kept."
            " Its user has to own the database; then run `souk migrate` again."
        ) from error


class DatabaseNotReady(CannotStart):
    """No server answers, it refuses, or it does not fit this program."""


async def _revision(url: str) -> str | None:
    connection = await _connect(url)
    try:
        if connection.get_server_version().major < OLDEST:
            raise DatabaseNotReady(
                f"The server is PostgreSQL {connection.get_server_version().major}. Souk needs"
                f" {OLDEST} or newer: set SOUK_DATABASE_URL to such a server."
            )
        return await connection.fetchval("SELECT version_num FROM public.alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()


async def _connect(url: str) -> asyncpg.Connection[asyncpg.Record]:
    parts = urlsplit(url)
    where = f"{parts.hostname or 'this machine'}:{parts.port or 5432}"
    try:
        return await asyncpg.connect(url)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise DatabaseNotReady(
            f"PostgreSQL at {where} refuses {parts.username or 'the user'}: {error}. Correct user"
            " and password in SOUK_DATABASE_URL."
        ) from error
    except asyncpg.InvalidCatalogNameError as error:
        name = parts.path.lstrip("/")
        raise DatabaseNotReady(
            f"PostgreSQL at {where} has no database {name}. Make it with `createdb {name}`, or"
            " correct SOUK_DATABASE_URL."
        ) from error
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as error:
        raise DatabaseNotReady(
            f"No PostgreSQL answers at {where}: {error or 'it took too long'}. Start the server, or"
            " correct SOUK_DATABASE_URL."
        ) from error
    except asyncpg.InsufficientResourcesError as error:
        raise DatabaseNotReady(
            f"PostgreSQL at {where} has no room for a connection: {error}. End others, or raise its"
            " max_connections."
        ) from error
    except asyncpg.ClientConfigurationError as error:
        raise DatabaseNotReady(f"SOUK_DATABASE_URL cannot be read: {error}.") from error


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
