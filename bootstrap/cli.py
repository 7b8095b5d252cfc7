"""The command `parley`."""

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from bootstrap import (
    cli_admins,
    cli_events,
    cli_members,
    cli_push,
    cli_secrets,
    cli_shops,
    cli_sites,
    cli_visitors,
    cli_webhooks,
)
from bootstrap.command import (
    console,
    fail,
    load_settings,
    run_on_container,
    start_logs,
    told_in_a_sentence,
)
from bootstrap.settings import Environment, Settings

app = typer.Typer(
    help="Parley: conversations that sell.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(cli_admins.app, name="admins")
app.add_typer(cli_events.app, name="events")
app.add_typer(cli_members.app, name="members")
app.add_typer(cli_push.app, name="push")
app.add_typer(cli_secrets.app, name="secrets")
app.add_typer(cli_shops.app, name="shop")
app.add_typer(cli_sites.app, name="sites")
app.add_typer(cli_visitors.app, name="visitors")
app.add_typer(cli_webhooks.app, name="webhooks")


def main() -> None:
    app()


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
    start_logs(settings)
    is_development = settings.env is Environment.DEVELOPMENT
    is_seeded = is_development if seed_demo is None else seed_demo
    if is_seeded:
        _refuse_demo_in_production(settings)
    with told_in_a_sentence(settings):
        if is_development:
            _prepare_apart(settings, seeds=is_seeded)
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
    start_logs(settings)
    with told_in_a_sentence(settings):
        run(Container(settings=settings))


@app.command(context_settings={"ignore_unknown_options": True})
def migrate(
    revision: Annotated[str, typer.Argument(help="head, base, a revision, or a step such as -1")] = "head",
) -> None:
    """Bring the database schema up to date, or to a revision."""
    from adapters.db.migrate import downgrade, upgrade

    settings = load_settings()
    start_logs(settings)
    url = settings.migration_database_url or settings.database_url
    if url.startswith("memory"):
        raise fail("memory:// has no schema to migrate: it is made at each start.")
    with told_in_a_sentence(settings), console.status("Migrating"):
        if revision == "base" or revision.startswith("-"):
            downgrade(url, revision)
        else:
            upgrade(url, revision)
    console.print(f"Migrated to {revision}.")


@app.command()
def seed(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
    as_variables: Annotated[bool, typer.Option("--env", help="Variables for a shell: eval them.")] = False,
) -> None:
    """Make the demo shop, once, and print its credentials."""
    settings = load_settings()
    start_logs(settings)
    _refuse_demo_in_production(settings)
    with told_in_a_sentence(settings):
        _migrate_if_behind(settings)
    demo = run_on_container(settings, lambda container: _seeder(container)())
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
    findings = run_on_container(
        settings, lambda container: run_checks(container.db(), container.storage(), console)
    )
    if findings:
        raise fail("\n".join(findings))
    console.print("All checks passed.", style="green")


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from bootstrap.container import Container
    from bootstrap.web import Service

    settings = load_settings().model_copy(update={"database_url": "memory://"})
    start_logs(settings)

    async def fetch() -> str:
        client = Service(Container(settings=settings)).http.test_client()
        response = await client.get("/openapi.json")
        return str(await response.get_data(as_text=True))

    sys.stdout.write(asyncio.run(fetch()) + "\n")


def _refuse_demo_in_production(settings: Settings) -> None:
    if settings.env is Environment.PRODUCTION:
        raise fail("The demo shop is for development; it is never made in production.")


def _prepare_apart(settings: Settings, *, seeds: bool) -> None:
    """Migrate and seed in a process of their own: what they load would stay in the server's memory."""
    from bootstrap.schema import is_current

    if settings.database_url.startswith("memory") or is_current(settings):
        return
    command = ["seed", "--json"] if seeds else ["migrate"]
    parley = [sys.executable, "-m", "bootstrap.cli", *command]
    done = subprocess.run(parley, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    if done.returncode:
        raise typer.Exit(done.returncode)


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
