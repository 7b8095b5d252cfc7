"""Chats end after a silence, by a durable job, and go on with the next message."""

from datetime import timedelta

import pytest

from adapters.providers.system import RandomIds
from bootstrap.relay import Relay
from bootstrap.subscribers import CLOSE_SILENT
from core.conversations.closing import CloseSilent
from core.conversations.events import ConversationClosed, ConversationOpened, ConversationReopened
from core.conversations.inbox import ChangeConversation, DeleteConversation, StartConversation
from core.conversations.model import Channel, Status
from ports.db import SYSTEM
from tests.builders import a_message, a_shop

ids = RandomIds()
AFTER = timedelta(minutes=15)
ALMOST = AFTER - timedelta(seconds=1)


class Chats:
    """A shop whose relay runs when the test says so."""

    def __init__(self, db, clock, stage):
        self.db, self.clock, self.stage = db, clock, stage
        close = CloseSilent(db, clock, AFTER)
        self.relay = Relay(db, {CLOSE_SILENT: close}, clock, timedelta(seconds=60))

    async def pass_time(self, time):
        self.clock.advance(time)
        await self.relay.run_due()

    async def say(self, text="Hello"):
        message = await a_message(self.db, self.clock, self.stage.visitor, text)
        await self.relay.run_due()
        return message.conversation_id

    async def state(self, conversation_id):
        return await self.db.read(lambda tx: tx.conversations.get(conversation_id), shop=self.stage.shop.id)

    async def told(self, *kinds):
        recorded = await self.db.read(lambda tx: tx.stream.after(0, 100), shop=self.stage.shop.id)
        return [entry.event for entry in recorded if isinstance(entry.event, kinds)]

    async def waiting(self):
        deliveries = await self.db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM)
        return [delivery for delivery in deliveries if delivery.subscriber == CLOSE_SILENT]


@pytest.fixture
def subscriptions():
    return {kind: [CLOSE_SILENT] for kind in (ConversationOpened, ConversationReopened)}


@pytest.fixture
async def chats(db, clock):
    return Chats(db, clock, await a_shop(db, clock))


async def test_a_silent_chat_is_closed_after_its_last_message_not_its_first(chats):
    conversation_id = await chats.say()
    await chats.pass_time(ALMOST)
    await chats.say("Still here")
    await chats.pass_time(ALMOST)
    assert (await chats.state(conversation_id)).status is Status.OPEN
    await chats.pass_time(timedelta(seconds=1))
    closed = await chats.state(conversation_id)
    assert closed.status is Status.CLOSED
    assert closed.closed_at == chats.clock.now()
    (event,) = await chats.told(ConversationClosed)
    assert (event.reason, event.closed_at) == ("inactivity", closed.closed_at)
    assert event.visitor_id == chats.stage.visitor.visitor_id


async def test_the_next_message_opens_the_same_chat_again_and_it_is_followed_anew(chats):
    conversation_id = await chats.say()
    await chats.pass_time(AFTER)
    assert await chats.say("Me again") == conversation_id
    state = await chats.state(conversation_id)
    assert (state.status, state.closed_at) == (Status.OPEN, None)
    (reopened,) = await chats.told(ConversationReopened)
    assert reopened.reopened_at == state.last_message_at
    await chats.pass_time(AFTER)
    assert (await chats.state(conversation_id)).status is Status.CLOSED
    assert len(await chats.told(ConversationClosed)) == 2


async def test_however_long_a_chat_goes_on_one_failure_does_not_end_its_job(chats):
    await chats.say()
    for _ in range(20):
        await chats.pass_time(ALMOST)
        await chats.say()
    await chats.relay.run_due()
    (delivery,) = await chats.waiting()
    assert delivery.attempts == 0


async def test_what_an_agent_closes_says_so_and_is_not_closed_again(chats):
    conversation_id = await chats.say()
    change = ChangeConversation(chats.db, chats.clock)
    where = {
        "actor": chats.stage.owner,
        "shop_id": chats.stage.shop.id,
        "conversation_id": conversation_id,
    }
    await change(**where, changes={"status": Status.CLOSED})
    await chats.pass_time(AFTER)
    (event,) = await chats.told(ConversationClosed)
    assert event.reason == "agent"
    await change(**where, changes={"status": Status.OPEN})
    assert len(await chats.told(ConversationReopened)) == 1
    assert (await chats.state(conversation_id)).closed_at is None


async def test_what_is_put_aside_stays_so_and_is_followed_when_it_is_taken_up_again(chats):
    conversation_id = await chats.say()
    change = ChangeConversation(chats.db, chats.clock)
    where = {
        "actor": chats.stage.owner,
        "shop_id": chats.stage.shop.id,
        "conversation_id": conversation_id,
    }
    await change(**where, changes={"status": Status.PENDING})
    await chats.pass_time(AFTER * 3)
    assert (await chats.state(conversation_id)).status is Status.PENDING
    await change(**where, changes={"status": Status.OPEN})
    await chats.pass_time(AFTER)
    assert (await chats.state(conversation_id)).status is Status.CLOSED


async def test_threads_that_are_no_web_chat_stay_open(chats):
    start = StartConversation(chats.db, chats.clock, ids)
    view = await start(
        actor=chats.stage.owner, shop_id=chats.stage.shop.id, customer_name="Ada", channel=Channel.WHATSAPP
    )
    await chats.pass_time(AFTER * 4)
    assert (await chats.state(view.conversation.id)).status is Status.OPEN


async def test_a_deleted_chat_ends_its_job(chats):
    conversation_id = await chats.say()
    await DeleteConversation(chats.db)(
        actor=chats.stage.owner, shop_id=chats.stage.shop.id, conversation_id=conversation_id
    )
    await chats.pass_time(AFTER)
    assert await chats.waiting() == []
