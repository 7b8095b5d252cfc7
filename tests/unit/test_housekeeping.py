"""What nobody needs any more is forgotten, and nothing else."""

from datetime import timedelta

import pytest

from adapters.db.answers import SqlAnswers
from adapters.providers.storage_memory import MemoryStorage
from adapters.providers.system import RandomIds
from bootstrap.housekeeping import Housekeeping
from core.conversations.events import AgentsNotified
from core.conversations.visitor import OpenSession
from core.files.serving import SweepFiles
from core.notifications.pushes import PushSubscription
from core.webhooks.model import DeliveryStatus
from ports.db import SYSTEM
from ports.memories import Recollection
from tests.builders import a_shop
from tests.contract.test_webhook_records import a_delivery, a_webhook


@pytest.fixture
def database_url():
    return "memory://"


async def test_a_sweep_forgets_what_is_too_old(db, clock):
    answers = SqlAnswers(db, clock, RandomIds())
    housekeeping = Housekeeping(
        db,
        clock,
        answers,
        SweepFiles(db, clock, MemoryStorage()),
        events_kept=timedelta(days=7),
        webhooks_kept=timedelta(days=20),
        notifications_kept=timedelta(days=36),
    )
    stage = await a_shop(db, clock)

    def deliver(tx):
        endpoint = a_webhook(tx, clock.now())
        a_delivery(tx, endpoint, clock.now(), status=DeliveryStatus.DELIVERED)

        tx.record(AgentsNotified(title="x", message="", level="info", conversation_id=None))

        shown = Recollection(id="m", client="c", tab=None, digest="d", seen_at=clock.now())
        tx.memories.keep(shown, {"head": b"{}"})

    def subscribe(tx):
        subscription = PushSubscription(
            id="p",
            user_id=stage.owner.user_id,
            login_id=stage.owner.login_id,
            digest="d",
            sealed="s",
            renewed_at=clock.now(),
            expires_at=clock.now() + timedelta(days=7),
        )
        tx.push_subscriptions.keep(subscription, at_most=1)

    await db.transact(subscribe, shop=SYSTEM)
    await db.transact(deliver, shop=stage.shop.id)
    await OpenSession(db, clock, RandomIds())(visitor=stage.visitor)
    await answers.claim("a" * 64, "sealed")
    assert await housekeeping.sweep() == (0, 0, 0, 0, 0, 0, 0, 0, 0)
    clock.advance(timedelta(days=2))
    assert await housekeeping.sweep() == (0, 0, 0, 1, 0, 0, 0, 0, 0)
    clock.advance(timedelta(days=6))
    assert await housekeeping.sweep() == (2, 0, 0, 0, 0, 0, 0, 0, 1)
    clock.advance(timedelta(days=30))
    assert await housekeeping.sweep() == (0, 1, 1, 0, 1, 0, 1, 1, 0)
