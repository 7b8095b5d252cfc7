"""`parley visitors`: the secret with which a shop vouches for its known visitors."""

from typing import Annotated, Any

import typer

from bootstrap.command import acting_owner, load_settings, run_on_container

app = typer.Typer(help="Visitors whom a shop knows.", no_args_is_help=True)


@app.callback()
def visitors() -> None:
    """With a callback a single command keeps its name."""


@app.command("secret")
def secret(
    shop_id: Annotated[str, typer.Argument(metavar="SHOP", help="The shop's id.")],
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new one, or the first; the old one is good for 24 h.")
    ] = False,
) -> None:
    """Show the secret that the shop's servers sign their visitors' ids with."""

    async def look(container: Any) -> str:
        owner, sites = await acting_owner(container, shop_id), container.application().sites
        use_case = sites.rotate_identity_secret if rotate else sites.read_identity_secret
        found: str = await use_case(actor=owner, shop_id=shop_id)
        return found

    typer.echo(run_on_container(load_settings(), look))
