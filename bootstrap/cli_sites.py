"""`parley sites`: on which hosts' pages a shop's chat is at home, for the operator's hands."""

from typing import Annotated, Any

import typer
from rich.text import Text

from bootstrap.command import a_table, acting_owner, console, load_settings, run_on_container
from core.sites.model import Site

app = typer.Typer(help="The sites of a shop and their hosts.", no_args_is_help=True)
ShopId = Annotated[str, typer.Argument(metavar="SHOP", help="The shop's id.")]


@app.command("add")
def add_site(
    shop_id: ShopId,
    hosts: Annotated[list[str], typer.Argument(help="shop.example, *.shop.example, localhost:8080 …")],
    name: Annotated[str | None, typer.Option(help="What the shop calls it. Default: its first host.")] = None,
) -> None:
    """Make the chat on pages of these hosts the shop's."""

    async def add(container: Any) -> Site:
        owner = await acting_owner(container, shop_id)
        site: Site = await container.application().sites.add(
            actor=owner, shop_id=shop_id, name=name or hosts[0], hosts=hosts
        )
        return site

    site = run_on_container(load_settings(), add)
    console.print(f"Site {site.id}: {', '.join(site.hosts)}", markup=False, soft_wrap=True)


@app.command("list")
def list_sites(shop_id: ShopId) -> None:
    """Show a shop's sites."""

    async def look(container: Any) -> list[Site]:
        owner = await acting_owner(container, shop_id)
        found: list[Site] = await container.application().sites.list(actor=owner, shop_id=shop_id)
        return found

    table = a_table("id", "name", "hosts", "since")
    for site in run_on_container(load_settings(), look):
        table.add_row(*map(Text, (site.id, site.name, " ".join(site.hosts), f"{site.created_at:%Y-%m-%d}")))
    console.print(table)


@app.command("remove")
def remove_site(
    shop_id: ShopId, site_id: Annotated[str, typer.Argument(metavar="SITE", help="The site's id.")]
) -> None:
    """Take a site from a shop; what was said there stays."""

    async def remove(container: Any) -> None:
        owner = await acting_owner(container, shop_id)
        await container.application().sites.remove(actor=owner, shop_id=shop_id, site_id=site_id)

    run_on_container(load_settings(), remove)
    console.print(f"Site {site_id} is removed.", markup=False)
