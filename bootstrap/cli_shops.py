"""`parley shop`: a whole shop as one archive, out of one database and into another."""

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from bootstrap.command import a_table, console, fail, load_settings, run_on_container
from bootstrap.shop_report import bars, show_archive, show_exported, show_imported, told

app = typer.Typer(help="Whole shops, as archives that any Parley can take in.", no_args_is_help=True)
ShopName = Annotated[str, typer.Argument(metavar="SHOP", help="The shop's id, or its name.")]
ArchivePath = Annotated[Path, typer.Argument(metavar="FILE", help="What `parley shop export` wrote.")]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON.")]


@app.command("list")
def list_shops(as_json: AsJson = False) -> None:
    """Show every shop."""

    async def look(container: Any) -> list[dict[str, str]]:
        from ports.db import SYSTEM

        found: list[dict[str, str]] = await container.db().read(_listed, shop=SYSTEM)
        return found

    found = run_on_container(load_settings(), look)
    if as_json:
        sys.stdout.writelines(json.dumps(shop) + "\n" for shop in found)
        return
    table = a_table("id", "name", "owner", "since")
    for shop in found:
        table.add_row(*map(Text, (shop["id"], shop["name"], shop["owner"], shop["created_at"][:10])))
    console.print(table if found else "There is no shop.")


@app.command("export")
def export_shop(
    shop: ShopName,
    output: Annotated[Path, typer.Option("--output", "-o", help="The archive to write: shop.parley.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything of a shop into one archive, also while the server runs."""
    settings = load_settings()
    if output.exists() and not force:
        raise fail(f"{output} is there already; replace it with --force.")

    async def run(container: Any) -> Any:
        from bootstrap.files import files_url
        from bootstrap.shop_export import ExportShop

        export = ExportShop(container.db(), container.storage(), container.clock(), files_url(settings))
        found = await _shop(container, shop)
        with told(), bars() as meter:
            return await export(found, output, meter)

    show_exported(run_on_container(settings, run), as_json=as_json)


@app.command("verify")
def verify_archive(file: ArchivePath, as_json: AsJson = False) -> None:
    """Prove that an archive is whole and as it was written. Needs no database."""
    from adapters.archives.reading import Archive
    from bootstrap.shop_proof import prove_hashes

    with told(), Archive(file) as archive:
        with bars() as meter:
            prove_hashes(archive, meter)
        show_archive(archive, as_json=as_json)


@app.command("import")
def import_shop(
    file: ArchivePath,
    as_id: Annotated[
        str | None, typer.Option("--as", metavar="NEW_ID", help="A copy with this id, beside the original.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, and undo it.")] = False,
    print_passwords: Annotated[
        bool, typer.Option("--print-passwords", help="Give new accounts a password, shown this once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a shop in from its archive: all of it, or nothing."""
    from adapters.archives.manifest import SHOP_ID

    settings = load_settings()
    if as_id is not None and not re.fullmatch(SHOP_ID, as_id):
        raise fail("NEW_ID must be 1 to 64 of the characters A-Z a-z 0-9 _ -")

    async def run(container: Any) -> Any:
        from bootstrap.files import files_url
        from bootstrap.shop_import import ImportShop

        bring_in = ImportShop(
            db=container.db(),
            storage=container.storage(),
            cipher=container.cipher(),
            clock=container.clock(),
            ids=container.ids(),
            emails=container.emails(),
            passwords=container.passwords() if print_passwords and not dry_run else None,
            files_url=files_url(settings),
        )
        with told(), bars() as meter:
            return await bring_in(file, meter, as_id=as_id, dry_run=dry_run)

    show_imported(run_on_container(settings, run), dry_run=dry_run, as_json=as_json)


def _listed(tx: Any) -> list[dict[str, str]]:
    shops = tx.shops.all()
    owners = tx.users.by_ids({shop.owner_id for shop in shops})
    return [
        {
            "id": shop.id,
            "name": shop.name,
            "owner": owners[shop.owner_id].email,
            "created_at": shop.created_at.isoformat(),
        }
        for shop in shops
    ]


async def _shop(container: Any, named: str) -> Any:
    from ports.db import SYSTEM

    shops = await container.db().read(lambda tx: tx.shops.all(), shop=SYSTEM)
    found = [shop for shop in shops if shop.id == named]
    found = found or [shop for shop in shops if shop.name.casefold() == named.casefold()]
    if not found:
        raise fail(f"There is no shop {named}; see: parley shop list")
    if len(found) > 1:
        raise fail(f"Several shops are called {named}; say which: {', '.join(shop.id for shop in found)}")
    return found[0]
