"""Orders for the shop's people."""

from collections.abc import Collection

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.orders import Json, order_out, parse, status_of
from adapters.wire.submissions import (
    OrdersQuery,
    StatusIn,
    SubmissionIn,
    SubmissionOut,
    as_submission,
    placed_for,
)
from core.application import OrderUseCases
from core.catalogue.errors import OutOfStock, ProductNotFound
from core.kernel import Agent
from core.orders.documents import OrderDocument
from core.orders.editing import Read
from core.orders.errors import NumberTaken, OrderExists, OrderNotFound
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission

VIEWING = agent(Permission.VIEW_ORDERS)
MANAGING = agent(Permission.MANAGE_ORDERS)
NO_ORDER = (ShopNotFound, OrderNotFound)


def blueprint(orders: OrderUseCases) -> Blueprint:
    routes = Blueprint("orders", __name__, url_prefix="/api/shops/<id:shop_id>/orders")

    @routes.get("")
    @endpoint(access=VIEWING, query=OrdersQuery, returns=DataList[SubmissionOut], raises=NO_ORDER)
    async def list_orders(actor: Agent, shop_id: str, query: OrdersQuery) -> DataList[SubmissionOut]:
        """List the orders, the newest first."""
        found = await orders.list(
            actor=actor,
            shop_id=shop_id,
            limit=query.limit,
            before=query.before,
            status=query.wanted(),
            search=query.q,
        )
        return data_list([order_out(order) for order in found])

    @routes.post("")
    @endpoint(
        access=MANAGING,
        body=SubmissionIn,
        returns=Data[SubmissionOut],
        status=201,
        raises=(*NO_ORDER, ProductNotFound, OutOfStock, OrderExists, NumberTaken),
    )
    async def place(actor: Agent, shop_id: str, body: SubmissionIn) -> Data[SubmissionOut]:
        """Place an order for a customer.

        Prices and names are the catalogue's where the lines say none. A `form_submission_id` with `items`, as
        older clients send, completes the submission of this id.
        """
        document, submission = placed_for(body)
        order = await orders.place(
            actor=actor, shop_id=shop_id, read=_reading(document), submission=submission
        )
        return data(order_out(order))

    @routes.get("/<reference:order_id>")
    @endpoint(access=VIEWING, returns=Data[SubmissionOut], raises=NO_ORDER)
    async def read(actor: Agent, shop_id: str, order_id: str) -> Data[SubmissionOut]:
        """Read an order, by its submissionId or its number."""
        return data(order_out(await orders.read(actor=actor, shop_id=shop_id, reference=order_id)))

    @routes.put("/<reference:order_id>")
    @endpoint(
        access=MANAGING,
        body=SubmissionIn,
        returns=Data[SubmissionOut],
        raises=(*NO_ORDER, ProductNotFound, OutOfStock),
    )
    async def change(actor: Agent, shop_id: str, order_id: str, body: SubmissionIn) -> Data[SubmissionOut]:
        """Change any part of an order. An answer that is null goes away."""
        order = await orders.change(
            actor=actor, shop_id=shop_id, reference=order_id, read=_reading(as_submission(body))
        )
        return data(order_out(order))

    @routes.put("/<reference:order_id>/status")
    @endpoint(access=MANAGING, body=StatusIn, returns=Data[SubmissionOut], raises=NO_ORDER)
    async def change_status(actor: Agent, shop_id: str, order_id: str, body: StatusIn) -> Data[SubmissionOut]:
        """Say what has become of an order. Any status may follow any other.

        Cancelled and Return put what was ordered back on the shelf, once.
        """
        order = await orders.change_status(
            actor=actor, shop_id=shop_id, reference=order_id, status=status_of(body.status)
        )
        return data(order_out(order))

    @routes.delete("/<reference:order_id>")
    @endpoint(access=MANAGING, returns=Data[Deleted], raises=NO_ORDER)
    async def delete(actor: Agent, shop_id: str, order_id: str) -> Data[Deleted]:
        """Delete an order. What was ordered goes back on the shelf, unless the order was completed."""
        order = await orders.delete(actor=actor, shop_id=shop_id, reference=order_id)
        return data(Deleted(id=order.id))

    return routes


def _reading(document: Json) -> Read:
    def read(currency: str, labels: Collection[str]) -> OrderDocument:
        return parse(document, currency, labels=labels)

    return read
