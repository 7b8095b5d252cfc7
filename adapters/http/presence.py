"""Who is on the shop's pages right now, for the shop's own eyes."""

from msgspec import Struct
from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.http.errors import MissingTenant
from adapters.wire.pages import Tenant, real_tenant
from adapters.wire.presence import OnlineUsersOut, online_out
from core.application import RoomUseCases
from core.kernel import Agent, Forbidden, ShopKeyActor
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission


class OnlineQuery(Struct, kw_only=True, rename={"tenant_id": "tenantId"}):
    """The shop's admin key says which shop it is; people have to say."""

    tenant_id: Tenant = None


def blueprint(rooms: RoomUseCases) -> Blueprint:
    routes = Blueprint("presence", __name__, url_prefix="/api/webchat")

    @routes.get("/online-users")
    @endpoint(
        access=agent(Permission.VIEW_LIVE_CHAT),
        query=OnlineQuery,
        returns=OnlineUsersOut,
        raises=(MissingTenant, ShopNotFound, Forbidden),
    )
    async def read(actor: Agent, query: OnlineQuery) -> OnlineUsersOut:
        """List the visitors whose page is connected, those who came first before the others.

        The shop's public key, which every visitor of its pages can read, is not enough for it.
        """
        shop_id = real_tenant(query.tenant_id)
        if shop_id is None and isinstance(actor, ShopKeyActor):
            shop_id = actor.shop_id
        if shop_id is None:
            raise MissingTenant
        online = await rooms.online(actor=actor, shop_id=shop_id)
        return OnlineUsersOut(users=[online_out(each) for each in online])

    return routes
