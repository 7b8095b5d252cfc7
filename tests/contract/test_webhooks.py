"""From a message to the receivers of webhooks, on every database: what is told, and when it is told again."""

import json
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from adapters.wire.orders import order_out, parse
from core.conversations.inbox import PostFromInbox
from core.conversations.messages import Draft, Sender
from core.conversations.visitor import OpenSession
from core.orders.use_cases import ChangeOrder, DeleteOrder
from core.webhooks.log import ReplayDelivery
from core.webhooks.model import PAUSES, DeliveryStatus, DisabledReason, secret_record
from core.webhooks.use_cases import ChangeWebhook, ReadWebhook
from tests.builders import PICTURE, a_message, a_product, a_shop, an_order, ids
from tests.contract.conftest import CIPHER
from tests.services.receiver import OK, answer, receiving

MINUTE = timedelta(minutes=1)


async def endpoint_of(db, stage, made):
    return await ReadWebhook(db)(actor=stage.owner, shop_id=stage.shop.id, endpoint_id=made.endpoint.id)


def told(received):
    return json.loads(received.body)


async def test_a_message_is_told_as_the_contract_has_it(db, clock, stage, webhook, courier):
    session = await OpenSession(db, clock, ids)(visitor=stage.visitor)
    async with receiving() as receiver:
        made = await webhook(stage, receiver)
        message = await a_message(db, clock, stage.visitor, "שלום 👋")
        await courier.run_due()
    [received] = receiver.received
    assert int(received.headers["webhook-timestamp"]) == int(clock.now().timestamp())
    resigned = Webhook(made.secret).sign(received.headers["webhook-id"], clock.now(), received.body.decode())
    assert received.headers["webhook-signature"] == resigned, "over the very bytes that were sent"
    assert received.headers["content-type"] == "application/json"
    data = told(received).pop("data")
    assert told(received) == {
        "type": "message.created",
        "event": "message.created",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": data,
    }
    assert data == {
        "messageId": message.id,
        "conversationId": message.conversation_id,
        "tenantId": stage.shop.id,
        "sequence": 1,
        "text": "שלום 👋",
        "senderType": "user",
        "senderId": message.sender_id,
        "senderName": message.sender_name,
        "channel": "web",
        "customerName": data["customerName"],
        "sessionId": session.session.id,
        "visitorId": stage.visitor.visitor_id,
        "userId": None,
        "attachments": [],
        "createdAt": "2026-03-01T12:00:00Z",
    }


async def test_orders_are_told_to_those_who_asked_for_them(db, clock, stage, webhook, courier):
    product = await a_product(db, clock, stage.shop)
    change, delete = ChangeOrder(db, clock), DeleteOrder(db, clock)
    async with receiving() as receiver, receiving() as elsewhere:
        await webhook(stage, receiver, ["order.placed", "order.changed", "order.deleted"])
        await webhook(stage, elsewhere)
        order = await an_order(db, clock, stage.shop, product, 2)
        await courier.run_due()
        about = {"actor": stage.owner, "shop_id": stage.shop.id, "reference": order.id}
        said = {
            "status": "Confirmed",
            "paymentScreenshotUrl": f"data:image/png;base64,{b64encode(PICTURE).decode()}",
        }
        await change(**about, read=lambda currency, labels: parse(said, currency, labels=labels))
        await courier.run_due()
        await delete(**about)
        await courier.run_due()
    placed, changed, deleted = map(told, receiver.received)
    assert placed["type"] == "order.placed"
    assert placed["data"] == order_out(order) | {"tenantId": stage.shop.id}
    assert (changed["type"], changed["data"]["status"]) == ("order.changed", "Confirmed")
    assert changed["data"]["paymentScreenshotUrl"] is None, "a picture is no address"
    assert (deleted["type"], deleted["data"]) == (
        "order.deleted",
        {"submissionId": order.id, "tenantId": stage.shop.id},
    )
    assert elsewhere.received == []


async def test_every_side_is_told_and_notes_are_not(db, clock, stage, webhook, courier):
    post = PostFromInbox(db, clock, ids)
    async with receiving() as receiver:
        await webhook(stage, receiver)
        message = await a_message(db, clock, stage.visitor)
        for sender, is_note in ((Sender.AGENT, False), (Sender.AGENT, True), (Sender.ASSISTANT, False)):
            await post(
                actor=stage.owner,
                shop_id=stage.shop.id,
                conversation_id=message.conversation_id,
                sender=sender,
                draft=Draft(text="a note" if is_note else "an answer", is_note=is_note),
            )
        await courier.run_due()
    kinds = sorted(told(received)["data"]["senderType"] for received in receiver.received)
    assert kinds == ["agent", "bot", "user"]
    assert not [received for received in receiver.received if b"a note" in received.body]


async def test_only_what_happens_in_ones_own_shop_and_from_now_on_is_told(db, clock, stage, webhook, courier):
    other = await a_shop(db, clock)
    async with receiving() as receiver:
        await a_message(db, clock, stage.visitor, "before")
        await webhook(stage, receiver)
        await a_message(db, clock, other.visitor, "elsewhere")
        await a_message(db, clock, stage.visitor, "now")
        await courier.run_due()
    assert [told(received)["data"]["text"] for received in receiver.received] == ["now"]


async def test_messages_are_told_once_each_however_many_there_are(db, clock, stage, webhook, courier):
    async with receiving() as receiver:
        await webhook(stage, receiver)
        for number in range(120):
            await a_message(db, clock, stage.visitor, str(number))
        await courier.run_due()
        await courier.run_due()
    assert sorted(int(told(received)["data"]["text"]) for received in receiver.received) == list(range(120))
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 120


async def test_every_webhook_of_a_shop_is_told(db, clock, stage, webhook, courier):
    async with receiving() as one, receiving() as two:
        await webhook(stage, one)
        await webhook(stage, two)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
    assert told(one.received[0]) == told(two.received[0])
    assert one.received[0].headers["webhook-id"] != two.received[0].headers["webhook-id"]


async def test_failures_are_tried_again_on_the_schedule_and_then_given_up(
    db, clock, stage, webhook, courier, log
):
    async with receiving(answer(500, b"not now")) as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        for tries, pause in enumerate(PAUSES, 1):
            await courier.run_due()
            assert len(receiver.received) == tries
            clock.advance(pause - timedelta(seconds=1))
            await courier.run_due()
            assert len(receiver.received) == tries, "not before its time"
            clock.advance(pause * 0.1 + timedelta(seconds=2))
        await courier.run_due()
        clock.advance(timedelta(days=2))
        await courier.run_due()
    assert len(receiver.received) == len(PAUSES) + 1 == 10
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 1
    assert len({received.body for received in receiver.received}) == 1
    stamps = [int(received.headers["webhook-timestamp"]) for received in receiver.received]
    assert stamps == sorted(set(stamps)), "each try has its own time"
    [logged] = await log(stage, made)
    assert logged.delivery.status is DeliveryStatus.FAILED
    assert [attempt.number for attempt in logged.attempts] == list(range(1, 11))
    assert {(attempt.outcome.status, attempt.outcome.answer) for attempt in logged.attempts} == {
        (500, "not now")
    }
    assert (await endpoint_of(db, stage, made)).is_active, "three days are no reason yet"


async def test_a_success_ends_the_tries(db, clock, stage, webhook, courier, log):
    async with receiving(answer(503), OK) as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
        assert (await endpoint_of(db, stage, made)).failing_since == clock.now()
        clock.advance(MINUTE)
        await courier.run_due()
        clock.advance(timedelta(days=1))
        await courier.run_due()
    assert len(receiver.received) == 2
    [logged] = await log(stage, made)
    assert logged.delivery.status is DeliveryStatus.DELIVERED
    assert (await endpoint_of(db, stage, made)).failing_since is None


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_may_ask_to_be_left_alone_for_a_while(db, clock, stage, webhook, courier, status):
    async with receiving(answer(status, retry_after="600"), OK) as receiver:
        await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
        clock.advance(9 * MINUTE)
        await courier.run_due()
        assert len(receiver.received) == 1
        clock.advance(MINUTE)
        await courier.run_due()
        assert len(receiver.received) == 2


async def test_but_not_for_ever(db, clock, stage, webhook, courier):
    async with receiving(answer(429, retry_after="999999999"), OK) as receiver:
        await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
        clock.advance(timedelta(hours=24))
        await courier.run_due()
        assert len(receiver.received) == 2


async def test_one_that_is_gone_is_switched_off_and_its_people_are_told(
    db, clock, stage, webhook, courier, log
):
    async with receiving(answer(410)) as receiver:
        made = await webhook(stage, receiver)
        for _ in range(3):
            await a_message(db, clock, stage.visitor)
        await courier.run_due()
        await a_message(db, clock, stage.visitor)
        clock.advance(timedelta(days=1))
        await courier.run_due()
    assert len(receiver.received) <= 3
    endpoint = await endpoint_of(db, stage, made)
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, DisabledReason.GONE)
    assert {logged.delivery.status for logged in await log(stage, made)} == {DeliveryStatus.FAILED}
    stream = await db.read(lambda tx: tx.stream.after(0, 100), shop=stage.shop.id)
    notices = [entry.event for entry in stream if entry.event.topic == "agents.notified"]
    assert [notice.title for notice in notices if "webhook" in notice.title] == ["A webhook was switched off"]
    # All agents read it, also those who may not see the address.
    assert notices[-1].message.startswith(f"{urlsplit(receiver.url).netloc}: ")


async def test_one_that_fails_for_days_is_switched_off(db, clock, stage, webhook, courier):
    async with receiving(answer(500)) as receiver:
        made = await webhook(stage, receiver)
        for _ in range(6):
            await a_message(db, clock, stage.visitor)
            await courier.run_due()
            assert (await endpoint_of(db, stage, made)).is_active
            clock.advance(timedelta(hours=20))
        await courier.run_due()
        endpoint = await endpoint_of(db, stage, made)
    assert (endpoint.is_active, endpoint.disabled_reason) == (False, DisabledReason.FAILING)


async def test_switched_on_again_it_hears_of_what_happens_from_then_on(
    db, clock, stage, webhook, courier, sender
):
    async with receiving(answer(410), OK) as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor, "gone")
        await courier.run_due()
        await a_message(db, clock, stage.visitor, "missed")
        change = ChangeWebhook(db, sender)
        await change(
            actor=stage.owner,
            shop_id=stage.shop.id,
            endpoint_id=made.endpoint.id,
            changes={"is_active": True},
        )
        await a_message(db, clock, stage.visitor, "back")
        await courier.run_due()
    assert [told(received)["data"]["text"] for received in receiver.received] == ["gone", "back"]


async def test_a_replay_has_the_same_id_and_all_its_tries(db, clock, stage, webhook, courier, log):
    async with receiving(OK, answer(500), OK) as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
        [logged] = await log(stage, made)
        replay = ReplayDelivery(db, clock)
        await replay(actor=stage.owner, shop_id=stage.shop.id, delivery_id=logged.delivery.id)
        await courier.run_due()
        clock.advance(MINUTE)
        await courier.run_due()
        [logged] = await log(stage, made)
    assert logged.delivery.status is DeliveryStatus.DELIVERED
    assert [attempt.outcome.status for attempt in logged.attempts] == [204, 500, 204]
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 1


# Secrets at rest


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_secret_is_in_the_database_in_clear(db, clock, stage, webhook, courier, sqlite_url):
    async with receiving() as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    content = b"".join(file.read_bytes() for file in path.parent.glob("parley.db*"))
    assert made.endpoint.id.encode() in content
    assert made.secret.encode() not in content
    assert made.secret.removeprefix("whsec_").encode() not in content


async def test_a_sealed_secret_opens_for_its_own_endpoint_only(db, clock, stage, webhook):
    async with receiving() as receiver:
        one, two = [await webhook(stage, receiver) for _ in range(2)]
    record = secret_record(stage.shop.id, one.endpoint.id)
    assert CIPHER.decrypt(one.endpoint.secret, record=record) == one.secret
    with pytest.raises(Exception, match="can't be read"):
        CIPHER.decrypt(two.endpoint.secret, record=record)


# What it costs those who have none


async def test_a_shop_without_webhooks_is_never_claimed_for(db, clock, stage, courier):
    await a_message(db, clock, stage.visitor)
    assert await courier.run_due() == 0
