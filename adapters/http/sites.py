"""The sites of a shop: on which hosts' pages its chat is at home."""

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.http.cors import ShopOrigins
from adapters.http.reception import Reception
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.sites import SiteChangesIn, SiteIn, SiteOut, site_out
from core.application import SiteUseCases
from core.kernel import Agent
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission
from core.sites.errors import HostTaken, SiteNotFound

INTEGRATING = agent(Permission.MANAGE_INTEGRATIONS)


def blueprint(sites: SiteUseCases, origins: ShopOrigins, reception: Reception) -> Blueprint:
    routes = Blueprint("sites", __name__, url_prefix="/api/shops/<id:shop_id>/sites")

    def forget(shop_id: str) -> None:
        origins.forget(shop_id)
        reception.forget()

    @routes.get("")
    @endpoint(access=INTEGRATING, returns=DataList[SiteOut], raises=(ShopNotFound,))
    async def list_sites(actor: Agent, shop_id: str) -> DataList[SiteOut]:
        """List the shop's sites, the oldest first."""
        return data_list([site_out(site) for site in await sites.list(actor=actor, shop_id=shop_id)])

    @routes.post("")
    @endpoint(
        access=INTEGRATING, body=SiteIn, returns=Data[SiteOut], status=201, raises=(ShopNotFound, HostTaken)
    )
    async def add(actor: Agent, shop_id: str, body: SiteIn) -> Data[SiteOut]:
        """Add a site: the chat on pages of its hosts is the shop's.

        Hosts are names such as `shop.example`, `*.shop.example` for every host below that, or
        `localhost:8080`. A host belongs to one site; what falls under a wildcard of another shop is refused.
        """
        site = await sites.add(actor=actor, shop_id=shop_id, name=body.name, hosts=body.hosts)
        forget(shop_id)
        return data(site_out(site))

    @routes.put("/<id:site_id>")
    @endpoint(
        access=INTEGRATING,
        body=SiteChangesIn,
        returns=Data[SiteOut],
        raises=(ShopNotFound, SiteNotFound, HostTaken),
    )
    async def change(actor: Agent, shop_id: str, site_id: str, body: SiteChangesIn) -> Data[SiteOut]:
        """Change a site's name or all of its hosts."""
        site = await sites.change(
            actor=actor, shop_id=shop_id, site_id=site_id, name=body.name, hosts=body.hosts
        )
        forget(shop_id)
        return data(site_out(site))

    @routes.delete("/<id:site_id>")
    @endpoint(access=INTEGRATING, returns=Data[Deleted], raises=(ShopNotFound, SiteNotFound))
    async def remove(actor: Agent, shop_id: str, site_id: str) -> Data[Deleted]:
        """Remove a site. Conversations that began there stay."""
        await sites.remove(actor=actor, shop_id=shop_id, site_id=site_id)
        forget(shop_id)
        return data(Deleted(id=site_id))

    return routes
