"""Shops: the document that the owner's pages live on, and the keys and origins for everybody else's pages."""

import re

from quart import Blueprint

from adapters.http.access import CUSTOMER, PERSON, agent
from adapters.http.call import Call
from adapters.http.codec import endpoint
from adapters.http.cors import ShopOrigins
from adapters.http.reception import Reception
from adapters.http.shop_pages import Reading, Shelf, page
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.settings import document_of
from adapters.wire.shop_documents import PageDocument
from adapters.wire.shops import (
    AdminKeyOut,
    KeysOut,
    OriginsIn,
    OriginsOut,
    ShopIn,
    ShopOut,
    ShopPart,
    ShopRead,
    keys_out,
)
from adapters.wire.storefront import StorefrontOut, storefront_out
from adapters.wire.subscriptions import UpgradeIn
from core.application import ShopUseCases, StorefrontUseCases
from core.catalogue.errors import ProductExists
from core.conversations.signals import ShopGone
from core.forms.errors import FormExists
from core.kernel import Agent, DoneBefore, Forbidden, KeyReused, UserActor
from core.orders.errors import OrderExists
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission
from core.shops.views import ShopView
from ports.feed import Feed

CURRENCY = "USD"
IN_A_SHOP = agent(Permission.VIEW_DASHBOARD)
INTEGRATING = agent(Permission.MANAGE_INTEGRATIONS)
SUBSCRIBING = agent(Permission.MANAGE_SUBSCRIPTION)
DELETING = agent(Permission.DELETE_SHOP)


REFUSED_ENTRIES = (ProductExists, FormExists, OrderExists, DoneBefore)
"""Of two pages that make up the same id at the same moment, one has to try again."""

_TAB = re.compile(rb"[!-~]{1,128}")


def tab_of(call: Call) -> str | None:
    """Pages make up a CSRF token, one for each tab and hour. It proves nothing, but tells tabs apart."""
    token = call.headers.get(b"x-csrf-token", b"")
    return token.decode() if _TAB.fullmatch(token) else None


def blueprint(
    shops: ShopUseCases,
    storefront: StorefrontUseCases,
    origins: ShopOrigins,
    reception: Reception,
    feed: Feed,
) -> Blueprint:
    routes = Blueprint("shops", __name__, url_prefix="/api/shops")
    shelf = Shelf()

    async def shown(actor: Agent, view: ShopView, reading: Reading) -> ShopOut:
        """The shop as the caller's pages will remember it."""
        made = page(view, reading)
        await shops.remember(actor=actor, shop_id=view.shop.id, memory=made.memory, digest=made.digest)
        return made.shop

    @routes.post("")
    @endpoint(access=PERSON, body=ShopIn, returns=Data[ShopOut], status=201, raises=(KeyReused,))
    async def open_shop(actor: UserActor, body: ShopIn, once: str | None) -> Data[ShopOut]:
        """Open a shop on trial, owned by the caller.

        Takes a whole Shop document, too: its settings, products, forms, orders and conversations are kept,
        the rest of it is not for the client to say.
        """
        opened = await shops.open(
            owner=actor,
            name=body.name,
            currency=body.currency or CURRENCY,
            settings=document_of(body.settings()),
            document=body.lists(),
            once=once,
        )
        return data(await shown(actor, opened.view, Reading(shelf)))

    @routes.get("")
    @endpoint(access=agent(), returns=DataList[ShopOut])
    async def list_shops(actor: Agent) -> DataList[ShopOut]:
        """List the shops in whose team the caller is; for a platform admin, every shop."""
        reading = Reading(shelf)
        views = await shops.list(actor=actor, known=reading)
        return data_list([await shown(actor, view, reading) for view in views])

    @routes.get("/<id:shop_id>")
    @endpoint(access=CUSTOMER, returns=Data[ShopRead], raises=(ShopNotFound,))
    async def read(actor: Agent | None, shop_id: str) -> Data[ShopOut] | Data[StorefrontOut]:
        """Read a shop with everything its owner's screens show.

        Who is not signed in gets what customers see. Another shop is not found by those who are.
        """
        if actor is None:
            return data(storefront_out(await storefront.read(shop_id=shop_id)))
        reading = Reading(shelf)
        view = await shops.read(actor=actor, shop_id=shop_id, known=reading)
        return data(await shown(actor, view, reading))

    @routes.put("/<id:shop_id>")
    @endpoint(
        access=IN_A_SHOP,
        body=ShopPart,
        returns=Data[ShopOut],
        raises=(ShopNotFound, Forbidden, *REFUSED_ENTRIES),
    )
    async def edit(call: Call, actor: Agent, shop_id: str, body: PageDocument) -> Data[ShopOut]:
        """Change a shop by sending all of it, or any part of it.

        Only what the client has changed since it was shown the shop counts as changed, so nothing is lost
        that others did meanwhile. An order or conversation that is left out is deleted if the client had been
        shown it; messages are only added; a stock is taken as a difference. What the caller's role may not
        change is passed over, unless that is everything the part holds.
        """
        await shops.edit(actor=actor, shop_id=shop_id, document=body.of(shop_id), tab=tab_of(call))
        reading = Reading(shelf)
        view = await shops.read(actor=actor, shop_id=shop_id, known=reading)
        return data(page(view, reading).shop)

    @routes.post("/<id:shop_id>/upgrade")
    @endpoint(access=SUBSCRIBING, body=UpgradeIn, returns=Data[ShopOut], raises=(ShopNotFound,))
    async def upgrade(actor: Agent, shop_id: str, body: UpgradeIn) -> Data[ShopOut]:
        """Ask for another plan. It is pending until a platform admin approves it."""
        view = await shops.request_upgrade(actor=actor, shop_id=shop_id, plan=body.subscription_plan)
        return data(page(view, Reading(shelf)).shop)

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
