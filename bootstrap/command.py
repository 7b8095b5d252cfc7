"""What every command of `parley` needs: settings, logs, an open container, and errors told in a sentence."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.table import Table

from bootstrap.settings import OWN_NAMES, PREFIX, Environment, Settings, unknown_names

T = TypeVar("T")
console, complaints = Console(), Console(stderr=True)


def a_table(*headings: str) -> Table:
    """Nothing in it is cut off, and ids, which are there to be copied, are not even broken."""
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")
    return table


def fail(sentence: str) -> typer.Exit:
    complaints.print(sentence, style="red", markup=False, soft_wrap=True)
    return typer.Exit(1)


def load_settings() -> Settings:
    """The settings, or one sentence per mistake and the end."""
    mistakes = unknown_names(os.environ)
    try:
        settings = Settings()
    except ValidationError as error:
        # Names that are none have been told already.
        mistakes += [_sentence(mistake) for mistake in error.errors() if mistake["type"] != "extra_forbidden"]
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


def start_logs(settings: Settings) -> None:
    from bootstrap import logs

    is_production = settings.env is Environment.PRODUCTION
    logs.configure(
        level=settings.log_level, as_json=is_production if settings.log_json is None else settings.log_json
    )


def run_on_container(settings: Settings, action: Callable[[Any], Awaitable[T]]) -> T:
    """One action on an open container."""
    from bootstrap.container import Container

    start_logs(settings)

    async def with_container() -> T:
        container = Container(settings=settings)
        try:
            await container.db().check()
            return await action(container)
        finally:
            await container.db().close()

    with told_in_a_sentence(settings):
        return asyncio.run(with_container())


@contextmanager
def told_in_a_sentence(settings: Settings) -> Iterator[None]:
    """What is wrong outside ends the command with a sentence; a traceback shows mistakes of our own."""
    import asyncpg  # type: ignore[import-untyped]
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from core.kernel import DomainError
    from core.outages import DatabaseDown

    try:
        yield
    except DatabaseDown as error:
        why = f": {_first_line(error.__cause__)}" if error.__cause__ else ""
        raise fail(f"{error}{why} ({_shown(settings.database_url)})") from None
    except (DomainError, OSError, ArgumentError, DBAPIError, asyncpg.PostgresError) as error:
        raise fail(f"{_first_line(error)} ({_shown(settings.database_url)})") from None
    except Exception as error:
        # Alembic's: a revision that is none. Importing it takes longer than anything else here.
        if type(error).__name__ != "CommandError":
            raise
        raise fail(_first_line(error)) from None


async def acting_owner(container: Any, shop_id: str) -> Any:
    """The shop's owner, in whose name the operator acts."""
    from core.kernel import UserActor
    from ports.db import SYSTEM

    shop = await container.db().read(lambda tx: tx.shops.by_id(shop_id), shop=SYSTEM)
    if shop is None:
        raise fail(f"There is no shop {shop_id}.")
    return UserActor(shop.owner_id, "")


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error)
    return text.splitlines()[0] if text else "It does not answer"


def _shown(database_url: str) -> str:
    """Where the database is, without the password that leads there."""
    import sqlalchemy as sa

    try:
        return sa.make_url(database_url).render_as_string(hide_password=True)
    except (ValueError, sa.exc.ArgumentError):
        return "DATABASE_URL"
