"""The command `parley`."""

import asyncio
import json
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.table import Table

from bootstrap.settings import OWN_NAMES, PREFIX, Environment, Settings, unknown_names

T = TypeVar("T")
app = typer.Typer(
    help="Parley: conversations that sell.", no_args_is_help=True, pretty_exceptions_enable=False
)
events_app = typer.Typer(
    help="Events that subscribers still have to handle, or gave up.", no_args_is_help=True
)
app.add_typer(events_app, name="events")
console, complaints = Console(), Console(stderr=True)


def main() -> None:
    app()


def fail(sentence: str) -> typer.Exit:
    complaints.print(sentence, style="red", markup=False, soft_wrap=True)
    return typer.Exit(1)


def load_settings() -> Settings:
    """The settings, or one sentence per mistake and the end."""
    mistakes = unknown_names(os.environ)
    try:
        settings = Settings()
    except ValidationError as error:
        mistakes += map(_sentence, error.errors())
    except SettingsError as error:
        mistakes.append(f"{error}; write nested settings as PARLEY_LIMITS__VISITOR=120/60")
    if mistakes:
        raise fail("\n".join(mistakes))
    return settings


def _sentence(mistake: Any) -> str:
    reason = str(mistake["msg"]).removeprefix("Value error, ")
    name = "__".join(map(str, mistake["loc"])).upper()
    if not name:
        return reason
    return f"{name if name in OWN_NAMES else PREFIX + name}: {reason}"


@app.command()
def serve(
    seed_demo: Annotated[
        bool | None, typer.Option("--seed/--no-seed", help="Make the demo shop. Default: in development.")
    ] = None,
) -> None:
    """Serve HTTP and sockets; in development migrate and make a demo shop first."""
    from bootstrap.container import Container
    from bootstrap.servers import run
    from bootstrap.web import Service

    settings = load_settings()
    _logs(settings)
    is_development = settings.env is Environment.DEVELOPMENT
    is_seeded = is_development if seed_demo is None else seed_demo
    if is_seeded:
        _refuse_demo_in_production(settings)
    with _told_in_a_sentence(settings):
        if is_development:
            _migrate_if_behind(settings)
        container = Container(settings=settings)
        service = Service(container)
        if is_seeded:
            service.at_start(_seed_and_print(container))
        run(service, settings)


@app.command()
def worker() -> None:
    """Run due work without serving: assistants, reminders, deliveries."""
    from bootstrap.container import Container
    from bootstrap.worker import run

    settings = load_settings()
    _logs(settings)
    with _told_in_a_sentence(settings):
        run(Container(settings=settings))


@app.command(context_settings={"ignore_unknown_options": True})
def migrate(
    revision: Annotated[str, typer.Argument(help="head, base, a revision, or a step such as -1")] = "head",
) -> None:
    """Bring the database schema up to date, or to a revision."""
    from adapters.db.migrate import downgrade, upgrade

    settings = load_settings()
    _logs(settings)
    url = settings.migration_database_url or settings.database_url
    if url.startswith("memory"):
        raise fail("memory:// has no schema to migrate: it is made at each start.")
    with _told_in_a_sentence(settings), console.status("Migrating"):
        if revision == "base" or revision.startswith("-"):
            downgrade(url, revision)
        else:
            upgrade(url, revision)
    console.print(f"The schema is at [bold]{revision}[/bold].")


@app.command()
def seed(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
    as_variables: Annotated[bool, typer.Option("--env", help="Variables for a shell: eval them.")] = False,
) -> None:
    """Make the demo shop, once, and print its credentials."""
    settings = load_settings()
    _logs(settings)
    _refuse_demo_in_production(settings)
    with _told_in_a_sentence(settings):
        _migrate_if_behind(settings)
    demo = _run(settings, lambda container: _seeder(container)())
    if as_json:
        sys.stdout.write(json.dumps(demo.as_dict()) + "\n")
    elif as_variables:
        variables = {**demo.as_dict(), "socket_url": "ws" + demo.base_url.removeprefix("http")}
        sys.stdout.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    else:
        _print_demo(demo.as_dict())


@app.command()
def verify() -> None:
    """Prove that what is stored hangs together; name the first row that does not."""
    from bootstrap.verify import verify as run_checks

    settings = load_settings()
    _logs(settings)
    findings = _run(settings, lambda container: run_checks(container.db(), console))
    if findings:
        raise fail("\n".join(findings))
    console.print("All checks passed.", style="green")


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from bootstrap.container import Container
    from bootstrap.web import Service

    async def fetch() -> str:
        settings = Settings(database_url="memory://", env=Environment.TEST)
        client = Service(Container(settings=settings)).http.test_client()
        response = await client.get("/openapi.json")
        return str(await response.get_data(as_text=True))

    sys.stdout.write(asyncio.run(fetch()) + "\n")


@events_app.command("list")
def list_events(
    dead: Annotated[bool, typer.Option(help="Only those given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """Show what waits and what was given up."""
    from ports.db import SYSTEM, DeliveryState

    state = DeliveryState.DEAD if dead else None
    settings = load_settings()
    found = _run(
        settings,
        lambda container: container.db().read(
            lambda tx: tx.deliveries.list(state=state, limit=limit), shop=SYSTEM
        ),
    )
    table = Table("id", "state", "subscriber", "event", "shop", "due", "tries", "last error")
    for entry in found:
        due = f"{entry.due_at:%Y-%m-%d %H:%M:%S}"
        error = (entry.last_error or "")[:80]
        table.add_row(
            str(entry.id),
            entry.state,
            entry.subscriber,
            entry.topic,
            entry.shop_id,
            due,
            str(entry.attempts),
            error,
        )
    console.print(table if found else "Nothing waits, nothing was given up.")


@events_app.command("replay")
def replay_event(
    delivery_id: Annotated[int, typer.Argument(help="The id that `parley events list` shows.")],
) -> None:
    """Have a given-up delivery tried again."""
    from ports.db import SYSTEM

    def replay(container: Any) -> Awaitable[bool]:
        now = container.clock().now()
        result: Awaitable[bool] = container.db().transact(
            lambda tx: tx.deliveries.replay(delivery_id, now=now), shop=SYSTEM
        )
        return result

    if not _run(load_settings(), replay):
        raise fail(f"There is no given-up delivery {delivery_id}; see: parley events list --dead")
    console.print(f"Delivery {delivery_id} is due again.")


def _run(settings: Settings, action: Callable[[Any], Awaitable[T]]) -> T:
    """One action on an open container."""
    from bootstrap.container import Container

    async def with_container() -> T:
        container = Container(settings=settings)
        try:
            await container.db().check()
            return await action(container)
        finally:
            await container.db().close()

    with _told_in_a_sentence(settings):
        return asyncio.run(with_container())


@contextmanager
def _told_in_a_sentence(settings: Settings) -> Iterator[None]:
    """What is wrong outside ends the command with a sentence; a traceback shows mistakes of our own."""
    import asyncpg  # type: ignore[import-untyped]
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from core.kernel import DomainError

    try:
        yield
    except (DomainError, OSError, ArgumentError, DBAPIError, asyncpg.PostgresError) as error:
        raise fail(f"{_first_line(error)} ({_shown(settings.database_url)})") from None
    except Exception as error:
        # Alembic's: a revision that is none. Importing it takes longer than anything else here.
        if type(error).__name__ != "CommandError":
            raise
        raise fail(_first_line(error)) from None


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error) or repr(error)).splitlines()[0]


def _shown(database_url: str) -> str:
    """Where the database is, without the password that leads there."""
    import sqlalchemy as sa

    try:
        return sa.make_url(database_url).render_as_string(hide_password=True)
    except (ValueError, sa.exc.ArgumentError):
        return "DATABASE_URL"


def _refuse_demo_in_production(settings: Settings) -> None:
    if settings.env is Environment.PRODUCTION:
        raise fail("The demo shop is for development; it is never made in production.")


def _logs(settings: Settings) -> None:
    from bootstrap import logs

    is_production = settings.env is Environment.PRODUCTION
    logs.configure(
        level=settings.log_level, as_json=is_production if settings.log_json is None else settings.log_json
    )


def _migrate_if_behind(settings: Settings) -> None:
    """Looks before it loads Alembic, which takes longer than everything else at start."""
    from bootstrap.schema import is_current

    if settings.database_url.startswith("memory") or is_current(settings):
        return
    from adapters.db.migrate import upgrade

    upgrade(settings.migration_database_url or settings.database_url)


def _seeder(container: Any) -> Any:
    from bootstrap.demo import Seeder

    return Seeder(
        settings=container.settings(),
        secret=container.secret(),
        application=container.application(),
        db=container.db(),
        clock=container.clock(),
        ids=container.ids(),
    )


def _seed_and_print(container: Any) -> Callable[[], Awaitable[None]]:
    async def seed_and_print() -> None:
        demo = (await _seeder(container)()).as_dict()
        _print_demo(demo)
        sys.stdout.write(json.dumps(demo) + "\n")
        sys.stdout.flush()

    return seed_and_print


def _print_demo(demo: dict[str, str]) -> None:
    table = Table(title="Demo shop", show_header=False, title_justify="left")
    for name, value in demo.items():
        table.add_row(name, value)
    console.print(table)


if __name__ == "__main__":
    main()
