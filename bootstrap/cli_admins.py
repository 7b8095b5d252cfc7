"""`parley admins`: who looks after the platform. The first of them is made here."""

from typing import Annotated, Any

import structlog
import typer
from rich.text import Text

from bootstrap.command import a_table, console, fail, load_settings, run_on_container
from core.identity.model import User

app = typer.Typer(help="The admins of the platform.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="Of somebody who has registered.")]


@app.command("add")
def add(email: Email) -> None:
    """Make somebody an admin of the platform."""

    async def grant(container: Any) -> User:
        user = await _look_up(container, email)
        granted: User = await container.application().platform.grant(actor=None, user_id=user.id)
        _note("platform admin granted", granted)
        return granted

    user = run_on_container(load_settings(), grant)
    console.print(f"{user.username} is an admin of the platform now.", markup=False)


@app.command("remove")
def remove(email: Email) -> None:
    """Make an admin an ordinary person again. The last one stays."""

    async def revoke(container: Any) -> User:
        user = await _look_up(container, email)
        revoked: User = await container.application().platform.revoke(actor=None, user_id=user.id)
        _note("platform admin revoked", revoked)
        return revoked

    user = run_on_container(load_settings(), revoke)
    console.print(f"{user.username} is no admin of the platform.", markup=False)


@app.command("list")
def list_admins() -> None:
    """Show who they are."""
    table = a_table("id", "name", "email")
    for user in run_on_container(
        load_settings(), lambda container: container.application().platform.admins(actor=None)
    ):
        table.add_row(*map(Text, (user.id, user.username, user.email)))
    console.print(table)


def _note(what: str, user: User) -> None:
    structlog.get_logger("parley.audit").info(what, user_id=user.id, by="operator")


async def _look_up(container: Any, email: str) -> User:
    from ports.db import SYSTEM

    normal = container.emails().normal(email)
    user: User | None = await container.db().read(lambda tx: tx.users.by_email(normal), shop=SYSTEM)
    if user is None:
        raise fail(f"Nobody has registered as {email}.")
    return user
