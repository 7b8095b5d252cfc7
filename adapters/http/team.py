"""A shop's team."""

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.team import InviteIn, RoleIn, TeammateOut, role_of, teammate_out
from core.application import TeamUseCases
from core.identity.errors import UserNotFound
from core.kernel import Agent
from core.shops.errors import AlreadyMember, MemberNotFound, OwnerStays, ShopNotFound
from core.shops.policy import Permission

IN_A_SHOP = agent(Permission.VIEW_DASHBOARD)
MANAGING = agent(Permission.MANAGE_TEAM)


def blueprint(team: TeamUseCases) -> Blueprint:
    routes = Blueprint("team", __name__, url_prefix="/api/shops/<id:shop_id>/team")

    @routes.get("")
    @endpoint(access=IN_A_SHOP, returns=DataList[TeammateOut], raises=(ShopNotFound,))
    async def list_team(actor: Agent, shop_id: str) -> DataList[TeammateOut]:
        """List the team, the owner first."""
        return data_list([teammate_out(one) for one in await team.list(actor=actor, shop_id=shop_id)])

    @routes.post("")
    @endpoint(
        access=MANAGING,
        body=InviteIn,
        returns=Data[TeammateOut],
        status=201,
        raises=(ShopNotFound, UserNotFound, AlreadyMember),
    )
    async def add(actor: Agent, shop_id: str, body: InviteIn) -> Data[TeammateOut]:
        """Take somebody into the team who has an account, by name or by id.

        Nobody makes another Owner, and an Admin makes no Admins.
        """
        added = await team.add(
            actor=actor,
            shop_id=shop_id,
            role=role_of(body.role),
            user_id=body.user_id,
            username=body.username,
        )
        return data(teammate_out(added))

    @routes.put("/<id:user_id>")
    @endpoint(
        access=MANAGING,
        body=RoleIn,
        returns=Data[TeammateOut],
        raises=(ShopNotFound, MemberNotFound, OwnerStays),
    )
    async def change(actor: Agent, shop_id: str, user_id: str, body: RoleIn) -> Data[TeammateOut]:
        """Give somebody another role. An Admin neither makes nor unmakes an Admin."""
        changed = await team.change_role(
            actor=actor, shop_id=shop_id, user_id=user_id, role=role_of(body.role)
        )
        return data(teammate_out(changed))

    @routes.delete("/<id:user_id>")
    @endpoint(access=MANAGING, returns=Data[Deleted], raises=(ShopNotFound, MemberNotFound, OwnerStays))
    async def remove(actor: Agent, shop_id: str, user_id: str) -> Data[Deleted]:
        """Take somebody out of the team: their conversations are nobody's then, and their sockets leave it.

        Everybody may take out themselves, whatever their role; only the owner stays.
        """
        await team.remove(actor=actor, shop_id=shop_id, user_id=user_id)
        return data(Deleted(id=user_id))

    return routes
