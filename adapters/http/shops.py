"""Shops: the document that the owner's pages live on, and the keys and origins for everybody else's pages."""

from quart import Blueprint

from adapters.http.access import PERSON, agent
from adapters.http.codec import endpoint
from adapters.http.cors import ShopOrigins
from adapters.http.reception import Reception
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.settings import document_of
from adapters.wire.shops import (
    AdminKeyOut,
    KeysOut,
    OriginsIn,
    OriginsOut,
    ShopIn,
    ShopOut,
    keys_out,
    shop_out,
)
from adapters.wire.subscriptions import UpgradeIn
from core.application import ShopUseCases
from core.conversations.signals import ShopGone
from core.kernel import Agent, KeyReused, UserActor
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission
from ports.feed import Feed

CURRENCY = "USD"
IN_A_SHOP = agent(Permission.VIEW_DASHBOARD)
INTEGRATING = agent(Permission.MANAGE_INTEGRATIONS)
SUBSCRIBING = agent(Permission.MANAGE_SUBSCRIPTION)
DELETING = agent(Permission.DELETE_SHOP)


def blueprint(shops: ShopUseCases, origins: ShopOrigins, reception: Reception, feed: Feed) -> Blueprint:
    routes = Blueprint("shops", __name__, url_prefix="/api/shops")

    @routes.post("")
    @endpoint(access=PERSON, body=ShopIn, returns=Data[ShopOut], status=201, raises=(KeyReused,))
    async def open_shop(actor: UserActor, body: ShopIn, once: str | None) -> Data[ShopOut]:
        """Open a shop on trial, owned by the caller.

        Takes a whole Shop document, too: its settings are kept, the rest of it is not for the client to say.
        """
        opened = await shops.open(
            owner=actor,
            name=body.name,
            currency=body.currency or CURRENCY,
            settings=document_of(body.settings()),
            once=once,
        )
        return data(shop_out(opened.view))

    @routes.get("")
    @endpoint(access=agent(), returns=DataList[ShopOut])
    async def list_shops(actor: Agent) -> DataList[ShopOut]:
        """List the shops in whose team the caller is; for a platform admin, every shop."""
        return data_list([shop_out(view) for view in await shops.list(actor=actor)])

    @routes.get("/<id:shop_id>")
    @endpoint(access=IN_A_SHOP, returns=Data[ShopOut], raises=(ShopNotFound,))
    async def read(actor: Agent, shop_id: str) -> Data[ShopOut]:
        """Read a shop with everything its owner's screens show."""
        return data(shop_out(await shops.read(actor=actor, shop_id=shop_id)))

    @routes.post("/<id:shop_id>/upgrade")
    @endpoint(access=SUBSCRIBING, body=UpgradeIn, returns=Data[ShopOut], raises=(ShopNotFound,))
    async def upgrade(actor: Agent, shop_id: str, body: UpgradeIn) -> Data[ShopOut]:
        """Ask for another plan. It is pending until a platform admin approves it."""
        view = await shops.request_upgrade(actor=actor, shop_id=shop_id, plan=body.subscription_plan)
        return data(shop_out(view))

    @routes.delete("/<id:shop_id>")
    @endpoint(access=DELETING, returns=Data[Deleted], raises=(ShopNotFound,))
    async def delete(actor: Agent, shop_id: str) -> Data[Deleted]:
        """Delete a shop with everything that belongs to it. This can't be undone.

        Its keys are dead, its hosts are free and its sockets are closed from then on; the bytes of its files
        are gone within the hour.
        """
        await shops.delete(actor=actor, shop_id=shop_id)
        origins.forget(shop_id)
        reception.forget()
        feed.signal(shop_id, ShopGone())
        return data(Deleted(id=shop_id))

    @routes.get("/<id:shop_id>/keys")
    @endpoint(access=INTEGRATING, returns=Data[KeysOut], raises=(ShopNotFound,))
    async def read_keys(actor: Agent, shop_id: str) -> Data[KeysOut]:
        """Read the public key for the shop's pages, and the origins that may use it."""
        return data(keys_out(await shops.read_keys(actor=actor, shop_id=shop_id)))

    @routes.post("/<id:shop_id>/keys/admin")
    @endpoint(access=INTEGRATING, returns=Data[AdminKeyOut], status=201, raises=(ShopNotFound,))
    async def replace_admin_key(actor: Agent, shop_id: str) -> Data[AdminKeyOut]:
        """Make a new admin key for the shop's own servers. The old one stops working at once.

        The key is shown this once.
        """
        return data(AdminKeyOut(admin_key=await shops.replace_admin_key(actor=actor, shop_id=shop_id)))

    @routes.put("/<id:shop_id>/origins")
    @endpoint(access=INTEGRATING, body=OriginsIn, returns=Data[OriginsOut], raises=(ShopNotFound,))
    async def allow_origins(actor: Agent, shop_id: str, body: OriginsIn) -> Data[OriginsOut]:
        """Say which web pages may chat for the shop, such as https://shop.example."""
        shop = await shops.allow_origins(actor=actor, shop_id=shop_id, origins=body.origins)
        origins.forget(shop_id)
        return data(OriginsOut(origins=list(shop.allowed_origins)))

    return routes
