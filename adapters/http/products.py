"""Products: kept by the shop's people, and seen by everybody."""

from quart import Blueprint

from adapters.http.access import CUSTOMER, agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.items import ItemOut, ItemPart, StockAnswer, StockIn, item_out, public_item_out
from core.application import CatalogueUseCases
from core.catalogue.errors import ProductExists, ProductNotFound
from core.catalogue.use_cases import ProductView
from core.kernel import Agent, KeyReused
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission

KEEPING = agent(Permission.MANAGE_PRODUCTS)
NO_PRODUCT = (ShopNotFound, ProductNotFound)


def blueprint(catalogue: CatalogueUseCases) -> Blueprint:
    routes = Blueprint("products", __name__, url_prefix="/api/shops/<id:shop_id>/products")

    @routes.get("")
    @endpoint(access=CUSTOMER, returns=DataList[ItemOut], raises=(ShopNotFound,))
    async def list_products(actor: Agent | None, shop_id: str) -> DataList[ItemOut]:
        """List the products, the oldest first.

        People of the shop who may see products get them with their cost and the history of their stock."""
        return data_list([_shown(view) for view in await catalogue.list(actor=actor, shop_id=shop_id)])

    @routes.post("")
    @endpoint(
        access=KEEPING,
        body=ItemPart,
        returns=Data[ItemOut],
        status=201,
        raises=(ShopNotFound, ProductExists, KeyReused),
    )
    async def add(actor: Agent, shop_id: str, body: ItemPart, once: str | None) -> Data[ItemOut]:
        """Add a product. An `id` of the client's own is kept; with it, too, repeating is harmless."""
        view = await catalogue.add(
            actor=actor, shop_id=shop_id, wanted=body.changes, own_id=body.own_id, once=once
        )
        return data(_shown(view))

    @routes.get("/<id:product_id>")
    @endpoint(access=CUSTOMER, returns=Data[ItemOut], raises=NO_PRODUCT)
    async def read(actor: Agent | None, shop_id: str, product_id: str) -> Data[ItemOut]:
        """Read a product."""
        return data(_shown(await catalogue.read(actor=actor, shop_id=shop_id, product_id=product_id)))

    @routes.put("/<id:product_id>")
    @endpoint(access=KEEPING, body=ItemPart, returns=Data[ItemOut], raises=NO_PRODUCT)
    async def change(actor: Agent, shop_id: str, product_id: str, body: ItemPart) -> Data[ItemOut]:
        """Change any part of a product. Its `stockHistory` is the server's to write."""
        view = await catalogue.change(
            actor=actor, shop_id=shop_id, product_id=product_id, wanted=body.changes
        )
        return data(_shown(view))

    @routes.delete("/<id:product_id>")
    @endpoint(access=KEEPING, returns=Data[Deleted], raises=NO_PRODUCT)
    async def remove(actor: Agent, shop_id: str, product_id: str) -> Data[Deleted]:
        """Delete a product and the history of its stock. Orders keep what was ordered."""
        await catalogue.remove(actor=actor, shop_id=shop_id, product_id=product_id)
        return data(Deleted(id=product_id))

    @routes.put("/<id:product_id>/stock")
    @endpoint(access=KEEPING, body=StockIn, returns=StockAnswer, raises=NO_PRODUCT)
    async def adjust(actor: Agent, shop_id: str, product_id: str, body: StockIn) -> StockAnswer:
        """Add to the stock, or take from it, and say why."""
        adjusted = await catalogue.adjust_stock(
            actor=actor, shop_id=shop_id, product_id=product_id, by=body.adjustment, reason=body.reason
        )
        return StockAnswer(
            success=True,
            data=_shown(adjusted.view),
            previous_stock=adjusted.previous_stock,
            new_stock=adjusted.view.product.stock,
        )

    return routes


def _shown(view: ProductView) -> ItemOut:
    if view.history is None:
        return public_item_out(view.product, view.currency)
    return item_out(view.product, view.currency, view.history)
