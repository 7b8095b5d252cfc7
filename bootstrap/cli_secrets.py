"""`parley secrets`: what is sealed with PARLEY_ENCRYPTION_KEYS."""

from typing import Any

import typer

from bootstrap.command import console, fail, load_settings, run_on_container
from bootstrap.renewal import Renewal, renew

app = typer.Typer(help="Stored secrets, sealed with PARLEY_ENCRYPTION_KEYS.", no_args_is_help=True)


@app.callback()
def secrets() -> None:
    """With a callback a single command keeps its name."""


@app.command("renew")
def renew_secrets() -> None:
    """Seal everything with the first key; then the others can be forgotten."""

    async def run(container: Any) -> Renewal:
        return await renew(container.db(), container.cipher())

    done = run_on_container(load_settings(), run)
    console.print(f"{done.renewed} sealed anew.")
    if done.unreadable:
        raise fail("No key opens: " + ", ".join(sorted(set(done.unreadable))))
