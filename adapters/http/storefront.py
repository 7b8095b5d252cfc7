"""What a shop's customers see and send. They have no account."""

from dataclasses import replace

from quart import Blueprint

from adapters.http.access import PUBLIC
from adapters.http.codec import endpoint
from adapters.wire.base import Data, data
from adapters.wire.orders import order_out
from adapters.wire.storefront import FilledIn, StorefrontOut, storefront_out
from adapters.wire.submissions import SubmissionOut
from core.application import StorefrontUseCases
from core.catalogue.errors import OutOfStock
from core.forms.errors import AnswerRefused, FormNotFound
from core.kernel import KeyReused
from core.orders.errors import NumberTaken
from core.shops.errors import ShopNotFound

SUBMITTING = replace(PUBLIC, per_address="submissions_per_address")


def blueprint(storefront: StorefrontUseCases) -> Blueprint:
    routes = Blueprint("storefront", __name__, url_prefix="/api/shops/<id:shop_id>")

    @routes.get("/public")
    @endpoint(access=PUBLIC, returns=Data[StorefrontOut], raises=(ShopNotFound,))
    async def read(shop_id: str) -> Data[StorefrontOut]:
        """Read what everybody may see of a shop."""
        return data(storefront_out(await storefront.read(shop_id=shop_id)))

    @routes.post("/forms/<id:form_id>/submissions")
    @endpoint(
        access=SUBMITTING,
        body=FilledIn,
        returns=Data[SubmissionOut],
        status=201,
        raises=(ShopNotFound, FormNotFound, AnswerRefused, OutOfStock, NumberTaken, KeyReused),
    )
    async def submit(shop_id: str, form_id: str, body: FilledIn, once: str | None) -> Data[SubmissionOut]:
        """Fill in a form, which places an order.

        Prices are the catalogue's. An Idempotency-Key that nobody can guess makes repeating harmless.
        """
        order = await storefront.submit(
            shop_id=shop_id, form_id=form_id, submission=body.submission(), once=once
        )
        return data(order_out(order))

    return routes
