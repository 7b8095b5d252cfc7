"""The secret with which a shop's servers vouch for its known visitors."""

from quart import Blueprint

from adapters.http.access import agent
from adapters.http.codec import endpoint
from adapters.wire.base import Data, data
from adapters.wire.sites import IdentitySecretOut
from core.application import SiteUseCases
from core.kernel import Agent
from core.shops.errors import ShopNotFound
from core.shops.policy import Permission
from core.visits.errors import NoIdentitySecret

INTEGRATING = agent(Permission.MANAGE_INTEGRATIONS)


def blueprint(sites: SiteUseCases) -> Blueprint:
    routes = Blueprint("identity_secret", __name__, url_prefix="/api/shops/<id:shop_id>/identity-secret")

    @routes.get("")
    @endpoint(access=INTEGRATING, returns=Data[IdentitySecretOut], raises=(ShopNotFound, NoIdentitySecret))
    async def read(actor: Agent, shop_id: str) -> Data[IdentitySecretOut]:
        """Read the secret that the shop's servers vouch for known visitors with."""
        secret = await sites.read_identity_secret(actor=actor, shop_id=shop_id)
        return data(IdentitySecretOut(secret=secret))

    @routes.post("/rotate")
    @endpoint(access=INTEGRATING, returns=Data[IdentitySecretOut], status=201, raises=(ShopNotFound,))
    async def rotate(actor: Agent, shop_id: str) -> Data[IdentitySecretOut]:
        """Make a new secret, or the first one. The one before vouches for another 24 hours."""
        secret = await sites.rotate_identity_secret(actor=actor, shop_id=shop_id)
        return data(IdentitySecretOut(secret=secret))

    return routes
