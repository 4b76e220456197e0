"""`souk …`: the command line of the operator."""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from souk import __version__, roles
from souk.kernel.errors import DomainError
from souk.platform import migrate as migrations
from souk.platform import settings as configuration
from souk.platform import telemetry

if TYPE_CHECKING:
    from souk.platform.database import WriteTx
    from souk.platform.events import EventWriter
    from souk.platform.services import Services

T = TypeVar("T")
_FULL = {errno.ENOSPC, errno.EDQUOT}
console = Console()
errors = Console(stderr=True)


def _composition() -> ModuleType:
    """The whole program, for the commands that need it: serving starts processes that load it."""
    from souk import app  # noqa: PLC0415 - half of the time that `souk serve` takes to start

    return app


def _run(work: Callable[[Services], Awaitable[T]], *, role: str = "cli") -> T:
    """Run `work` with services on a migrated database; refusals end the program in a sentence."""

    composition = _composition()
    settings = configuration.load()
    telemetry.set_up(settings, role=role)

    async def run(url: str) -> T:
        ready = msgspec.structs.replace(settings, database_url=url)
        async with composition.services(ready, role=role) as services:
            return await work(services)

    with roles.database(settings) as url:
        migrations.upgrade(url)
        return asyncio.run(run(url))


@click.group()
@click.version_option(__version__, prog_name="souk")
def main() -> None:
    """Souk: a marketplace of your own."""


@main.command()
@click.option("--demo", is_flag=True, help="Fill an empty marketplace first.")
def up(*, demo: bool) -> None:
    """Run everything: database, web, worker, relay, sandbox gateway; the dead are restarted."""
    settings = configuration.load()
    accounts: list[tuple[str, str, str]] = []

    def announce() -> None:
        if accounts:
            _print_log_ins(accounts)
        console.print(f"Souk is at [bold]{settings.base_url}[/]. Ctrl+C stops it.")

    def prepare() -> None:
        accounts.extend(_fill_if_empty())

    roles.up(settings, prepare=prepare if demo else None, announce=announce)


@main.command()
def serve() -> None:
    """Serve the web pages and the API."""
    roles.serve(configuration.load())


@main.command()
def worker() -> None:
    """Run jobs, schedules and the event relay."""
    roles.work(configuration.load())


@main.command()
def sandbox() -> None:
    """Serve the sandbox payment gateway."""
    roles.sandbox(configuration.load())


@main.command()
def migrate() -> None:
    """Bring the database's schema to this version."""
    with roles.database(configuration.load()) as url:
        migrations.upgrade(url)
    console.print(f"The database is at [bold]{migrations.head()}[/].")


@main.command()
@click.option("--orders", default=300, show_default=True, help="Past orders to make.")
def demo(orders: int) -> None:
    """Fill the marketplace with real sample goods, shops, people and orders."""
    _print_log_ins(_fill(orders))


def _fill_if_empty() -> list[tuple[str, str, str]]:
    """Fill a new marketplace; the log-ins of a demo, none on one that is in use."""
    from souk.demo import fill  # noqa: PLC0415 - only the demo needs its readers

    if _run(fill.is_wanted):
        return _fill(fill.ORDERS)
    return fill.log_ins() if _run(fill.is_filled) else []


def _fill(orders: int) -> list[tuple[str, str, str]]:
    """Fill an empty marketplace; the log-ins to try. As a worker, since it writes the index."""
    from souk.demo import fill  # noqa: PLC0415 - only the demo needs its readers

    wiring = fill.Wiring(_composition().subscriptions(), _composition().job_types())
    with _progress() as progress:
        return _run(
            lambda services: fill.fill(services, wiring, orders=orders, report=_steps(progress)),
            role="worker",
        )


@main.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seller", required=True, help="The shop's slug.")
@click.option("--preview", is_flag=True, help="Say what would happen and change nothing.")
def import_(file: Path, seller: str, *, preview: bool) -> None:
    """Import products from a Shopify, WooCommerce or own CSV or JSONL FILE."""
    from souk.flows.import_listings import command  # noqa: PLC0415

    with _progress() as progress:
        summary = _run(
            lambda services: command.run_file(
                services, file, seller_slug=seller, preview=preview, report=_steps(progress)
            )
        )
    console.print(summary)


@main.command()
def verify() -> None:
    """Check every invariant on the live database; exits 1 with the rows that break one."""
    from souk.flows.verify import verify as check  # noqa: PLC0415

    found = _run(check.violations)
    if not found:
        console.print("Every invariant holds.")
        return
    table = Table("invariant", "subject", "detail")
    for violation in found:
        table.add_row(violation.invariant, violation.subject, violation.detail)
    console.print(table)
    sys.exit(1)


@main.command()
def recount() -> None:
    """Count all ratings anew from the reviews, and say how many were wrong."""
    from souk.contexts.reviews import api as reviews  # noqa: PLC0415
    from souk.kernel.actor import system  # noqa: PLC0415

    async def work(services: Services) -> int:
        return await services.db.transact(lambda tx: reviews.recount(tx, system("recount")))

    console.print(f"{_run(work)} ratings were wrong and are right now.")


@main.group()
def admin() -> None:
    """Manage operators."""


@admin.command("create")
@click.argument("email")
@click.password_option()
def admin_create(email: str, password: str) -> None:
    """Make an administrator with EMAIL; asks for a password."""
    from souk.contexts.identity import api as identity  # noqa: PLC0415

    _run(
        lambda services: services.db.transact(
            lambda tx: identity.create_admin(tx, email=email, password=password)
        )
    )
    console.print(f"{email} is an administrator.")


@main.group()
def events() -> None:
    """Look after stored events."""


@events.command("replay")
@click.option("--name", help="Only events of this name.")
@click.option("--subscriber", help="Only for this subscriber.")
@click.option("--dead", is_flag=True, help="Only dead letters.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def events_replay(name: str | None, subscriber: str | None, *, dead: bool, yes: bool) -> None:
    """Deliver stored events again: dead letters, or whatever was stored."""
    from souk.kernel.actor import system  # noqa: PLC0415
    from souk.platform import audit, relay  # noqa: PLC0415

    writer = _composition().event_writer()
    if not dead:
        _known(writer, name, subscriber)
        what = f"every stored {name}" if name else "every stored event"
        whom = subscriber or "all who hear of it"
        if not yes:
            click.confirm(f"This delivers {what} to {whom} again. Go on?", abort=True)

    async def work(tx: WriteTx) -> int:
        count = await relay.replay(tx, writer, name=name, subscriber=subscriber, dead_only=dead)
        subject = f"events:{name or 'all'}"
        await audit.record(
            tx, system("cli"), "events.replayed", subject, subscriber=subscriber or "", count=count
        )
        return count

    queued = _run(lambda services: services.db.transact(work))
    console.print(f"{queued} deliveries were queued.")


def _known(writer: EventWriter, name: str | None, subscriber: str | None) -> None:
    """A misspelt name would find nothing and look like success."""
    heard = writer.by_event
    if name is not None and name not in heard:
        raise click.UsageError(f"Nobody hears of {name!r}. docs/events.md lists every name.")
    subscribers = {each.subscriber for several in heard.values() for each in several}
    if subscriber is not None and subscriber not in subscribers:
        raise click.UsageError(f"{subscriber!r} hears of nothing. docs/events.md lists who does.")


@main.command()
def openapi() -> None:
    """Print the OpenAPI document."""

    async def document(services: Services) -> bytes:
        schema = _composition().build_app(services).openapi_schema.to_schema()
        return msgspec.json.format(msgspec.json.encode(schema), indent=2)

    click.echo(_run(document))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
    )


def _steps(progress: Progress) -> Callable[[str, int, int | None], None]:
    """A function that long work calls as `report(what, done, total)`."""
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int | None) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=done, total=total)

    return report


def _print_log_ins(log_ins: list[tuple[str, str, str]]) -> None:
    table = Table("who")
    for heading in ("e-mail", "password"):
        table.add_column(heading, no_wrap=True)
    for row in log_ins:
        table.add_row(*row)
    console.print(table)


def run() -> None:
    """The console script: refusals become one sentence and exit code 2."""
    try:
        main()
    except (DomainError, configuration.CannotStart) as error:
        _say(str(error))
        sys.exit(2)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        where = f" ({error.filename})" if error.filename else ""
        _say(f"{error.strerror}{where}. Make room on the disk, then try again.")
        sys.exit(2)
    except asyncpg.DiskFullError as error:
        _say(f"PostgreSQL: {error}. Make room on its disk, then try again; nothing was lost.")
        sys.exit(2)


def _say(sentence: str) -> None:
    # As it is: a path or a database's words may look like markup.
    errors.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    run()
