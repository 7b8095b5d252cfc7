"""Which browsers of the signed-in person are told of notifications while no page is open."""

from quart import Blueprint

from adapters.http.access import PERSON, PUBLIC
from adapters.http.codec import endpoint
from adapters.wire.base import Data, data
from adapters.wire.push import (
    KeyOut,
    PushKeyOut,
    SubscribedOut,
    SubscribeIn,
    SubscriptionOut,
    UnsubscribedOut,
    UnsubscribeIn,
)
from core.application import PushUseCases
from core.kernel import UserActor


def blueprint(push: PushUseCases) -> Blueprint:
    routes = Blueprint("push", __name__, url_prefix="/api/notifications")

    @routes.post("/subscribe")
    @endpoint(access=PERSON, body=SubscribeIn, returns=SubscribedOut, status=201)
    async def subscribe(actor: UserActor, body: SubscribeIn) -> SubscribedOut:
        """Have this browser told of your notifications, until you sign out in it.

        The body is the browser's PushSubscription. A browser has one, which is yours now, whosever it was.
        """
        id = await push.subscribe(actor=actor, address=body.address, expires_at=body.expires_at)
        return SubscribedOut(success=True, data=SubscriptionOut(subscription_id=id), subscription_id=id)

    @routes.post("/unsubscribe")
    @endpoint(access=PERSON, body=UnsubscribeIn, returns=Data[UnsubscribedOut])
    async def unsubscribe(actor: UserActor, body: UnsubscribeIn) -> Data[UnsubscribedOut]:
        """Have a browser of yours told of nothing any more, by its endpoint; without a body all of them."""
        return data(UnsubscribedOut(removed=await push.unsubscribe(actor=actor, endpoint=body.which)))

    @routes.get("/vapid-public-key")
    @endpoint(access=PUBLIC, returns=PushKeyOut)
    async def public_key() -> PushKeyOut:
        """The key that browsers subscribe with, as `applicationServerKey`."""
        key = push.public_key()
        return PushKeyOut(success=True, data=KeyOut(public_key=key), public_key=key)

    return routes
