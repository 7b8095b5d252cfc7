"""For the platform's admins: who they are, and which shops wait for their word. What they do is logged."""

import structlog
from quart import Blueprint

from adapters.http.access import PLATFORM_ADMIN
from adapters.http.codec import endpoint
from adapters.wire.accounts import UserOut, user_out
from adapters.wire.admin import AdminIn, SurveyedShopOut, SurveyQuery, surveyed_out
from adapters.wire.base import Data, DataList, data, data_list
from core.application import PlatformUseCases
from core.identity.errors import LastAdmin, UserNotFound
from core.kernel import UserActor
from core.shops.errors import NothingPending, ShopNotFound

log = structlog.get_logger("parley.audit")


def blueprint(platform: PlatformUseCases) -> Blueprint:
    routes = Blueprint("admin", __name__, url_prefix="/api/admin")

    @routes.get("/list-super-admins")
    @endpoint(access=PLATFORM_ADMIN, returns=DataList[UserOut])
    async def list_admins(actor: UserActor) -> DataList[UserOut]:
        """List the platform's admins."""
        return data_list([user_out(user) for user in await platform.admins(actor=actor)])

    @routes.post("/grant-super-admin")
    @endpoint(access=PLATFORM_ADMIN, body=AdminIn, returns=Data[UserOut], raises=(UserNotFound,))
    async def grant(actor: UserActor, body: AdminIn) -> Data[UserOut]:
        """Make somebody an admin of the platform."""
        user = await platform.grant(actor=actor, user_id=body.user_id)
        log.info("platform admin granted", user_id=user.id, by=actor.user_id)
        return data(user_out(user))

    @routes.post("/revoke-super-admin")
    @endpoint(access=PLATFORM_ADMIN, body=AdminIn, returns=Data[UserOut], raises=(UserNotFound, LastAdmin))
    async def revoke(actor: UserActor, body: AdminIn) -> Data[UserOut]:
        """Make an admin of the platform an ordinary person again. The last one stays."""
        user = await platform.revoke(actor=actor, user_id=body.user_id)
        log.info("platform admin revoked", user_id=user.id, by=actor.user_id)
        return data(user_out(user))

    @routes.get("/shops")
    @endpoint(access=PLATFORM_ADMIN, query=SurveyQuery, returns=DataList[SurveyedShopOut])
    async def survey(actor: UserActor, query: SurveyQuery) -> DataList[SurveyedShopOut]:
        """List all shops with their subscriptions, such as those with the status pending_approval."""
        shops = await platform.shops(actor=actor, status=query.wanted)
        return data_list([surveyed_out(shop) for shop in shops])

    @routes.post("/shops/<id:shop_id>/subscription/approve")
    @endpoint(access=PLATFORM_ADMIN, returns=Data[SurveyedShopOut], raises=(ShopNotFound, NothingPending))
    async def approve(actor: UserActor, shop_id: str) -> Data[SurveyedShopOut]:
        """Make the plan that a shop's owner has asked for active, for 30 days more."""
        shop = await platform.approve(actor=actor, shop_id=shop_id)
        log.info("subscription approved", shop_id=shop.id, plan=shop.subscription.plan, by=actor.user_id)
        return data(surveyed_out(shop))

    @routes.post("/shops/<id:shop_id>/subscription/reject")
    @endpoint(access=PLATFORM_ADMIN, returns=Data[SurveyedShopOut], raises=(ShopNotFound, NothingPending))
    async def reject(actor: UserActor, shop_id: str) -> Data[SurveyedShopOut]:
        """Refuse what a shop's owner has asked for: the subscription has expired then."""
        shop = await platform.reject(actor=actor, shop_id=shop_id)
        log.info("subscription rejected", shop_id=shop.id, by=actor.user_id)
        return data(surveyed_out(shop))

    return routes
