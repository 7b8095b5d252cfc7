"""Encryption keys are rotated: with a new one in front everything is sealed anew, and the old one can go."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.providers.fernet import FernetCipher
from adapters.providers.push_memory import MemoryPushSender
from adapters.providers.vapid import Vapid, new_private_key, private_key
from bootstrap.renewal import renew
from core.notifications.pushes import PushAddress, address_record, digest_of
from core.notifications.subscribing import SubscribeToPushes
from core.outages import SecretUnreadable
from core.visits.identity import ReadIdentitySecret, RotateIdentitySecret
from core.webhooks.model import WebhookEndpoint, secret_record
from ports.db import SYSTEM
from tests.builders import a_shop, a_user, ids
from tests.services.pushes import Browser

OLD, NEW = FernetCipher(["the old key"]), FernetCipher(["the new key"])
BOTH = FernetCipher(["the new key", "the old key"])


@pytest.fixture
async def stages(db, clock):
    """Two shops with every kind of secret, each rotated once so that there is an older one, too."""
    made = [await a_shop(db, clock) for _ in range(2)]
    for stage in made:
        for _ in range(2):
            await RotateIdentitySecret(db, clock, ids, OLD)(actor=stage.owner, shop_id=stage.shop.id)
        await db.transact(
            lambda tx, stage=stage: add_endpoint(tx, stage.shop.id, clock.now()), shop=stage.shop.id
        )
    return made


def add_endpoint(tx, shop_id, now):
    id = ids.new()
    record = secret_record(shop_id, id)
    endpoint = WebhookEndpoint(
        id=id,
        url="https://shop.example/",
        types=("message.created",),
        secret=OLD.encrypt("first", record=record),
        created_at=now,
        position=0,
    )
    endpoint.rotate(OLD.encrypt("second", record=record), now)
    tx.webhooks.add(endpoint)


async def opened(db, stage, cipher):
    """Every secret of a shop, in clear."""
    [endpoint] = await db.read(lambda tx: tx.webhooks.all(), shop=stage.shop.id)
    record = secret_record(stage.shop.id, endpoint.id)
    now = endpoint.created_at + timedelta(hours=1)
    hooks = [cipher.decrypt(sealed, record=record) for sealed in endpoint.secrets(now)]
    known = await db.read(lambda tx: tx.visitors.identity_secret(), shop=stage.shop.id)
    older = cipher.decrypt(known.previous_sealed, record=f"identity_secret:{stage.shop.id}")
    read = ReadIdentitySecret(db, cipher)
    return [*hooks, older, await read(actor=stage.owner, shop_id=stage.shop.id)]


async def test_everything_is_sealed_anew_and_stays_what_it_was(db, stages):
    before = [await opened(db, stage, OLD) for stage in stages]
    assert before[0][:2] == ["second", "first"]
    done = await renew(db, BOTH)
    assert (done.renewed, done.unreadable) == (8, [])
    assert [await opened(db, stage, NEW) for stage in stages] == before
    for stage in stages:
        with pytest.raises(SecretUnreadable):
            await opened(db, stage, OLD)


async def test_where_browsers_are_reached_is_sealed_anew(db, clock):
    browser = Browser("https://push.example/a").subscription
    address = PushAddress(endpoint=browser["endpoint"], **browser["keys"])
    sender = MemoryPushSender(Vapid(private_key(new_private_key()), ""))
    await SubscribeToPushes(db, clock, ids, OLD, sender)(actor=await a_user(db, clock), address=address)
    assert (await renew(db, NEW)).unreadable == [address_record(digest_of(address.endpoint))]
    assert (await renew(db, BOTH)).renewed == 1
    [(digest, sealed)] = await db.read(lambda tx: tx.push_subscriptions.sealed(), shop=SYSTEM)
    assert PushAddress.from_text(NEW.decrypt(sealed, record=address_record(digest))) == address
    assert (await renew(db, BOTH)).renewed == 0


async def test_a_second_time_there_is_nothing_to_do(db, stages):
    await renew(db, BOTH)
    assert (await renew(db, BOTH)).renewed == 0


async def test_what_no_key_opens_is_named_and_left_alone(db, stages):
    done = await renew(db, NEW)
    assert done.renewed == 0
    assert {record.split(":")[0] for record in done.unreadable} == {"webhook_endpoint", "identity_secret"}
    for stage in stages:
        assert await opened(db, stage, OLD)


def test_whatever_seals_is_renewed_too():
    core = Path(__file__).parents[2] / "core"
    sealing = {path.parent.name for path in core.rglob("*.py") if "cipher.encrypt(" in path.read_text()}
    assert sealing == {"notifications", "visits", "webhooks"}, "what is new belongs into bootstrap/renewal.py"
