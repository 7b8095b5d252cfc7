"""The webhooks of a shop: who hears of what, and what was sent."""

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, DataList, Deleted, data, data_list
from adapters.wire.webhooks import (
    DeliveriesQuery,
    DeliveryOut,
    MadeWebhookOut,
    WebhookChangesIn,
    WebhookIn,
    WebhookOut,
    delivery_out,
    made_webhook_out,
    webhook_out,
)
from core.application import WebhookUseCases
from core.kernel import Agent
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission
from core.webhooks.errors import TooManyWebhooks, WebhookDeliveryNotFound, WebhookInactive, WebhookNotFound
from core.webhooks.log import LoggedDelivery

INTEGRATING = agent(Permission.MANAGE_INTEGRATIONS)
NO_WEBHOOK = (ShopNotFound, WebhookNotFound)
NO_DELIVERY = (ShopNotFound, WebhookDeliveryNotFound)


def blueprint(webhooks: WebhookUseCases) -> Blueprint:
    routes = Blueprint("webhooks", __name__, url_prefix="/api/shops/<id:shop_id>/webhooks")

    @routes.get("")
    @endpoint(access=INTEGRATING, returns=DataList[WebhookOut], raises=(ShopNotFound,))
    async def list_webhooks(actor: Agent, shop_id: str) -> DataList[WebhookOut]:
        """List the shop's webhooks, the oldest first."""
        return data_list([webhook_out(one) for one in await webhooks.list(actor=actor, shop_id=shop_id)])

    @routes.post("")
    @endpoint(
        access=INTEGRATING,
        body=WebhookIn,
        returns=Data[MadeWebhookOut],
        status=201,
        raises=(ShopNotFound, TooManyWebhooks),
    )
    async def create(actor: Agent, shop_id: str, body: WebhookIn) -> Data[MadeWebhookOut]:
        """Add a webhook: an https address that hears of what happens from now on.

        The answer holds the secret that signs what is sent there. It is shown this once.
        """
        made = await webhooks.create(actor=actor, shop_id=shop_id, url=body.url, types=body.events)
        return data(made_webhook_out(made))

    @routes.get("/<id:webhook_id>")
    @endpoint(access=INTEGRATING, returns=Data[WebhookOut], raises=NO_WEBHOOK)
    async def read(actor: Agent, shop_id: str, webhook_id: str) -> Data[WebhookOut]:
        """Read a webhook."""
        return data(webhook_out(await webhooks.read(actor=actor, shop_id=shop_id, endpoint_id=webhook_id)))

    @routes.put("/<id:webhook_id>")
    @endpoint(access=INTEGRATING, body=WebhookChangesIn, returns=Data[WebhookOut], raises=NO_WEBHOOK)
    async def change(actor: Agent, shop_id: str, webhook_id: str, body: WebhookChangesIn) -> Data[WebhookOut]:
        """Change a webhook's address or events, or switch it off or on.

        Switched off, what waits for it is given up; switched on, it hears of what happens from then on.
        """
        changed = await webhooks.change(
            actor=actor, shop_id=shop_id, endpoint_id=webhook_id, changes=body.changes()
        )
        return data(webhook_out(changed))

    @routes.delete("/<id:webhook_id>")
    @endpoint(access=INTEGRATING, returns=Data[Deleted], raises=NO_WEBHOOK)
    async def delete(actor: Agent, shop_id: str, webhook_id: str) -> Data[Deleted]:
        """Delete a webhook with its log."""
        await webhooks.delete(actor=actor, shop_id=shop_id, endpoint_id=webhook_id)
        return data(Deleted(id=webhook_id))

    @routes.post("/<id:webhook_id>/secret/rotate")
    @endpoint(access=INTEGRATING, returns=Data[MadeWebhookOut], status=201, raises=NO_WEBHOOK)
    async def rotate_secret(actor: Agent, shop_id: str, webhook_id: str) -> Data[MadeWebhookOut]:
        """Make a new secret. The old one signs as well for another 24 hours.

        The new one is shown this once.
        """
        made = await webhooks.rotate_secret(actor=actor, shop_id=shop_id, endpoint_id=webhook_id)
        return data(made_webhook_out(made))

    @routes.post("/<id:webhook_id>/test")
    @endpoint(
        access=INTEGRATING,
        returns=Data[DeliveryOut],
        status=202,
        raises=(*NO_WEBHOOK, WebhookInactive),
    )
    async def send_test(actor: Agent, shop_id: str, webhook_id: str) -> Data[DeliveryOut]:
        """Have a `webhook.test` sent there, once. What came of it is in the log a moment later."""
        delivery = await webhooks.send_test(actor=actor, shop_id=shop_id, endpoint_id=webhook_id)
        return data(delivery_out(LoggedDelivery(delivery, [])))

    @routes.get("/<id:webhook_id>/deliveries")
    @endpoint(access=INTEGRATING, query=DeliveriesQuery, returns=DataList[DeliveryOut], raises=NO_WEBHOOK)
    async def list_deliveries(
        actor: Agent, shop_id: str, webhook_id: str, query: DeliveriesQuery
    ) -> DataList[DeliveryOut]:
        """List what was sent there, or is about to be, the newest first, with every attempt."""
        found = await webhooks.deliveries(
            actor=actor,
            shop_id=shop_id,
            endpoint_id=webhook_id,
            limit=query.limit,
            before=query.before,
            status=query.status,
        )
        return data_list([delivery_out(logged) for logged in found])

    @routes.get("/deliveries/<id:delivery_id>")
    @endpoint(access=INTEGRATING, returns=Data[DeliveryOut], raises=NO_DELIVERY)
    async def read_delivery(actor: Agent, shop_id: str, delivery_id: str) -> Data[DeliveryOut]:
        """Read one delivery with its attempts."""
        return data(
            delivery_out(await webhooks.delivery(actor=actor, shop_id=shop_id, delivery_id=delivery_id))
        )

    @routes.post("/deliveries/<id:delivery_id>/replay")
    @endpoint(
        access=INTEGRATING,
        returns=Data[DeliveryOut],
        status=202,
        raises=(*NO_DELIVERY, WebhookInactive),
    )
    async def replay(actor: Agent, shop_id: str, delivery_id: str) -> Data[DeliveryOut]:
        """Have a delivery sent again under the same id, whatever became of it before."""
        return data(
            delivery_out(await webhooks.replay(actor=actor, shop_id=shop_id, delivery_id=delivery_id))
        )

    return routes
