"""`parley members`: who works in a shop, for the operator's hands."""

from typing import Annotated, Any

import typer
from rich.text import Text

from bootstrap.command import a_table, console, fail, load_settings, run_on_container
from core.identity.model import User
from core.kernel import UserActor
from core.shops.model import Member, Shop
from core.shops.policy import Role

app = typer.Typer(help="The people of a shop and their roles.", no_args_is_help=True)
ShopId = Annotated[str, typer.Argument(metavar="SHOP", help="The shop's id.")]


@app.command("add")
def add_member(
    shop_id: ShopId,
    email: Annotated[str, typer.Argument(help="Of somebody who has registered.")],
    role: Annotated[Role, typer.Argument()] = Role.SUPPORT_AGENT,
) -> None:
    """Take somebody into a shop's team, as its owner could."""

    async def add(container: Any) -> tuple[Shop, User]:
        shop, user = await _look_up(container, shop_id, email)
        await container.application().team.add(
            actor=UserActor(shop.owner_id, ""), shop_id=shop.id, user_id=user.id, role=role
        )
        return shop, user

    shop, user = run_on_container(load_settings(), add)
    console.print(f"{user.username} is {role.value} of {shop.name} now.", markup=False)


@app.command("list")
def list_members(shop_id: ShopId) -> None:
    """Show who works in a shop."""
    from ports.db import Transaction

    def look(tx: Transaction) -> list[tuple[Member, User]]:
        tx.shops.get()
        team = tx.members.all()
        users = tx.users.by_ids([member.user_id for member in team])
        return [(member, users[member.user_id]) for member in team]

    table = a_table("user", "name", "email", "role", "since")
    for member, user in run_on_container(
        load_settings(), lambda container: container.db().read(look, shop=shop_id)
    ):
        since = f"{member.joined_at:%Y-%m-%d}"
        table.add_row(*map(Text, (user.id, user.username, user.email, member.role.value, since)))
    console.print(table)


async def _look_up(container: Any, shop_id: str, email: str) -> tuple[Shop, User]:
    from ports.db import SYSTEM

    shop = await container.db().read(lambda tx: tx.shops.by_id(shop_id), shop=SYSTEM)
    normal = container.emails().normal(email)
    user = await container.db().read(lambda tx: tx.users.by_email(normal), shop=SYSTEM)
    if shop is None:
        raise fail(f"There is no shop {shop_id}.")
    if user is None:
        raise fail(f"Nobody has registered as {email}.")
    return shop, user
