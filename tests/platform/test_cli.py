"""The command line when the machine is not as it should be: a sentence and 2, never a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import fresh_database, with_database

ROOT = Path(__file__).parents[2]


def souk(*arguments: str, folder: Path, typed: str = "", **settings: str) -> tuple[int, str]:
    """The exit code and everything that was printed, on one line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    given = {f"SOUK_{name.upper()}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", "souk.cli", *arguments],
        cwd=folder,
        env=kept | given | {"PYTHONPATH": str(ROOT / "src")},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in said
    return done.returncode, said


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_taken_port_is_named_before_anything_starts(taken: int, tmp_path: Path) -> None:
    for command, setting in (("serve", "port"), ("sandbox", "sandbox_port"), ("up", "port")):
        code, said = souk(command, folder=tmp_path, **{setting: str(taken)})
        assert code == 2
        assert f"Port {taken} of 127.0.0.1 cannot be used: Address already in use." in said
        assert f"set SOUK_{setting.upper()} to another port." in said
    assert not (tmp_path / ".souk/postgres").exists()


def test_a_data_folder_or_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = str(tmp_path / "file/data")
    code, said = souk("migrate", folder=tmp_path, data_dir=folder)
    assert (code, said) == (
        2,
        f"The data folder {folder} cannot be used: Not a directory. Set SOUK_DATA_DIR to a folder"
        " with room that this user may write.",
    )
    code, said = souk("migrate", folder=tmp_path, data_dir=folder, secret_key="x" * 40)
    assert code == 2
    assert said.startswith(f"The database cannot be kept in {folder}/postgres: Not a directory.")
    code, said = souk("worker", folder=tmp_path, log_file=f"{folder}/souk.log")
    assert code == 2
    assert said.startswith(f"The log {folder}/souk.log cannot be written: Not a directory.")


async def test_a_database_that_is_not_there_or_refuses(
    server_url: str, taken: int, tmp_path: Path
) -> None:
    url = f"postgresql://shop:secret-word@127.0.0.1:{taken + 1 if taken < 65_535 else 1}/shop"
    code, said = souk("migrate", folder=tmp_path, database_url=url)
    assert code == 2
    assert said.startswith("No PostgreSQL answers at 127.0.0.1:")
    assert "secret-word" not in said
    code, said = souk(
        "migrate", folder=tmp_path, database_url=with_database(server_url, "no_such_market")
    )
    assert code == 2
    assert "has no database no_such_market. Make it with `createdb no_such_market`" in said


async def test_a_database_of_a_newer_program_is_left_alone(
    server_url: str, template: str, tmp_path: Path
) -> None:
    async with fresh_database(server_url, template) as url:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("UPDATE public.alembic_version SET version_num = '9999_later'")
        finally:
            await connection.close()
        code, said = souk("verify", folder=tmp_path, database_url=url)
    assert code == 2
    assert said.startswith("The database is at 9999_later, which this version of Souk does not")


def test_everything_is_replayed_only_when_meant(db_url: str, tmp_path: Path) -> None:
    def replay(*arguments: str, typed: str = "") -> tuple[int, str]:
        return souk(
            "events", "replay", *arguments, folder=tmp_path, typed=typed, database_url=db_url
        )

    code, said = replay(typed="n\n")
    assert code == 1
    assert "This delivers every stored event to all who hear of it again. Go on?" in said
    code, said = replay("--name", "orders.placed")
    assert code == 2
    assert "Nobody hears of 'orders.placed'." in said
    code, said = replay("--subscriber", "nobody", "--yes")
    assert code == 2
    assert "'nobody' hears of nothing." in said
    assert replay("--dead") == (0, "0 deliveries were queued.")
    assert replay("--yes") == (0, "0 deliveries were queued.")


def test_every_command_says_what_it_does(tmp_path: Path) -> None:
    code, said = souk("--help", folder=tmp_path)
    assert code == 0
    commands = "up serve worker sandbox migrate demo import verify recount admin events openapi"
    assert [name for name in commands.split() if f" {name} " not in said] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert souk("--version", folder=tmp_path) == (0, f"souk, version {project['version']}")
