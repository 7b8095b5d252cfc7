"""A courier that sends to this machine, and webhooks for it."""

from datetime import timedelta

import pytest

from adapters.providers.fernet import FernetCipher
from adapters.providers.resolver import SystemResolver
from adapters.providers.webhook_sender import HttpWebhookSender
from adapters.wire.webhook_bodies import body_of
from bootstrap.courier import Courier
from core.webhooks.log import ListDeliveries
from core.webhooks.sending import ServeEndpoints
from core.webhooks.use_cases import CreateWebhook
from tests.builders import a_shop, ids

CIPHER = FernetCipher(["a key that only these tests know"])
LEASE = timedelta(minutes=1)


@pytest.fixture
async def sender():
    """One that may call this machine."""
    made = HttpWebhookSender(SystemResolver(), allows_private=True)
    yield made
    await made.close()


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def courier(db, clock, sender):
    return Courier(db, ServeEndpoints(db, clock, CIPHER, sender, body_of, LEASE))


@pytest.fixture
def webhook(db, clock, sender):
    """Makes a shop's webhook."""

    async def make(stage, receiver, types=("message.created",)):
        create = CreateWebhook(db, clock, ids, CIPHER, sender)
        return await create(actor=stage.owner, shop_id=stage.shop.id, url=receiver.url, types=types)

    return make


@pytest.fixture
def log(db):
    async def read(stage, made):
        found = await ListDeliveries(db)(
            actor=stage.owner, shop_id=stage.shop.id, endpoint_id=made.endpoint.id
        )
        return list(reversed(found))

    return read
